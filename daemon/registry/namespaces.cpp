#include "daemon/registry/namespaces.h"

#include "filters/canonical_url.h"
#include "filters/query.h"
#include "filters/url.h"

#include <algorithm>

#include <fmt/format.h>

namespace hawker::registry {

Asked take_namespace(std::string_view target) {
    Asked asked;
    const std::size_t mark = std::min(target.find('?'), target.size());
    asked.target = target.substr(0, mark);
    if (mark == target.size()) return asked;
    char before = '?';
    for (std::string_view rest = target.substr(mark + 1);;) {
        const std::size_t end = std::min(rest.find('&'), rest.size());
        const std::string_view piece = rest.substr(0, end);
        const std::size_t equals = std::min(piece.find('='), piece.size());
        if (filters::percent_normal_form(piece.substr(0, equals)) == "ns") {
            const std::string value = filters::lower_case(
                filters::decode_value(piece.substr(std::min(equals + 1, piece.size()))));
            asked.ns = asked.ns ? fmt::format("{}, {}", *asked.ns, value) : value;
        } else {
            asked.target += before;
            asked.target += piece;
            before = '&';
        }
        if (end == rest.size()) return asked;
        rest.remove_prefix(end + 1);
    }
}

std::string registry_host(std::string_view ns) {
    std::string host = filters::lower_case(ns);
    if (host.ends_with(":443")) host.resize(host.size() - 4);
    if (host.ends_with('.')) host.pop_back();
    if (host == "docker.io" || host == "index.docker.io") return "registry-1.docker.io";
    return host;
}

Expected<std::string> upstream_url(std::string_view text) {
    const std::string given =
        text.contains("://") ? std::string(text) : fmt::format("https://{}", text);
    const auto url = filters::parse_url(given);
    if (!url) return fail(Error(url.error()));
    if (url->has_query) return fail(Errc::invalid, "expected no query");
    std::string_view path = url->path;
    while (path.ends_with('/')) path.remove_suffix(1);
    filters::Url named = *url;
    const std::string host = registry_host(url->host);
    named.host = host;
    return fmt::format("{}{}", filters::normal_origin(named, named.scheme), path);
}

bool is_namespace_of(std::string_view ns, std::string_view upstream) {
    const auto url = filters::parse_url(upstream);
    if (!url) return false;
    const std::string host = registry_host(url->host);
    const std::string wanted = registry_host(ns);
    const bool is_usual = url->port == filters::default_port(url->scheme);
    return wanted == fmt::format("{}:{}", host, url->port) || (is_usual && wanted == host);
}

}  // namespace hawker::registry
