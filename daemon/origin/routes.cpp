#include "daemon/origin/routes.h"

#include "base/base64.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace hawker::origin {

namespace {

constexpr std::uint16_t kUsualPort = 80;  // of http://

int hexadecimal(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// nullopt for a '%' without its two digits and for control bytes, which no credential may hold
// (RFC 7617 section 2).
std::optional<std::string> decoded(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            const int high = i + 2 < text.size() ? hexadecimal(text[i + 1]) : -1;
            const int low = high >= 0 ? hexadecimal(text[i + 2]) : -1;
            if (low < 0) return std::nullopt;
            c = static_cast<char>(high * 16 + low);
            i += 2;
        }
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return std::nullopt;
        plain += c;
    }
    return plain;
}

std::unexpected<Error> no_proxy_url() {
    return fail(Errc::invalid,
                "the proxy's URL must be like http://proxy.example:3128 or "
                "http://user:password@proxy.example:3128, with special characters of user and "
                "password percent-encoded");
}

// A host with its brackets, and the port behind it.
bool split_authority(std::string_view authority, UpstreamProxy& proxy) {
    const std::size_t bracket = authority.rfind(']');
    const std::size_t colon = authority.rfind(':');
    const bool has_port =
        colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
    proxy.host = authority.substr(0, has_port ? colon : authority.size());
    proxy.port = kUsualPort;
    if (!has_port) return true;
    const std::string_view digits = authority.substr(colon + 1);
    const char* const end = digits.data() + digits.size();
    const auto [rest, problem] = std::from_chars(digits.data(), end, proxy.port);
    return problem == std::errc() && rest == end && proxy.port > 0;
}

}  // namespace

Expected<UpstreamProxy> UpstreamProxy::parse(std::string_view url) {
    constexpr std::string_view kScheme = "http://";
    if (url.starts_with("https://"))
        return fail(Errc::invalid,
                    "the way to an upstream proxy is http:// (what goes to https origins is "
                    "encrypted inside it all the same)");
    if (!url.starts_with(kScheme)) return no_proxy_url();
    url.remove_prefix(kScheme.size());
    if (url.ends_with('/')) url.remove_suffix(1);
    UpstreamProxy proxy;
    if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
        const std::string_view userinfo = url.substr(0, at);
        const std::size_t colon = std::min(userinfo.find(':'), userinfo.size());
        const auto user = decoded(userinfo.substr(0, colon));
        const auto password = decoded(userinfo.substr(std::min(colon + 1, userinfo.size())));
        if (!user || user->empty() || user->contains(':') || !password) return no_proxy_url();
        proxy.user = *user;
        proxy.password = *password;
        url.remove_prefix(at + 1);
    }
    if (!split_authority(url, proxy) || !net::literal_address(proxy.host, proxy.port))
        return no_proxy_url();
    if (proxy.host.find_first_of("?#\\ ") != std::string::npos) return no_proxy_url();
    return proxy;
}

std::string UpstreamProxy::name() const { return fmt::format("http://{}:{}", host, port); }

std::string UpstreamProxy::refusal(int status) const {
    if (status != 407)
        return fmt::format("The upstream proxy {} refuses to connect (it answers {}).", name(),
                           status);
    return fmt::format(
        "The upstream proxy {} {}; check origin.proxy_credentials_file (or the "
        "proxy of this host in origins).",
        name(), user.empty() ? "wants credentials (407)" : "takes not our credentials (407)");
}

std::string UpstreamProxy::authorization() const {
    return user.empty() ? "" : "Basic " + to_base64(fmt::format("{}:{}", user, password));
}

Expected<void> NoProxy::add(std::string_view text) {
    if (auto range = net::Cidr::parse(text)) {
        ranges_.push_back(*range);
        return {};
    }
    // Either spelling of NO_PROXY means the host itself as well.
    const bool is_pattern = text.starts_with('*');
    if (text.starts_with('.')) text.remove_prefix(1);
    auto host = HostPattern::parse(text);
    if (!host) return fail(std::move(host.error()));
    hosts_.push_back(std::move(*host));
    if (is_pattern) return {};
    auto below = HostPattern::parse(fmt::format("*.{}", text));
    if (!below) return fail(std::move(below.error()));
    hosts_.push_back(std::move(*below));
    return {};
}

bool NoProxy::names(std::string_view host) const {
    if (any_matches(hosts_, host)) return true;
    const auto literal = net::literal_address(host, 0);
    return literal && *literal && std::ranges::any_of(ranges_, [&](const net::Cidr& range) {
               return range.contains(**literal);
           });
}

Route Routes::find(std::string_view host) const {
    Route route;
    route.ca_file = options_.ca_file;
    if (options_.proxy && !options_.no_proxy.names(host)) route.proxy = options_.proxy;
    route.sources = options_.sources;
    if (const auto known = options_.hosts.find(plain_host(host)); known != options_.hosts.end())
        route.addresses = known->second;
    const auto found = std::ranges::find_if(
        options_.exceptions,
        [host](const RouteException& exception) { return any_matches(exception.hosts, host); });
    if (found == options_.exceptions.end()) return route;
    if (found->ca_file) route.ca_file = *found->ca_file;
    route.insecure = found->insecure;
    route.client_certificate = found->client_certificate;
    route.client_key = found->client_key;
    if (found->proxy) route.proxy = *found->proxy;
    if (!found->connect_to.empty()) route.addresses = found->connect_to;
    if (!found->sources.empty()) route.sources = found->sources;
    return route;
}

}  // namespace hawker::origin
