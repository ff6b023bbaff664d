#include "base/host_pattern.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

namespace hawker {

namespace {

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == ':';
}

// One spelling of each address; of one that stands for an IPv4 address, that one's. Empty for what
// is none.
std::string normal_ipv6(const std::string& text) {
    in6_addr address{};
    if (::inet_pton(AF_INET6, text.c_str(), &address) != 1) return "";
    std::array<char, INET6_ADDRSTRLEN> room{};
    if (IN6_IS_ADDR_V4MAPPED(&address))
        ::inet_ntop(AF_INET, &address.s6_addr[12], room.data(), room.size());
    else
        ::inet_ntop(AF_INET6, &address, room.data(), room.size());
    return room.data();
}

}  // namespace

std::string plain_host(std::string_view host) {
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.contains(':')) {
        if (auto address = normal_ipv6(std::string(host)); !address.empty()) return address;
    }
    std::string plain(host);
    std::ranges::transform(plain, plain.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return plain;
}

Expected<HostPattern> HostPattern::parse(std::string_view text) {
    HostPattern pattern;
    std::string_view rest = text;
    if (rest == "*") {
        pattern.any_ = true;
        return pattern;
    }
    if (rest.starts_with("*.")) {
        pattern.below_ = true;
        rest.remove_prefix(2);
    }
    pattern.name_ = plain_host(rest);
    const auto colons = std::ranges::count(pattern.name_, ':');
    const bool has_empty_label = pattern.name_.starts_with('.') || pattern.name_.contains("..");
    if (pattern.name_.empty() || colons == 1 || (colons > 0 && pattern.below_) || has_empty_label ||
        !std::ranges::all_of(pattern.name_, is_host_character))
        return fail(Errc::invalid,
                    fmt::format("'{}' is no host: write 'git.example', '*.example' for everything "
                                "below it, an IP address, or '*'; without scheme, port and path",
                                text));
    return pattern;
}

bool HostPattern::matches(std::string_view host) const {
    if (any_) return true;
    const std::string plain = plain_host(host);
    if (!below_) return plain == name_;
    return plain.size() > name_.size() + 1 && plain.ends_with(name_) &&
           plain[plain.size() - name_.size() - 1] == '.';
}

bool any_matches(std::span<const HostPattern> patterns, std::string_view host) {
    return std::ranges::any_of(
        patterns, [host](const HostPattern& pattern) { return pattern.matches(host); });
}

}  // namespace hawker
