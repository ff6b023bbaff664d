#include "daemon/net/listener.h"

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
constexpr Deadline kPause{50};
constexpr std::uint64_t kConnectionsPerTurn = 64;  // then those that are here get their turn
constexpr Deadline kForever = std::chrono::hours(24 * 365);
// What a connection may have waiting in the kernel beyond what is on its way. Without a bound a
// client that reads nothing pins a whole send buffer, up to 4 MiB, and two thousand of them take
// all of TCP's memory on the machine from everybody else (net.ipv4.tcp_mem).
constexpr int kMostUnsent = 256 * 1024;

void set_option(int fd, int level, int option) {
    const int on = 1;
    setsockopt(fd, level, option, &on, sizeof(on));
}

// Each connection that is accepted has it from its listener; a Unix socket has none.
void bound_unsent(int fd) {
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kMostUnsent, sizeof(kMostUnsent));
}

bool is_out_of_resources(int problem) {
    return problem == EMFILE || problem == ENFILE || problem == ENOBUFS || problem == ENOMEM;
}

// The connection died in the queue, or its network did (accept(2)): the next one may be fine.
bool concerns_one_connection(int problem) {
    switch (problem) {
        case EINTR:
        case ECONNABORTED:
        case EPROTO:
        case EPERM:  // a firewall's word
        case ENOPROTOOPT:
        case ENETDOWN:
        case EHOSTDOWN:
        case ENONET:
        case EHOSTUNREACH:
        case ENETUNREACH:
            return true;
        default:
            return false;
    }
}

UniqueFd open_spare() { return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

Address name_of(int fd) {
    sockaddr_storage storage{};
    socklen_t length = sizeof(storage);
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    if (::getsockname(fd, address, &length) != 0) return Address();
    return Address(address, length);
}

// A socket file that nobody answers on is left over from a process that was killed.
void remove_stale_socket_file(const Address& address) {
    const auto* path = reinterpret_cast<const sockaddr_un*>(address.get())->sun_path;
    struct stat status{};
    if (::lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) return;
    const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (probe && ::connect(probe.get(), address.get(), address.length()) != 0 &&
        errno == ECONNREFUSED)
        ::unlink(path);
}

// Before bind(2), so that the file is never more open than asked: bind takes the socket's own mode,
// less the umask. What the umask took away is given back afterwards.
Expected<void> bind_with_mode(int fd, const Address& address, unsigned mode) {
    const auto* path = reinterpret_cast<const sockaddr_un*>(address.get())->sun_path;
    if (::fchmod(fd, mode) != 0 || ::bind(fd, address.get(), address.length()) != 0 ||
        ::chmod(path, mode) != 0)
        return fail(system_error(errno, fmt::format("listen on {}", address.to_string())));
    return {};
}

std::string in_use(const std::string& where) {
    const int number = errno;
    std::string problem = system_error(number, where).what;
    if (number != EADDRINUSE) return problem;
    return problem + ". Who has it says `ss -ltnp`: stop that one, or listen elsewhere";
}

Expected<UniqueFd> bind_and_listen(const Address& address, std::optional<unsigned> mode) {
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
    if (mode && address.family() == AF_UNIX) {
        if (const auto bound = bind_with_mode(fd.get(), address, *mode); !bound)
            return fail(Errc::invalid, bound.error().what);
    } else if (::bind(fd.get(), address.get(), address.length()) != 0) {
        return fail(Errc::invalid, in_use(where));
    }
    if (::listen(fd.get(), kBacklog) != 0)
        return fail(Errc::invalid, system_error(errno, where).what);
    return fd;
}

}  // namespace

// A listening descriptor waits like any other: its readiness is a connection's arrival.
struct Listener::State {
    State(Loop& loop, UniqueFd fd)
        : address(name_of(fd.get())), socket(loop, std::move(fd)), spare(open_spare()) {}

    Address address;
    Socket socket;
    UniqueFd spare;

    // Gives up the spare descriptor for a moment: whoever is first in the queue hears a close, not
    // silence.
    void shed_one() {
        spare.reset();
        UniqueFd(::accept4(socket.fd(), nullptr, nullptr, SOCK_CLOEXEC)).reset();
        spare = open_spare();
    }
};

Listener::Listener(std::unique_ptr<State> state) : state_(std::move(state)) {}
Listener::~Listener() = default;

// Without SO_REUSEPORT an address is refused that anybody listens on, with it or not (socket(7)).
Expected<void> Listener::check_is_free(const Address& address) {
    if (address.family() == AF_UNIX) return {};
    const UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return {};
    set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR);
    if (address.family() == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY);
    if (::bind(fd.get(), address.get(), address.length()) == 0) return {};
    return fail(Errc::invalid, in_use(fmt::format("listen on {}", address.to_string())));
}

Expected<std::unique_ptr<Listener>> Listener::open(Loop& loop, const Address& address,
                                                   std::optional<unsigned> mode) {
    auto fd = bind_and_listen(address, mode);
    if (!fd) return fail(std::move(fd.error()));
    return adopt(loop, std::move(*fd));
}

Expected<std::unique_ptr<Listener>> Listener::adopt(Loop& loop, UniqueFd fd) {
    ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
    bound_unsent(fd.get());
    auto state = std::make_unique<State>(loop, std::move(fd));
    return std::unique_ptr<Listener>(
        new Listener(std::move(state)));  // NOLINT: the constructor is private
}

Task<Expected<std::unique_ptr<Socket>>> Listener::accept() {
    Socket::State& state = state_->socket.state();
    const Claim claim(state.read_side);
    for (;;) {
        if (state.closed) co_return fail(Errc::closed, "the listener was closed");
        UniqueFd fd(::accept4(state.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (fd) {
            set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY);
            co_await Turn(state, kTurnBytes / kConnectionsPerTurn);
            co_return std::make_unique<Socket>(state.loop, std::move(fd));
        }
        const int problem = errno;
        if (concerns_one_connection(problem)) continue;
        if (problem != EAGAIN) {
            if (is_out_of_resources(problem)) state_->shed_one();
            // A listening socket is never writable: a pause that close() ends.
            co_await Wait(state, state.write_side, kPause);
            co_return fail(system_error(problem, "accept a connection"));
        }
        const Wakened outcome = co_await Wait(state, state.read_side, kForever);
        auto ready = to_expected(outcome, "a connection");
        if (!ready && ready.error().code == Errc::closed) co_return fail(std::move(ready.error()));
    }
}

// No shutdown(2): an adopted socket may be somebody else's too, and they go on listening.
void Listener::close() {
    Socket::State& state = state_->socket.state();
    state.end_waits();
    state.fd.reset();
}

Address Listener::address() const { return state_->address; }

}  // namespace hawker::net
