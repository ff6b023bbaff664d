#include "daemon/net/address.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace hawker::net {

namespace {

Expected<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (problem != std::errc() || end != text.data() + text.size())
        return fail(Errc::invalid, fmt::format("'{}' is not a port (0 to 65535)", text));
    return port;
}

Expected<Address> unix_address(std::string_view path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.sun_path))
        return fail(Errc::invalid, fmt::format("'{}' is not a usable socket path", path));
    std::memcpy(address.sun_path, path.data(), path.size());
    return Address(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

}  // namespace

Address::Address(const sockaddr* address, socklen_t length) : length_(length) {
    std::memcpy(&storage_, address, std::min<std::size_t>(length, sizeof(storage_)));
}

Expected<Address> Address::parse(std::string_view text) {
    if (text.starts_with("unix:")) return unix_address(text.substr(5));
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return fail(
            Errc::invalid,
            fmt::format("'{}' is not like 127.0.0.1:65001, [::1]:65001 or unix:/path", text));
    auto port = parse_port(text.substr(colon + 1));
    if (!port) return fail(std::move(port.error()));
    std::string host(text.substr(0, colon));
    sockaddr_in v4{};
    if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(*port);
        return Address(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4));
    }
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    sockaddr_in6 v6{};
    // Without brackets nobody can tell the port from the address.
    if (bracketed && ::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(*port);
        return Address(reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
    }
    return fail(Errc::invalid, fmt::format("'{}' is not an IP address", host));
}

std::uint16_t Address::port() const {
    if (family() == AF_INET)
        return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
    if (family() == AF_INET6)
        return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
    return 0;
}

bool Address::is_loopback() const {
    Cidr v4;
    v4.network = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127, 0, 0, 0};
    v4.bits = 104;
    Cidr v6;
    v6.network[15] = 1;
    return family() == AF_UNIX || v4.contains(*this) || v6.contains(*this);
}

std::string Address::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (family() == AF_INET) {
        const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage_);
        ::inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
        return fmt::format("{}:{}", text.data(), port());
    }
    if (family() == AF_INET6) {
        const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage_);
        ::inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
        return fmt::format("[{}]:{}", text.data(), port());
    }
    if (family() == AF_UNIX)
        return fmt::format("unix:{}", reinterpret_cast<const sockaddr_un*>(&storage_)->sun_path);
    return "unknown";
}

std::string Address::client() const {
    if (family() == AF_INET) return to_string().substr(0, to_string().rfind(':'));
    if (family() != AF_INET6) return "unix";
    auto v6 = *reinterpret_cast<const sockaddr_in6*>(&storage_);
    const bool is_ipv4 = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) != 0;
    if (!is_ipv4) std::fill_n(v6.sin6_addr.s6_addr + 8, 8, std::uint8_t{0});
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return is_ipv4 ? text.data() : fmt::format("{}/64", text.data());
}

}  // namespace hawker::net
