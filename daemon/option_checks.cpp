#include "daemon/option_checks.h"

#include "base/host_pattern.h"
#include "daemon/net/address.h"
#include "daemon/origin/routes.h"
#include "daemon/registry/namespaces.h"
#include "filters/url.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace hawker::daemon {

namespace {

// All of `text` as a decimal number within [least, most].
template <typename Number>
bool read_number(std::string_view text, Number least, Number most, Number& number) {
    const char* const end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, number);
    return problem == std::errc() && rest == end && number >= least && number <= most;
}

bool is_token_byte(char c) {
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.contains(c);
}

}  // namespace

Expected<void> check_cidr(const std::string& text) {
    if (const auto cidr = net::Cidr::parse(text); !cidr) return fail(cidr.error());
    return {};
}

Expected<void> check_port(const std::string& text) {
    if (const auto port = parse_port(text); !port) return fail(port.error());
    return {};
}

Expected<void> check_host_pattern(const std::string& text) {
    if (const auto host = HostPattern::parse(text); !host) return fail(host.error());
    return {};
}

Expected<void> check_intercepted_host(const std::string& text) {
    if (text == "rules") return {};
    return check_host_pattern(text);
}

Expected<void> check_ip_address(const std::string& text) {
    const auto literal = net::literal_address(text, 0);
    if (literal && *literal) return {};
    return fail(Errc::invalid, fmt::format("'{}' is no IP address, like 192.0.2.7", text));
}

Expected<void> check_proxy(const std::string& text) {
    if (const auto proxy = origin::UpstreamProxy::parse(text); !proxy) return fail(proxy.error());
    return {};
}

Expected<void> check_no_proxy(const std::string& text) { return origin::NoProxy().add(text); }

Expected<void> check_host_override(const std::string& text) {
    if (const auto override = parse_host_override(text); !override) return fail(override.error());
    return {};
}

Expected<HostOverride> parse_host_override(std::string_view text) {
    const std::size_t sign = std::min(text.find('='), text.size());
    HostOverride parsed;
    parsed.name = plain_host(text.substr(0, sign));
    parsed.address = text.substr(std::min(sign + 1, text.size()));
    const auto host = HostPattern::parse(parsed.name);
    const auto literal = net::literal_address(parsed.name, 0);
    const bool is_name = host && host->is_literal() && literal && !*literal;
    if (is_name && check_ip_address(parsed.address)) return parsed;
    return fail(
        Errc::invalid,
        fmt::format("'{}' is not a name and an IP address, as in git.example=192.0.2.7", text));
}

Expected<void> check_upstream(const std::string& text) {
    return text.empty() ? Expected<void>() : filters::check_upstream(text);
}

Expected<void> check_registry(const std::string& text) {
    const auto url = registry::upstream_url(text);
    if (url) return {};
    return fail(Errc::invalid,
                "expected a registry like ghcr.io or https://registry.example:5000, without query "
                "and user");
}

// It stands in Via as received-by, which is a token there (RFC 9110 section 7.6.3).
Expected<void> check_pseudonym(const std::string& text) {
    for (const char c : text)
        if (!is_token_byte(c))
            return fail(
                Errc::invalid,
                fmt::format("'{}' must be letters, digits and marks without spaces, as in hawker-7",
                            text));
    return {};
}

Expected<void> check_on_abandon(const std::string& text) {
    if (const auto abandon = parse_on_abandon(text); !abandon) return fail(abandon.error());
    return {};
}

Expected<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    if (read_number<std::uint16_t>(text, 1, 65535, port)) return port;
    return fail(Errc::invalid, fmt::format("'{}' is not a port: a number from 1 to 65535", text));
}

Expected<Abandon> parse_on_abandon(std::string_view text) {
    constexpr std::string_view kConditional = "finish-if ";
    Abandon abandon;
    if (text == "finish") return abandon;
    if (text == "stop") {
        abandon.what = cache::OnAbandon::stop;
        return abandon;
    }
    abandon.what = cache::OnAbandon::finish_if;
    if (text.starts_with(kConditional) &&
        read_number<unsigned>(text.substr(kConditional.size()), 1U, 100U, abandon.percent))
        return abandon;
    return fail(
        Errc::invalid,
        fmt::format("'{}' is not finish, stop or finish-if with a percentage, as in finish-if 50",
                    text));
}

}  // namespace hawker::daemon
