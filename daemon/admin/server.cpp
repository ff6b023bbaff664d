#include "daemon/admin/server.h"

#include "base/task_group.h"
#include "daemon/admin/answer.h"
#include "daemon/http/request_parser.h"
#include "daemon/net/loop.h"
#include "daemon/net/socket.h"

#include <algorithm>
#include <set>
#include <utility>

namespace hawker::admin {

namespace {

using namespace std::chrono_literals;

constexpr net::Deadline kReadDeadline = 10s;
constexpr net::Deadline kWriteDeadline = 30s;
constexpr net::Deadline kExchangeDeadline = kReadDeadline + kWriteDeadline;
constexpr net::Deadline kLastExchanges = 1s;  // when the server stops
constexpr auto kAcceptPause = 100ms;  // after a failed accept: whatever is wrong, do not spin on it
constexpr std::size_t kMostConnections = 64;
constexpr std::size_t kHeadBytes = 8192;

http::HeadLimits head_limits() {
    http::HeadLimits limits;
    limits.head_bytes = kHeadBytes;
    limits.request_line_bytes = kHeadBytes;
    limits.field_bytes = kHeadBytes;
    return limits;
}

// What arrived: a head, or the answer to something that is none.
struct Received {
    std::optional<http::RequestHead> head;
    Answer refusal;
};

Task<Expected<Received>> receive(net::Socket& socket) {
    Received received;
    std::vector<std::byte> buffer(kHeadBytes);
    std::size_t filled = 0;
    for (;;) {
        const std::span<std::byte> room = std::span(buffer).subspan(filled);
        const auto got = co_await socket.read(room, kReadDeadline, "an admin request");
        if (!got) co_return fail(got.error());
        if (*got == 0)
            co_return fail(Errc::closed, "the client left before its request was complete");
        filled += *got;
        auto parsed = http::parse_request_head(std::span(buffer).first(filled), head_limits());
        if (!parsed) {
            received.refusal.status = parsed.error().status;
            received.refusal.body = parsed.error().sentence + '\n';
            co_return received;
        }
        if (*parsed) {
            received.head = std::move((*parsed)->head);
            co_return received;
        }
        if (filled < buffer.size()) continue;
        received.refusal.status = 431;
        received.refusal.body = "The request head is too large.\n";
        co_return received;
    }
}

Peer peer_of(const net::Socket& socket) {
    const net::Address address = socket.peer();
    return address.is_loopback() || address.family() == AF_UNIX ? Peer::local : Peer::remote;
}

}  // namespace

struct Server::State {
    State(net::Loop& loop_, std::unique_ptr<net::Listener> listener_, Terms terms_,
          Backend& backend_, const Log& log_)
        : loop(loop_),
          listener(std::move(listener_)),
          terms(std::move(terms_)),
          backend(backend_),
          log(log_),
          tasks(loop_) {}

    class Open;

    bool admits(const net::Socket& socket) const;

    Task<void> accept_all();
    Task<void> serve(std::unique_ptr<net::Socket> socket);

    net::Loop& loop;
    std::unique_ptr<net::Listener> listener;
    Terms terms;
    Backend& backend;
    const Log& log;
    bool stopping = false;
    std::set<net::Socket*> open;
    TaskGroup tasks;
};

// Known for as long as it is served.
class Server::State::Open {
public:
    Open(State& state, net::Socket& socket) : state_(state), socket_(&socket) {
        state_.open.insert(socket_);
    }
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;
    ~Open() { state_.open.erase(socket_); }

private:
    State& state_;
    net::Socket* socket_;
};

bool Server::State::admits(const net::Socket& socket) const {
    const net::Address client = socket.peer();
    if (terms.clients.empty() || client.family() == AF_UNIX) return true;
    return std::ranges::any_of(terms.clients,
                               [&](const net::Cidr& network) { return network.contains(client); });
}

Task<void> Server::State::accept_all() {
    while (!stopping) {
        auto accepted = co_await listener->accept();
        if (accepted && tasks.running() <= kMostConnections && admits(**accepted))
            tasks.spawn(serve(std::move(*accepted)));
        if (accepted) continue;
        if (accepted.error().code == Errc::closed) co_return;
        log.warn("admin: {}", accepted.error().what);
        co_await sleep_on(loop, kAcceptPause);
    }
}

Task<void> Server::State::serve(std::unique_ptr<net::Socket> socket) {
    const Terms now = terms;  // set_terms() is for the connections to come
    // All of it: a peer that sends a byte now and then must not hold up a drain.
    const Open entry(*this, *socket);
    net::Timer patience(loop, [&socket] { socket->close(); });
    patience.set(kExchangeDeadline);
    if (now.tls) {
        const net::TlsTerms own_identity;
        const std::span<const std::byte> none;  // has arrived early
        const auto session =
            co_await socket->accept_tls(now.tls, own_identity, none, kReadDeadline);
        if (!session) {
            log.debug("admin: TLS handshake: {}", session.error().what);
            co_return;
        }
    }
    auto received = co_await receive(*socket);
    if (!received) co_return;  // nobody to tell
    Answer reply = std::move(received->refusal);
    Body body = Body::sent;
    if (received->head) {
        body = received->head->method == "HEAD" ? Body::omitted : Body::sent;
        const Asker asker(peer_of(*socket), now.hosts);
        auto answered = co_await answer(*received->head, asker, backend);
        reply = std::move(answered);
    }
    const std::string text = serialize(reply, body);
    const auto written = co_await socket->write(text, kWriteDeadline);
    if (!written) log.debug("admin: {}", written.error().what);
    co_await socket->shutdown_write(kWriteDeadline);
}

std::unique_ptr<Server> Server::serve(net::Loop& loop, std::unique_ptr<net::Listener> listener,
                                      Terms terms, Backend& backend, const Log& log) {
    auto state = std::make_unique<State>(loop, std::move(listener), std::move(terms), backend, log);
    State* const running = state.get();
    loop.post([running] { running->tasks.spawn(running->accept_all()); });
    return std::unique_ptr<Server>(
        new Server(std::move(state)));  // NOLINT: the constructor is private
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() = default;

void Server::set_terms(Terms terms) { state_->terms = std::move(terms); }

Task<void> Server::stop() {
    state_->stopping = true;
    state_->listener->close();
    net::Timer patience(state_->loop, [this] {
        for (net::Socket* const socket : state_->open) socket->close();
    });
    patience.set(kLastExchanges);
    co_await state_->tasks.drained();
}

}  // namespace hawker::admin
