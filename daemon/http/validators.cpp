#include "daemon/http/validators.h"

#include "daemon/http/grammar.h"

#include <algorithm>

namespace hawker::http {

namespace {

constexpr std::string_view kWeakMark = "W/";

// `"..."` without the weak mark.
std::string_view opaque(std::string_view entity_tag) {
    return entity_tag.starts_with(kWeakMark) ? entity_tag.substr(kWeakMark.size()) : entity_tag;
}

// The members of If-Match and If-None-Match. A backslash is an ordinary character of an entity tag,
// so this is not a list of quoted strings; what is no entity tag ends the list.
std::vector<std::string_view> entity_tags(std::string_view list) {
    std::vector<std::string_view> tags;
    while (!(list = list.substr(std::min(list.find_first_not_of(" \t,"), list.size()))).empty()) {
        const std::size_t open = list.starts_with(kWeakMark) ? kWeakMark.size() : 0;
        const std::size_t close = list.find('"', open + 1);
        if (close == std::string_view::npos || !is_entity_tag(list.substr(0, close + 1))) break;
        tags.push_back(list.substr(0, close + 1));
        list.remove_prefix(close + 1);
    }
    return tags;
}

using Comparison = bool (*)(std::string_view, std::string_view);

// "*" is matched by any stored response.
bool any_matches(const Fields& request, std::string_view name, const Fields& stored,
                 Comparison matches) {
    const std::string list = request.joined(name);
    if (trim(list) == "*") return true;
    const std::string_view ours = stored.get("ETag").value_or("");
    return std::ranges::any_of(entity_tags(list),
                               [&](std::string_view theirs) { return matches(theirs, ours); });
}

// The one date of that name; several or a malformed one count as none (RFC 9110 section 13.1.3).
std::optional<WallTime> only_date(const Fields& fields, std::string_view name) {
    const auto values = fields.all(name);
    if (values.size() != 1) return std::nullopt;
    return parse_date(values.front());
}

// A response without Last-Modified is compared by its Date (RFC 9111 section 4.3.2).
bool unchanged_since(const Fields& stored, WallTime since) {
    auto modified = only_date(stored, "Last-Modified");
    if (!modified) modified = only_date(stored, "Date");
    return modified && *modified <= since;
}

}  // namespace

bool is_entity_tag(std::string_view text) {
    const std::string_view quoted = opaque(text);
    if (quoted.size() < 2 || quoted.front() != '"' || quoted.back() != '"') return false;
    return std::ranges::all_of(quoted.substr(1, quoted.size() - 2), [](char c) {
        return static_cast<unsigned char>(c) > 0x20 && c != '"' && c != 0x7F;
    });
}

bool is_strong(std::string_view entity_tag) {
    return is_entity_tag(entity_tag) && !entity_tag.starts_with(kWeakMark);
}

bool strong_match(std::string_view a, std::string_view b) {
    return is_strong(a) && is_strong(b) && a == b;
}

bool weak_match(std::string_view a, std::string_view b) {
    return is_entity_tag(a) && is_entity_tag(b) && opaque(a) == opaque(b);
}

Verdict evaluate_preconditions(std::string_view method, const Fields& request,
                               const Fields& stored) {
    const bool is_reading = method == "GET" || method == "HEAD";
    if (request.has("If-Match")) {
        if (!any_matches(request, "If-Match", stored, strong_match))
            return Verdict::precondition_failed;
    } else if (const auto limit = only_date(request, "If-Unmodified-Since")) {
        const auto modified = only_date(stored, "Last-Modified");
        if (modified && *modified > *limit) return Verdict::precondition_failed;
    }
    if (request.has("If-None-Match")) {
        if (any_matches(request, "If-None-Match", stored, weak_match))
            return is_reading ? Verdict::not_modified : Verdict::precondition_failed;
    } else if (const auto since = only_date(request, "If-Modified-Since"); since && is_reading) {
        if (unchanged_since(stored, *since)) return Verdict::not_modified;
    }
    return Verdict::proceed;
}

bool if_range_holds(const Fields& request, const Fields& stored) {
    const auto conditions = request.all("If-Range");
    if (conditions.empty()) return true;
    if (conditions.size() > 1) return false;
    const std::string_view condition = conditions.front();
    if (is_entity_tag(condition)) return strong_match(condition, stored.get("ETag").value_or(""));
    // A date is a strong validator only when the response was made at least a second later
    // (section 8.8.2.2).
    const auto wanted = parse_date(condition);
    const auto modified = only_date(stored, "Last-Modified"), made = only_date(stored, "Date");
    return wanted && modified && made && *wanted == *modified &&
           *made - *modified >= std::chrono::seconds(1);
}

}  // namespace hawker::http
