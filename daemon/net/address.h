// IP addresses and who may be dialled.
#pragma once

#include "base/error.h"
#include "base/executor.h"
#include "base/task.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

namespace hawker::net {

// An IPv4, IPv6 or Unix socket address. A value.
class Address {
public:
    Address() = default;
    Address(const sockaddr* address, socklen_t length);
    // "127.0.0.1:65001", "[::1]:65001", "unix:/run/hawker.sock". Errc::invalid otherwise.
    static Expected<Address> parse(std::string_view text);

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
    socklen_t length() const { return length_; }
    int family() const { return storage_.ss_family; }
    std::uint16_t port() const;
    bool is_loopback() const;
    std::string to_string() const;

private:
    sockaddr_storage storage_{};
    socklen_t length_ = 0;
};

// "10.0.0.0/8", "::1/128", "127.0.0.1".
struct Cidr {
    std::array<std::uint8_t, 16> network{};  // IPv4 as ::ffff:a.b.c.d
    unsigned bits = 128;
    static Expected<Cidr> parse(std::string_view text);
    bool contains(const Address& address) const;
};

// Which resolved addresses may be dialled, for CONNECT and for origins alike. Denied by default:
// unspecified, loopback, link-local, private, carrier-grade NAT, multicast, broadcast,
// documentation and reserved ranges, the same embedded in IPv6 (mapped, compatible, translated,
// NAT64, 6to4, Teredo, ISATAP), and cloud metadata addresses. `allow` opens ranges again, embedded
// ones too; `deny` beats `allow`.
struct DestinationPolicy {
    std::vector<Cidr> allow;
    std::vector<Cidr> deny;
    std::vector<std::uint16_t> connect_ports = {443};
    // Errc::denied, with the sentence that names `destinations.allow`.
    Expected<void> check(const Address& address) const;
    Expected<void> check_connect_port(std::uint16_t port) const;
};

// getaddrinfo on the pool; resumes on `home`. Literals (IPv6 with or without brackets) need no
// pool. Host names that only look numeric (0177.1, 2130706433) are refused as Errc::invalid, and so
// are those with a colon, a zone or a NUL. Errc::not_found when the name does not exist,
// Errc::unavailable when the resolver does not answer.
Task<Expected<std::vector<Address>>> resolve(Executor& pool, Executor& home, std::string host,
                                             std::uint16_t port);

}  // namespace hawker::net
