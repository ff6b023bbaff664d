#include "daemon/hub/answers.h"

#include "daemon/hub/route.h"
#include "filters/query.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hawker::hub {

namespace {

// W/ and quotes taken away.
std::string_view opaque(std::string_view tag) {
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag.size() >= 2 && tag.starts_with('"') && tag.ends_with('"'))
        tag = tag.substr(1, tag.size() - 2);
    return tag;
}

std::string quoted(std::string_view tag) { return fmt::format("\"{}\"", opaque(tag)); }

// The first that anybody said.
std::optional<std::string> said(std::span<const http::ResponseHead> hops,
                                const http::ResponseHead& last, std::string_view name) {
    for (const http::ResponseHead& hop : hops)
        if (const auto value = hop.fields.get(name)) return std::string(*value);
    if (const auto value = last.fields.get(name)) return std::string(*value);
    return std::nullopt;
}

// Past the string that begins at `at`: behind its closing quote, or the end of the text.
std::size_t past_string(std::string_view json, std::size_t at) {
    for (++at; at < json.size(); ++at) {
        if (json[at] == '\\')
            ++at;
        else if (json[at] == '"')
            return at + 1;
    }
    return json.size();
}

std::size_t past_space(std::string_view json, std::size_t at) {
    return std::min(json.find_first_not_of(" \t\r\n", at), json.size());
}

// Past the value that begins at `at`, whatever it is.
std::size_t past_value(std::string_view json, std::size_t at) {
    std::size_t depth = 0;
    while (at < json.size()) {
        const char c = json[at];
        if (c == '"') {
            at = past_string(json, at);
            if (depth == 0) return at;
            continue;
        }
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') {
            if (depth == 0) return at;  // of the object around it
            if (--depth == 0) return at + 1;
        }
        if (c == ',' && depth == 0) return at;
        ++at;
    }
    return at;
}

// Of the outermost object: the value as it is written, of the first member of that name, which
// stands in its quotes here too.
std::optional<std::string_view> member_of(std::string_view json, std::string_view quoted_name) {
    std::size_t depth = 0;
    for (std::size_t at = 0; at < json.size();) {
        const char c = json[at];
        if (c == '{' || c == '[') ++depth;
        if ((c == '}' || c == ']') && depth > 0) --depth;
        if (c != '"') {
            ++at;
            continue;
        }
        const std::size_t end = past_string(json, at);
        const std::string_view key = json.substr(at, end - at);
        at = past_space(json, end);
        if (depth != 1 || key != quoted_name || at >= json.size() || json[at] != ':') continue;
        at = past_space(json, at + 1);
        std::string_view value = json.substr(at, past_value(json, at) - at);
        while (!value.empty() && std::string_view(" \t\r\n").contains(value.back()))
            value.remove_suffix(1);
        return value;
    }
    return std::nullopt;
}

}  // namespace

bool leads_to_xet(std::string_view link) {
    return link.contains("xet-auth") || link.contains("xet-reconstruction-info");
}

// The members of a Link field: commas within <> or quotes separate nothing.
std::vector<std::string_view> link_members(std::string_view value) {
    std::vector<std::string_view> members;
    std::size_t begin = 0;
    bool in_target = false;
    bool in_quotes = false;
    for (std::size_t i = 0; i <= value.size(); ++i) {
        const char c = i < value.size() ? value[i] : ',';
        if (c == '<' && !in_quotes) in_target = true;
        if (c == '>' && !in_quotes) in_target = false;
        if (c == '"' && !in_target) in_quotes = !in_quotes;
        if (c != ',' || (i < value.size() && (in_target || in_quotes))) continue;
        std::string_view member = value.substr(begin, i - begin);
        while (member.starts_with(' ')) member.remove_prefix(1);
        if (!member.empty()) members.push_back(member);
        begin = i + 1;
    }
    return members;
}

void strip_for_mirror(http::Fields& fields) {
    constexpr std::array<std::string_view, 10> kOthersOwn = {
        "Set-Cookie",    "Set-Cookie2",
        "Location",      "Content-Location",
        "Vary",          "Alt-Svc",
        "X-Xet-Hash",    "X-Xet-Refresh-Route",
        "X-Xet-Cas-Url", "Strict-Transport-Security"};
    fields.remove(kOthersOwn);
    std::vector<std::string> kept;
    for (const std::string_view value : fields.all("Link"))
        for (const std::string_view member : link_members(value))
            if (!leads_to_xet(member)) kept.emplace_back(member);
    fields.remove("Link");
    for (const std::string& member : kept) fields.add("Link", member);
}

bool join_file_head(std::span<const http::ResponseHead> hops, http::ResponseHead& last) {
    const auto commit = said(hops, last, "X-Repo-Commit");
    if (!commit || !is_commit(*commit)) return false;
    const auto linked = said(hops, last, "X-Linked-Etag");
    const auto size = said(hops, last, "X-Linked-Size");
    const auto own = last.fields.get("ETag");
    const std::string tag = linked ? quoted(*linked) : own ? quoted(*own) : std::string();
    strip_for_mirror(last.fields);
    last.fields.set("X-Repo-Commit", *commit);
    if (!tag.empty()) last.fields.set("ETag", tag);
    if (linked) last.fields.set("X-Linked-Etag", tag);
    if (size) last.fields.set("X-Linked-Size", *size);
    return true;
}

std::optional<LinkedContent> linked_content(std::span<const http::ResponseHead> hops,
                                            std::span<const std::string> bases) {
    for (const http::ResponseHead& hop : hops) {
        const std::string_view location = hop.fields.get("Location").value_or("");
        const bool is_at_home =
            (location.starts_with('/') && !location.starts_with("//")) ||
            std::ranges::any_of(bases, [location](const std::string& base) {
                return location.starts_with(base) && location.substr(base.size()).starts_with('/');
            });
        if (is_at_home) continue;
        const auto sha256 = Digest::from_hex(opaque(hop.fields.get("X-Linked-Etag").value_or("")));
        if (!sha256) return std::nullopt;
        return LinkedContent{.url = std::string(location), .sha256 = *sha256};
    }
    return std::nullopt;
}

std::optional<std::string> commit_in(std::string_view info) {
    const auto value = member_of(info, "\"sha\"");
    if (value && value->size() == 42 && is_commit(opaque(*value)))
        return std::string(opaque(*value));
    return std::nullopt;
}

bool is_information(std::string_view info) {
    return member_of(info, "\"id\"") || member_of(info, "\"sha\"");
}

Openness openness_in(std::string_view info) {
    const auto is_private = member_of(info, "\"private\"");
    if (is_private == "true") return Openness::hidden;
    const auto gated = member_of(info, "\"gated\"");
    if (is_private != "false" || !gated) return Openness::unsaid;
    if (gated != "false") return Openness::gated;
    const auto disabled = member_of(info, "\"disabled\"");
    return !disabled || disabled == "false" ? Openness::open : Openness::unsaid;
}

std::string without_member(std::string_view json, std::string_view name) {
    const std::string key = fmt::format("\"{}\"", name);
    if (!json.contains(key)) return std::string(json);
    std::string kept;
    kept.reserve(json.size());
    for (std::size_t at = 0; at < json.size();) {
        if (json[at] != '"') {
            kept += json[at++];
            continue;
        }
        const std::size_t end = past_string(json, at);
        const std::size_t colon = past_space(json, end);
        const bool is_it =
            json.substr(at, end - at) == key && colon < json.size() && json[colon] == ':';
        if (!is_it) {
            kept += json.substr(at, end - at);
            at = end;
            continue;
        }
        at = past_space(json, past_value(json, past_space(json, colon + 1)));
        if (at < json.size() && json[at] == ',') {
            at = past_space(json, at + 1);
            continue;
        }
        // The last member of its object: the comma before it goes instead.
        const std::size_t before = kept.find_last_not_of(" \t\r\n");
        if (before != std::string::npos && kept[before] == ',') kept.resize(before);
    }
    return kept;
}

std::string links_in_our_name(std::string_view value, std::span<const std::string> bases,
                              std::string_view own_base) {
    std::string joined;
    for (const std::string_view member : link_members(value)) {
        if (!joined.empty()) joined += ", ";
        const auto base = std::ranges::find_if(bases, [&](const std::string& each) {
            const std::string_view rest = member.substr(std::min<std::size_t>(1, member.size()));
            return member.starts_with('<') && rest.starts_with(each) && rest.size() > each.size() &&
                   std::string_view("/?>").contains(rest[each.size()]);
        });
        if (base == bases.end())
            joined += member;
        else
            joined += fmt::format("<{}{}", own_base, member.substr(1 + base->size()));
    }
    return joined;
}

bool is_of_the_api(const http::ResponseHead& head, std::string_view body) {
    const std::string type = filters::lower_case(head.fields.get("Content-Type").value_or("json"));
    const std::size_t first = body.find_first_not_of(" \t\r\n");
    return type.contains("json") && first != std::string_view::npos &&
           (body[first] == '{' || body[first] == '[');
}

bool says_no_entry(const http::ResponseHead& head) {
    return head.status == 404 && head.fields.get("X-Error-Code") == "EntryNotFound";
}

}  // namespace hawker::hub
