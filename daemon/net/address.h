// IP addresses and who may be dialled.
#pragma once

#include "base/error.h"
#include "base/executor.h"
#include "base/host_pattern.h"
#include "base/task.h"

#include <array>
#include <cstdint>
#include <optional>
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
    // Who is one client as far as an address tells: the address without the port; of IPv6 its /64,
    // for a client has all of it to choose from. Unix sockets: all one.
    std::string client() const;

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

// Where connections may go, for CONNECT, for origins and for every redirect alike: hosts by their
// names, ports, and the addresses that are dialled in the end. All three must agree; a host that is
// allowed by name may still resolve only to addresses that may be dialled.
//
// Hosts: `deny_hosts` beats `allow_hosts`; when `allow_hosts` is not empty, there are no others.
//
// Addresses: denied by default are
// unspecified, loopback, link-local, private, carrier-grade NAT, multicast, broadcast,
// documentation and reserved ranges, the same embedded in IPv6 (mapped, compatible, translated,
// NAT64, 6to4, Teredo, ISATAP), and cloud metadata addresses. `allow` opens ranges again, embedded
// ones too; `deny` beats `allow`.
struct DestinationPolicy {
    std::vector<Cidr> allow;
    std::vector<Cidr> deny;
    std::vector<HostPattern> allow_hosts;
    std::vector<HostPattern> deny_hosts;
    std::vector<std::uint16_t> connect_ports = {443};  // of tunnels
    std::vector<std::uint16_t> ports;                  // of everything else; empty: any
    // Errc::denied, with the sentence that names the option which decides.
    Expected<void> check(const Address& address) const;
    Expected<void> check_host(std::string_view host) const;
    Expected<void> check_port(std::uint16_t port) const;
    Expected<void> check_connect_port(std::uint16_t port) const;
    // All that can be said about a host that somebody else (an upstream proxy) resolves: its name,
    // the address when it is a literal, and loopback when it is `localhost` or below it.
    // Errc::invalid for what only looks like an address.
    Expected<void> check_unresolved(std::string_view host, std::uint16_t port) const;
};

// The address of a literal (IPv6 with or without brackets); nullopt for a name. Errc::invalid for
// what is neither: a name that only looks numeric (0177.1, 2130706433), one with a colon, a zone,
// a space or a NUL.
Expected<std::optional<Address>> literal_address(std::string_view host, std::uint16_t port);

// getaddrinfo on the pool; resumes on `home`. Literals need no pool. Errc::invalid as
// literal_address() has it, Errc::not_found when the name does not exist,
// Errc::unavailable when the resolver does not answer.
Task<Expected<std::vector<Address>>> resolve(Executor& pool, Executor& home, std::string host,
                                             std::uint16_t port);

}  // namespace hawker::net
