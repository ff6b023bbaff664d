#include "daemon/net/address.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

namespace hawker::net {

namespace {

using Bytes = std::array<std::uint8_t, 16>;

constexpr std::array<std::string_view, 34> kSpecialRanges = {
    // IPv4 (RFC 6890 and its registry)
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    // Metadata and host services of clouds; Azure's is the one outside of the ranges above.
    "100.100.100.200/32", "168.63.129.16/32",
    // IPv6: unspecified and loopback, discard, IETF protocols, documentation, unique local
    // (metadata services live there),
    // link and site local, multicast, segment routing, benchmarking, ORCHID
    "::/128", "::1/128", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "fc00::/7",
    "fe80::/10", "fec0::/10", "ff00::/8", "5f00::/16", "2001:2::/48", "2001:10::/28",
    "2001:20::/28", "64:ff9b:1::/48", "fd00:ec2::254/128", "2620:4f:8000::/48"};

Bytes mapped(const std::uint8_t* v4) {
    Bytes bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0};
    std::copy_n(v4, 4, bytes.begin() + 12);
    return bytes;
}

std::optional<Bytes> bytes_of(const Address& address) {
    if (address.family() == AF_INET) {
        std::array<std::uint8_t, 4> v4{};
        std::memcpy(v4.data(), &reinterpret_cast<const sockaddr_in*>(address.get())->sin_addr,
                    v4.size());
        return mapped(v4.data());
    }
    if (address.family() != AF_INET6) return std::nullopt;
    Bytes bytes{};
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address.get())->sin6_addr,
                bytes.size());
    return bytes;
}

bool begins_with(const Bytes& bytes, std::initializer_list<std::uint8_t> prefix) {
    return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

// The IPv4 addresses that an IPv6 one stands for: IPv4-compatible, IPv4-translated, NAT64, 6to4,
// Teredo (server and obfuscated client), ISATAP. IPv4-mapped ones are IPv4 already.
std::vector<Bytes> embedded(const Bytes& bytes) {
    std::vector<Bytes> found;
    const bool compatible = begins_with(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    const bool nat64 = begins_with(bytes, {0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0});
    const bool translated = begins_with(bytes, {0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0});
    const bool isatap =
        (bytes[8] & 0xFDU) == 0 && bytes[9] == 0 && bytes[10] == 0x5E && bytes[11] == 0xFE;
    if (compatible || translated || nat64 || isatap) found.push_back(mapped(&bytes[12]));
    if (begins_with(bytes, {0x20, 0x02})) found.push_back(mapped(&bytes[2]));
    if (begins_with(bytes, {0x20, 0x01, 0, 0})) {
        found.push_back(mapped(&bytes[4]));
        std::array<std::uint8_t, 4> client{};
        std::transform(bytes.begin() + 12, bytes.end(), client.begin(),
                       [](std::uint8_t byte) { return static_cast<std::uint8_t>(~byte); });
        found.push_back(mapped(client.data()));
    }
    return found;
}

bool contains(const Cidr& range, const Bytes& bytes) {
    for (unsigned bit = 0; bit < range.bits; bit += 8) {
        const unsigned left = range.bits - bit;
        const auto mask = static_cast<std::uint8_t>(left >= 8 ? 0xFF : 0xFF << (8 - left));
        if (((range.network[bit / 8] ^ bytes[bit / 8]) & mask) != 0) return false;
    }
    return true;
}

bool any_contains(const std::vector<Cidr>& ranges, const Bytes& bytes) {
    return std::ranges::any_of(ranges,
                               [&bytes](const Cidr& range) { return contains(range, bytes); });
}

const std::vector<Cidr>& special_ranges() {
    static const std::vector<Cidr> ranges = [] {
        std::vector<Cidr> parsed;
        parsed.reserve(kSpecialRanges.size());
        for (const std::string_view text : kSpecialRanges)
            parsed.push_back(Cidr::parse(text).value());
        return parsed;
    }();
    return ranges;
}

}  // namespace

Expected<Cidr> Cidr::parse(std::string_view text) {
    const auto slash = text.find('/');
    const std::string host(text.substr(0, slash));
    Cidr range;
    unsigned widest = 128;
    std::array<std::uint8_t, 4> v4{};
    if (::inet_pton(AF_INET, host.c_str(), v4.data()) == 1) {
        range.network = mapped(v4.data());
        widest = 32;
    } else if (::inet_pton(AF_INET6, host.c_str(), range.network.data()) != 1) {
        return fail(Errc::invalid,
                    fmt::format("'{}' is not a range like 10.0.0.0/8 or fd00::/8", text));
    }
    unsigned bits = widest;
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        const auto [end, problem] =
            std::from_chars(digits.data(), digits.data() + digits.size(), bits);
        if (problem != std::errc() || end != digits.data() + digits.size() || bits > widest)
            return fail(Errc::invalid,
                        fmt::format("'{}': the prefix length is 0 to {}", text, widest));
    }
    range.bits = 128 - widest + bits;
    return range;
}

bool Cidr::contains(const Address& address) const {
    const auto bytes = bytes_of(address);
    return bytes && net::contains(*this, *bytes);
}

Expected<void> DestinationPolicy::check(const Address& address) const {
    const auto bytes = bytes_of(address);
    if (!bytes)
        return fail(Errc::denied,
                    "Only IPv4 and IPv6 destinations can be reached through this proxy.");
    std::vector<Bytes> all = embedded(*bytes);
    all.push_back(*bytes);
    for (const Bytes& one : all)
        if (any_contains(deny, one))
            return fail(Errc::denied,
                        fmt::format("{} is denied by destinations.deny.", address.to_string()));
    if (any_contains(allow, *bytes)) return {};
    for (const Bytes& one : all)
        if (any_contains(special_ranges(), one) && !any_contains(allow, one))
            return fail(Errc::denied,
                        fmt::format("{} is a private, local or reserved address; add its range to "
                                    "destinations.allow if the proxy may reach it.",
                                    address.to_string()));
    return {};
}

Expected<void> DestinationPolicy::check_host(std::string_view host) const {
    if (any_matches(deny_hosts, host))
        return fail(Errc::denied,
                    fmt::format("{} is denied by destinations.deny_hosts.", plain_host(host)));
    if (allow_hosts.empty() || any_matches(allow_hosts, host)) return {};
    return fail(Errc::denied, fmt::format("{} is not in destinations.allow_hosts; add it there if "
                                          "the proxy may reach it.",
                                          plain_host(host)));
}

Expected<void> DestinationPolicy::check_port(std::uint16_t port) const {
    if (ports.empty() || std::ranges::find(ports, port) != ports.end()) return {};
    return fail(Errc::denied, fmt::format("Port {} is not in destinations.ports; add it there if "
                                          "the proxy may reach it.",
                                          port));
}

Expected<void> DestinationPolicy::check_unresolved(std::string_view host,
                                                   std::uint16_t port) const {
    if (auto allowed = check_host(host); !allowed) return allowed;
    auto address = literal_address(host, port);
    if (!address) return fail(std::move(address.error()));
    const std::string name = plain_host(host);
    if (name == "localhost" || name.ends_with(".localhost"))
        address = Address::parse(fmt::format("127.0.0.1:{}", port));
    return *address ? check(**address) : Expected<void>();
}

Expected<void> DestinationPolicy::check_connect_port(std::uint16_t port) const {
    if (std::ranges::find(connect_ports, port) != connect_ports.end()) return {};
    return fail(Errc::denied, fmt::format("CONNECT to port {} is not allowed; add it to "
                                          "destinations.connect_ports if it should be.",
                                          port));
}

}  // namespace hawker::net
