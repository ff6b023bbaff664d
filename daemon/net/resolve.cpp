#include "daemon/net/address.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

namespace hawker::net {

namespace {

// What inet_aton() would take for an IPv4 address although it does not look like one: "0177.1",
// "2130706433", "0x7f.1". The last label decides: no top-level domain is a number (RFC 3696 section
// 2).
bool only_looks_numeric(std::string_view host) {
    while (host.ends_with('.')) host.remove_suffix(1);
    const auto dot = host.rfind('.');
    std::string_view last = dot == std::string_view::npos ? host : host.substr(dot + 1);
    const bool hexadecimal = last.starts_with("0x") || last.starts_with("0X");
    if (hexadecimal) last.remove_prefix(2);
    const auto is_digit = [hexadecimal](char c) {
        const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        return (c >= '0' && c <= '9') || (hexadecimal && letter);
    };
    return (hexadecimal || !last.empty()) && std::ranges::all_of(last, is_digit);
}

Error resolver_error(int code, const std::string& host) {
    Error error;
    error.code = code == EAI_NONAME || code == EAI_NODATA ? Errc::not_found : Errc::unavailable;
    error.what = fmt::format("resolve {}: {}", host, ::gai_strerror(code));
    return error;
}

Expected<std::vector<Address>> look_up(const std::string& host, std::uint16_t port, int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* list = nullptr;
    const int code = ::getaddrinfo(host.c_str(), fmt::format("{}", port).c_str(), &hints, &list);
    if (code != 0) return fail(resolver_error(code, host));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(list, ::freeaddrinfo);
    std::vector<Address> found;
    for (const addrinfo* entry = list; entry; entry = entry->ai_next) {
        const Address address(entry->ai_addr, entry->ai_addrlen);
        const auto same = [&address](const Address& other) {
            return other.to_string() == address.to_string();
        };
        if (std::ranges::none_of(found, same)) found.push_back(address);
    }
    return found;
}

}  // namespace

Expected<std::optional<Address>> literal_address(std::string_view host, std::uint16_t port) {
    const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
    const std::string bare(bracketed ? host.substr(1, host.size() - 2) : host);
    sockaddr_in6 v6{};
    sockaddr_in v4{};
    if (::inet_pton(AF_INET6, bare.c_str(), &v6.sin6_addr) == 1 && !bare.contains('\0')) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        return Address(reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
    }
    if (!bracketed && ::inet_pton(AF_INET, bare.c_str(), &v4.sin_addr) == 1 &&
        !bare.contains('\0')) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        return Address(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4));
    }
    using namespace std::string_view_literals;
    if (host.empty() || host.find_first_of(":%[]/ \0"sv) != std::string_view::npos)
        return fail(Errc::invalid, fmt::format("'{}' is not a host name", host));
    if (only_looks_numeric(host))
        return fail(Errc::invalid,
                    fmt::format("'{}' is not an address in canonical form, like 192.0.2.1", host));
    return std::nullopt;
}

Task<Expected<std::vector<Address>>> resolve(Executor& pool, Executor& home, std::string host,
                                             std::uint16_t port) {
    auto literal = literal_address(host, port);
    if (!literal) co_return fail(std::move(literal.error()));
    if (*literal) co_return std::vector<Address>(1, **literal);
    auto work = [&host, port] { return look_up(host, port, AI_NUMERICSERV | AI_ADDRCONFIG); };
    auto found = co_await offload(pool, home, work);
    co_return found;
}

}  // namespace hawker::net
