#include "daemon/net/listener.h"

#include "base/executor.h"
#include "daemon/net/socket_state.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace hawker::net {

namespace {

constexpr int kBacklog = 4096;
// Without descriptors accept() would fail again at once; somebody has to go first.
constexpr std::chrono::milliseconds kPauseWhenExhausted{50};
constexpr Deadline kForever = std::chrono::hours(24 * 365);

void set_option(int fd, int level, int option) {
    const int on = 1;
    setsockopt(fd, level, option, &on, sizeof(on));
}

// A socket file that nobody answers on is left over from a process that was killed.
void remove_stale_socket_file(const Address& address) {
    const auto* path = reinterpret_cast<const sockaddr_un*>(address.get())->sun_path;
    struct stat status{};
    if (::lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) return;
    const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(probe.get(), address.get(), address.length()) != 0 && errno == ECONNREFUSED)
        ::unlink(path);
}

Expected<UniqueFd> bind_and_listen(const Address& address) {
    UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const std::string where = fmt::format("listen on {}", address.to_string());
    if (!fd) return fail(system_error(errno, where));
    if (address.family() == AF_UNIX) {
        remove_stale_socket_file(address);
    } else {
        set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR);
        set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT);
    }
    if (address.family() == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY);
    if (::bind(fd.get(), address.get(), address.length()) != 0 || ::listen(fd.get(), kBacklog) != 0)
        return fail(Errc::invalid, system_error(errno, where).what);
    return fd;
}

}  // namespace

// A listening descriptor waits like any other: its readiness is a connection's arrival.
struct Listener::State {
    State(Loop& loop, UniqueFd fd)
        : socket(loop, std::move(fd)), spare(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {}
    Socket socket;
    UniqueFd
        spare;  // given up for a moment to shed a connection when there is no other descriptor left
};

Listener::Listener(std::unique_ptr<State> state) : state_(std::move(state)) {}
Listener::~Listener() = default;

Expected<std::unique_ptr<Listener>> Listener::open(Loop& loop, const Address& address) {
    auto fd = bind_and_listen(address);
    if (!fd) return fail(std::move(fd.error()));
    return adopt(loop, std::move(*fd));
}

Expected<std::unique_ptr<Listener>> Listener::adopt(Loop& loop, UniqueFd fd) {
    ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    auto state = std::make_unique<State>(loop, std::move(fd));
    return std::unique_ptr<Listener>(
        new Listener(std::move(state)));  // NOLINT: the constructor is private
}

Task<Expected<std::unique_ptr<Socket>>> Listener::accept() {
    Socket::State& state = state_->socket.state();
    for (;;) {
        if (state.closed) co_return fail(Errc::closed, "the listener was closed");
        UniqueFd fd(::accept4(state.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (fd) {
            set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY);
            co_return std::make_unique<Socket>(state.loop, std::move(fd));
        }
        const int problem = errno;
        if (problem == EMFILE || problem == ENFILE) {
            state_->spare.reset();
            UniqueFd(::accept4(state.fd.get(), nullptr, nullptr, SOCK_CLOEXEC))
                .reset();  // told by a close, not a hang
            state_->spare = UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
            co_await sleep_on(state.loop, kPauseWhenExhausted);
            co_return fail(system_error(problem, "accept a connection"));
        }
        if (problem != EAGAIN) continue;  // the connection died in the queue (accept(2))
        const Wakened outcome = co_await Wait(state, state.read_side, kForever);
        auto ready = to_expected(outcome, "a connection");
        if (!ready && ready.error().code == Errc::closed) co_return fail(std::move(ready.error()));
    }
}

void Listener::close() { state_->socket.close(); }

Address Listener::address() const {
    sockaddr_storage storage{};
    socklen_t length = sizeof(storage);
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    if (::getsockname(state_->socket.fd(), address, &length) != 0) return Address();
    return Address(address, length);
}

}  // namespace hawker::net
