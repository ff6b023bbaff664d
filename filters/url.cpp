#include "filters/url.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace hawker::filters {

namespace {

constexpr std::size_t kLongestHost = 253;  // a name in the DNS, without its trailing dot
constexpr std::size_t kLongestLabel = 63;  // RFC 1035 section 2.3.4

constexpr std::string_view kMarks = "-._~:/?[]@!$&'()*+,;=%";

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// unreserved, reserved and '%' (RFC 3986 section 2), but for '#', which ends a URL and has no place
// in a request.
constexpr std::array<bool, 256> kUriCharacters = [] {
    std::array<bool, 256> is_one{};
    for (int c = 0; c < 128; ++c) {
        const char it = static_cast<char>(c);
        is_one[static_cast<std::size_t>(c)] =
            is_letter(it) || is_digit(it) || kMarks.find(it) != std::string_view::npos;
    }
    return is_one;
}();
bool is_uri_character(char c) { return kUriCharacters[static_cast<unsigned char>(c)]; }

// Without a branch for each: a signature makes a URL long, and nearly all are fine.
bool is_uri_text(std::string_view text) {
    const auto is_at = [&text](std::size_t at) { return unsigned{is_uri_character(text[at])}; };
    constexpr std::size_t kAtOnce = 8;
    for (; text.size() >= kAtOnce; text.remove_prefix(kAtOnce)) {
        const unsigned first_half = is_at(0) & is_at(1) & is_at(2) & is_at(3);
        const unsigned second_half = is_at(4) & is_at(5) & is_at(6) & is_at(7);
        if ((first_half & second_half) == 0) return false;
    }
    return std::ranges::all_of(text, is_uri_character);
}

bool starts_with_word(std::string_view text, std::string_view word) {
    if (text.size() < word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
        const char c = text[i];
        if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != word[i]) return false;
    }
    return true;
}

// What getaddrinfo would take for a number in one of its old spellings (0177.1, 0x7f.1,
// 2130706433): the address that is checked must be the one that is meant, so only the dotted quad
// is let through.
bool looks_numeric(std::string_view last_label) {
    if (last_label.starts_with("0x") || last_label.starts_with("0X")) return true;
    return std::ranges::all_of(last_label, is_digit);
}

bool is_address(int family, std::string_view text) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return inet_pton(family, std::string(text).c_str(), bytes.data()) == 1;
}

bool is_name(std::string_view host) {
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.empty() || host.size() > kLongestHost) return false;
    std::size_t begin = 0;
    for (;;) {
        const std::size_t dot = std::min(host.find('.', begin), host.size());
        const std::string_view label = host.substr(begin, dot - begin);
        if (label.empty() || label.size() > kLongestLabel) return false;
        for (const char c : label)
            if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_') return false;
        if (dot == host.size()) return !looks_numeric(label);
        begin = dot + 1;
    }
}

bool is_host(std::string_view host) {
    if (host.starts_with('['))
        return host.ends_with(']') && host.size() < 50 &&
               is_address(AF_INET6, host.substr(1, host.size() - 2));
    return is_name(host) || (host.size() < 16 && is_address(AF_INET, host));
}

std::optional<std::uint16_t> parse_port(std::string_view digits) {
    if (digits.empty() || digits.size() > 5 || digits.front() == '0') return std::nullopt;
    unsigned value = 0;
    for (const char c : digits) {
        if (!is_digit(c)) return std::nullopt;
        value = 10 * value + static_cast<unsigned>(c - '0');
    }
    if (value > 65535) return std::nullopt;
    return static_cast<std::uint16_t>(value);
}

// "host" or "host:port", into whatever has these two members. A port that is not written is left
// alone.
template <typename Parts>
Expected<void> parse_host_and_port(std::string_view text, Parts& parts) {
    const std::size_t bracket = text.starts_with('[') ? text.find(']') : 0;
    if (bracket == std::string_view::npos)
        return fail(Errc::invalid, "the IPv6 address has no closing bracket");
    const std::size_t colon = text.find(':', bracket);
    parts.host = text.substr(0, colon);
    if (parts.host.empty()) return fail(Errc::invalid, "the host is missing");
    if (!is_host(parts.host))
        return fail(Errc::invalid, "the host is neither a name nor an address");
    if (colon == std::string_view::npos) return {};
    const auto port = parse_port(text.substr(colon + 1));
    if (!port) return fail(Errc::invalid, "the port is not a number from 1 to 65535");
    parts.port = *port;
    return {};
}

Error why_no_uri_text(std::string_view text) {
    if (text.contains('#')) return Error(Errc::invalid, "a fragment ('#') is never sent");
    const auto* const wrong = std::ranges::find_if_not(text, is_uri_character);
    return Error(Errc::invalid, fmt::format("byte 0x{:02x} must be percent-encoded in a URL",
                                            static_cast<unsigned char>(*wrong)));
}

}  // namespace

std::string_view name_of(Scheme scheme) { return scheme == Scheme::https ? "https" : "http"; }
std::uint16_t default_port(Scheme scheme) { return scheme == Scheme::https ? 443 : 80; }

Expected<Url> parse_url(std::string_view text) {
    Url url;
    if (starts_with_word(text, "http://"))
        text.remove_prefix(7);
    else if (starts_with_word(text, "https://"))
        text.remove_prefix(8), url.scheme = Scheme::https;
    else
        return fail(Errc::invalid, "not an http:// or https:// URL");

    if (!is_uri_text(text)) return fail(why_no_uri_text(text));

    const auto* const ends =
        std::ranges::find_if(text, [](char c) { return c == '/' || c == '?'; });
    const auto end = static_cast<std::size_t>(ends - text.begin());
    const std::string_view authority = text.substr(0, end);
    if (authority.find('@') != std::string_view::npos)
        return fail(Errc::invalid,
                    "a user name in an http(s) URL is not allowed (RFC 9110 section 4.2.4)");
    url.port = default_port(url.scheme);
    auto parsed = parse_host_and_port(authority, url);
    if (!parsed) return fail(std::move(parsed).error());

    const std::string_view rest = text.substr(end);
    const std::size_t question = rest.find('?');
    url.path = rest.substr(0, question);
    if (url.path.empty()) url.path = "/";
    url.has_query = question != std::string_view::npos;
    if (url.has_query) url.query = rest.substr(question + 1);
    return url;
}

Expected<void> check_upstream(std::string_view text) {
    const auto url = parse_url(text);
    if (url && !url->has_query && !text.contains('@')) return {};
    return fail(Errc::invalid,
                "expected a URL like https://registry.example, without query and user");
}

Expected<Authority> parse_authority(std::string_view text) {
    Authority authority;
    auto parsed = parse_host_and_port(text, authority);
    if (!parsed) return fail(std::move(parsed).error());
    if (authority.port == 0)
        return fail(Errc::invalid, "CONNECT needs host:port (RFC 9112 section 3.2.3)");
    return authority;
}

}  // namespace hawker::filters
