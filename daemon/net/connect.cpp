#include "daemon/net/socket.h"
#include "daemon/net/socket_state.h"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace hawker::net {

namespace {

// Only the address: the port is the kernel's choice once it knows the destination, so that one
// address is good for more than 64 thousand connections.
Expected<void> bind_to(int fd, const Address& source) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (::bind(fd, source.get(), source.length()) == 0) return {};
    return fail(
        Errc::unavailable,
        system_error(errno, fmt::format("bind to the source address {}", source.to_string())).what);
}

Expected<UniqueFd> begin_connecting(const Address& address, std::span<const Address> sources,
                                    bool& in_progress) {
    auto fd = socket_towards(address, sources);
    if (!fd) return fd;
    const int on = 1;
    if (address.family() != AF_UNIX)
        setsockopt(fd->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    in_progress = false;
    if (::connect(fd->get(), address.get(), address.length()) == 0) return fd;
    in_progress = errno == EINPROGRESS;
    if (in_progress) return fd;
    return fail(Errc::unavailable,
                system_error(errno, fmt::format("connect to {}", address.to_string())).what);
}

Task<Expected<std::unique_ptr<Socket>>> connect_one(Loop& loop, Address address,
                                                    std::span<const Address> sources,
                                                    Deadline deadline) {
    bool in_progress = false;
    auto fd = begin_connecting(address, sources, in_progress);
    if (!fd) co_return fail(std::move(fd.error()));
    auto socket = std::make_unique<Socket>(loop, std::move(*fd));
    if (!in_progress) co_return socket;
    Socket::State& state = socket->state();
    const Wakened outcome = co_await Wait(state, state.write_side, deadline);
    auto ready = to_expected(outcome, "a connection");
    if (!ready) co_return fail(std::move(ready.error()).within(address.to_string()));
    int problem = 0;
    socklen_t length = sizeof(problem);
    ::getsockopt(socket->fd(), SOL_SOCKET, SO_ERROR, &problem, &length);
    if (problem == 0) co_return socket;
    co_return fail(Errc::unavailable,
                   system_error(problem, fmt::format("connect to {}", address.to_string())).what);
}

}  // namespace

Expected<UniqueFd> socket_towards(const Address& destination, std::span<const Address> sources) {
    UniqueFd fd(::socket(destination.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return fail(system_error(errno, "make a socket"));
    if (sources.empty() || destination.family() == AF_UNIX) return fd;
    const auto source = std::ranges::find(sources, destination.family(), &Address::family);
    if (source == sources.end())
        return fail(Errc::unavailable,
                    fmt::format("there is no source address for {}", destination.to_string()));
    auto bound = bind_to(fd.get(), *source);
    if (!bound) return fail(std::move(bound.error()));
    return fd;
}

Task<Expected<std::unique_ptr<Socket>>> connect(Loop& loop, std::span<const Address> addresses,
                                                Deadline deadline,
                                                std::span<const Address> sources) {
    const std::vector<Address> all(addresses.begin(), addresses.end());
    const std::vector<Address> from(sources.begin(), sources.end());
    Error last;
    last.code = Errc::unavailable;
    last.what = "there is no address to connect to";
    for (const Address& address : all) {
        auto socket = co_await connect_one(loop, address, from, deadline);
        if (socket) co_return socket;
        last = std::move(socket.error());
    }
    co_return fail(std::move(last));
}

}  // namespace hawker::net
