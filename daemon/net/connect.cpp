#include "daemon/net/socket.h"
#include "daemon/net/socket_state.h"

#include <cerrno>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace hawker::net {

namespace {

Expected<UniqueFd> begin_connecting(const Address& address, bool& in_progress) {
    UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return fail(system_error(errno, "make a socket"));
    const int on = 1;
    if (address.family() != AF_UNIX)
        setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    in_progress = false;
    if (::connect(fd.get(), address.get(), address.length()) == 0) return fd;
    in_progress = errno == EINPROGRESS;
    if (in_progress) return fd;
    return fail(Errc::unavailable,
                system_error(errno, fmt::format("connect to {}", address.to_string())).what);
}

Task<Expected<std::unique_ptr<Socket>>> connect_one(Loop& loop, Address address,
                                                    Deadline deadline) {
    bool in_progress = false;
    auto fd = begin_connecting(address, in_progress);
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

Task<Expected<std::unique_ptr<Socket>>> connect(Loop& loop, std::span<const Address> addresses,
                                                Deadline deadline) {
    const std::vector<Address> all(addresses.begin(), addresses.end());
    Error last;
    last.code = Errc::unavailable;
    last.what = "there is no address to connect to";
    for (const Address& address : all) {
        auto socket = co_await connect_one(loop, address, deadline);
        if (socket) co_return socket;
        last = std::move(socket.error());
    }
    co_return fail(std::move(last));
}

}  // namespace hawker::net
