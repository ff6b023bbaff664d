#include "daemon/hub/xet.h"

#include "daemon/hub/answers.h"
#include "filters/url.h"

#include <algorithm>

#include <fmt/format.h>

namespace hawker::hub {

namespace {

constexpr std::string_view kServers = "/xet/https/";  // no other scheme is spoken

bool is_server(std::string_view url, const XetNames& names) {
    const auto parsed = filters::parse_url(url);
    return parsed && parsed->scheme == filters::Scheme::https &&
           any_matches(names.servers, parsed->host);
}

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

// Of a JSON string that holds a URL: writers may escape the slash and nothing else.
std::string without_escaped_slashes(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i)
        if (!text.substr(i).starts_with("\\/")) plain += text[i];
    return plain;
}

// The string's text, which begins behind its opening quote at `at`.
std::string_view string_at(std::string_view json, std::size_t at) {
    std::size_t end = at;
    while (end < json.size() && json[end] != '"') end += json[end] == '\\' ? 2U : 1U;
    return json.substr(at, std::min(end, json.size()) - at);
}

// The Link members of Xet, each in our name.
std::string xet_links(std::string_view value, std::span<const std::string> upstreams,
                      const XetNames& names) {
    std::string links;
    for (const std::string_view member : link_members(value)) {
        const std::size_t end = member.find('>');
        if (!leads_to_xet(member) || !member.starts_with('<') || end == std::string_view::npos)
            continue;
        const auto ours = xet_url_in_our_name(member.substr(1, end - 1), names);
        if (!links.empty()) links += ", ";
        links += ours ? fmt::format("<{}{}", *ours, member.substr(end))
                      : links_in_our_name(member, upstreams, names.own_base);
    }
    return links;
}

}  // namespace

XetRoute xet_route_of(std::string_view target) {
    const std::string_view path = path_of(target);
    // What else begins with /xet/ is of the user of that name.
    if (path.starts_with(kServers))
        return path.contains("/reconstructions") ? XetRoute::reconstruction : XetRoute::server;
    if (!path.starts_with("/api/")) return XetRoute::none;
    if (path.contains("/xet-read-token")) return XetRoute::token;
    if (path.contains("/xet-write-token")) return XetRoute::write_token;
    return XetRoute::none;
}

std::optional<std::string> xet_server_url(std::string_view target, const XetNames& names) {
    if (!target.starts_with(kServers)) return std::nullopt;
    std::string url = fmt::format("https://{}", target.substr(kServers.size()));
    if (!is_server(url, names)) return std::nullopt;
    return url;
}

std::optional<std::string> xet_url_in_our_name(std::string_view url, const XetNames& names) {
    if (!is_server(url, names)) return std::nullopt;
    return fmt::format("{}{}{}", names.own_base, kServers, url.substr(url.find("://") + 3));
}

std::string xet_urls_in_our_name(std::string_view json, const XetNames& names) {
    std::string out;
    out.reserve(json.size() + json.size() / 4);
    for (std::size_t at = 0; at < json.size();) {
        out += json[at];
        if (json[at++] != '"') continue;
        const std::string_view text = string_at(json, at);
        std::optional<std::string> ours;
        if (text.starts_with("http"))
            ours = xet_url_in_our_name(without_escaped_slashes(text), names);
        out += ours ? *ours : text;
        at += text.size();
        if (at < json.size()) out += json[at++];  // the closing quote
    }
    return out;
}

XetFields xet_fields(const http::Fields& fields, std::span<const std::string> upstreams,
                     const XetNames& names) {
    XetFields said;
    said.hash = fields.get("X-Xet-Hash").value_or("");
    said.links = xet_links(fields.joined("Link"), upstreams, names);
    if (const auto route = fields.get("X-Xet-Refresh-Route")) {
        const std::string ours =
            links_in_our_name(fmt::format("<{}>", *route), upstreams, names.own_base);
        said.refresh_route = ours.substr(1, ours.size() - 2);
    }
    return said;
}

void add_xet_fields(http::Fields& fields, const XetFields& said) {
    if (!said.hash.empty()) fields.add("X-Xet-Hash", said.hash);
    if (!said.links.empty()) fields.add("Link", said.links);
    if (!said.refresh_route.empty()) fields.add("X-Xet-Refresh-Route", said.refresh_route);
}

bool xet_file_head(http::ResponseHead& head, std::span<const std::string> upstreams,
                   const XetNames& names) {
    const XetFields said = xet_fields(head.fields, upstreams, names);
    const std::string length(head.fields.get("X-Linked-Size").value_or(""));
    const bool has_way = !said.links.empty() || !said.refresh_route.empty();
    if (head.status >= 400 || said.hash.empty() || length.empty() || !has_way) return false;
    if (!join_file_head({}, head)) return false;
    head.status = 200;
    head.reason = http::reason_phrase(200);
    head.fields.set("Content-Length", length);
    head.fields.set("Accept-Ranges", "bytes");
    add_xet_fields(head.fields, said);
    return true;
}

}  // namespace hawker::hub
