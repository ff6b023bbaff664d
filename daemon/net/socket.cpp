#include "daemon/net/socket.h"

#include "daemon/net/socket_state.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

namespace hawker::net {

namespace {

constexpr std::size_t kMostParts = 1024;  // IOV_MAX: sendmsg(2) refuses more

bool would_block(int error_number) { return error_number == EAGAIN || error_number == EWOULDBLOCK; }

void set_cork(int fd, int value) { setsockopt(fd, IPPROTO_TCP, TCP_CORK, &value, sizeof(value)); }

void time_out(Side& side) {
    side.outcome = Wakened::timed_out;
    if (const auto waiter = std::exchange(side.waiter, {})) waiter.resume();
}

std::coroutine_handle<> take_ready(Side& side) {
    side.ready = true;
    side.outcome = Wakened::ready;
    const auto waiter = std::exchange(side.waiter, {});
    if (waiter && side.timer) event_del(side.timer.get());
    return waiter;
}

// What is still to be sent. A head and its body need no room of their own.
class Iovecs {
public:
    explicit Iovecs(std::span<const std::span<const std::byte>> parts) {
        if (parts.size() > few_.size()) many_.resize(parts.size());
        const std::span<iovec> room = many_.empty() ? std::span<iovec>(few_) : many_;
        std::size_t count = 0;
        for (const auto part : parts)
            if (!part.empty()) room[count++] = {const_cast<std::byte*>(part.data()), part.size()};
        left = room.first(count);
    }
    Iovecs(const Iovecs&) = delete;
    Iovecs& operator=(const Iovecs&) = delete;

    std::span<iovec> left;

private:
    std::array<iovec, 4> few_;
    std::vector<iovec> many_;
};

// Takes `sent` bytes off the front.
void advance(std::span<iovec>& left, std::size_t sent) {
    while (!left.empty() && sent >= left.front().iov_len) {
        sent -= left.front().iov_len;
        left = left.subspan(1);
    }
    if (left.empty()) return;
    left.front().iov_base = static_cast<std::byte*>(left.front().iov_base) + sent;
    left.front().iov_len -= sent;
}

}  // namespace

void Socket::State::on_event(int /*fd*/, short what, void* argument) {
    auto* self = static_cast<State*>(argument);
    if ((what & EV_CLOSED) != 0) self->peer_ended = true;
    if ((what & (EV_READ | EV_CLOSED)) != 0) self->drained = false;
    // Both are taken before either goes on: the first may drop what the second's wait belongs to
    // only after it returned.
    const auto reader = (what & (EV_READ | EV_CLOSED)) != 0 ? take_ready(self->read_side)
                                                            : std::coroutine_handle<>();
    // libevent says no more than EV_CLOSED where the other side has shut down both directions.
    const auto writer = (what & (EV_WRITE | EV_CLOSED)) != 0 ? take_ready(self->write_side)
                                                             : std::coroutine_handle<>();
    if (reader) reader.resume();
    if (writer) writer.resume();
}

void Socket::State::on_read_timeout(int /*fd*/, short /*what*/, void* argument) {
    time_out(static_cast<State*>(argument)->read_side);
}

void Socket::State::on_write_timeout(int /*fd*/, short /*what*/, void* argument) {
    time_out(static_cast<State*>(argument)->write_side);
}

void Socket::State::nudge(Side& side) const {
    if (const auto waiter = take_ready(side)) loop.post([waiter] { waiter.resume(); });
}

void Socket::State::end_waits() {
    closed = true;
    event.reset();
    nudge(read_side);
    nudge(write_side);
}

void Socket::State::close() {
    if (closed) return;
    end_waits();
    // The descriptor itself stays open until the socket is dropped: a pending wait's owner may
    // still name it.
    if (!we_ended || !peer_ended) ::shutdown(fd.get(), SHUT_RDWR);
}

void Socket::State::end_writing() {
    if (!std::exchange(we_ended, true)) ::shutdown(fd.get(), SHUT_WR);
}

void Turn::await_suspend(std::coroutine_handle<> waiter) const {
    state_.moved = 0;
    state_.loop.post([waiter] { waiter.resume(); });
}

void Wait::await_suspend(std::coroutine_handle<> waiter) {
    assert(!side_.waiter && "one wait a side");
    state_.moved = 0;
    side_.waiter = waiter;
    if (!side_.timer) {
        const auto on_timeout = &side_ == &state_.read_side ? &Socket::State::on_read_timeout
                                                            : &Socket::State::on_write_timeout;
        side_.timer = make_event(state_.loop, -1, 0, on_timeout, &state_);
    }
    set_timeout(side_.timer.get(), deadline_);
}

Expected<void> to_expected(Wakened outcome, std::string_view waiting_for) {
    if (outcome == Wakened::ready) return {};
    if (outcome == Wakened::closed)
        return fail(Errc::closed, fmt::format("closed while waiting for {}", waiting_for));
    return fail(Errc::timed_out, fmt::format("timed out waiting for {}", waiting_for));
}

Socket::Socket(Loop& loop, UniqueFd fd) : state_(std::make_unique<State>(loop, std::move(fd))) {
    State& state = *state_;
    state.event =
        make_event(loop, state.fd.get(), EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST,
                   &State::on_event, &state);
    event_add(state.event.get(), nullptr);
}

Socket::~Socket() {
    if (!state_) return;
    assert(!state_->read_side.claimed && !state_->write_side.claimed &&
           "a socket outlives its awaits");
}

std::optional<Expected<std::size_t>> Socket::State::receive(std::span<std::byte> into,
                                                            std::string_view waiting_for) {
    while (!closed && read_side.ready) {
        const ssize_t got = ::recv(fd.get(), into.data(), into.size(), 0);
        const auto size = static_cast<std::size_t>(got);
        // What comes after a read that was not filled is announced by an event of its own; an end
        // that was announced already is not.
        if (got > 0) drained = size < into.size() && !peer_ended;
        if (got >= 0) return size;
        if (errno == EINTR) continue;
        if (!would_block(errno)) return fail(Errc::closed, system_error(errno, waiting_for).what);
        read_side.ready = false;
    }
    if (closed) return fail(Errc::closed, "the connection was closed");
    return std::nullopt;
}

std::optional<Expected<std::size_t>> Socket::read_now(std::span<std::byte> into,
                                                      std::string_view waiting_for) {
    assert(!into.empty() && "0 is the end of the stream");
    const Claim claim(state_->read_side);
    if (state_->tls) return state_->receive_tls(into);
    return state_->receive(into, waiting_for);
}

Task<Expected<std::size_t>> Socket::read(std::span<std::byte> into, Deadline deadline,
                                         std::string_view waiting_for) {
    assert(!into.empty() && "0 is the end of the stream");
    State& state = *state_;
    const Claim claim(state.read_side);
    if (state.tls) {
        auto got = co_await state.read_tls(into, deadline, waiting_for);
        co_return got;
    }
    for (;;) {
        auto got = state.receive(into, waiting_for);
        if (got && *got) co_await Turn(state, **got);
        if (got) co_return std::move(*got);
        const Wakened outcome = co_await Wait(state, state.read_side, deadline);
        auto ready = to_expected(outcome, waiting_for);
        if (!ready) co_return fail(std::move(ready.error()));
    }
}

std::optional<Expected<void>> Socket::State::look(std::string_view waiting_for) {
    while (!closed && read_side.ready) {
        std::byte peeked{};
        const ssize_t got = ::recv(fd.get(), &peeked, 1, MSG_PEEK);
        if (got >= 0) return Expected<void>();
        if (errno == EINTR) continue;
        if (!would_block(errno)) return fail(Errc::closed, system_error(errno, waiting_for).what);
        read_side.ready = false;
    }
    return std::nullopt;
}

bool Socket::Rest::await_ready() const {
    if (state_.closed) return true;
    // Not a byte is decrypted for a look: whatever came goes to who reads.
    if (state_.tls && state_.tls->has_read_ahead()) return true;
    if (state_.drained) return false;
    if (state_.tls) return state_.read_side.ready;
    return state_.look("the next bytes").has_value();
}

void Socket::Rest::await_suspend(std::coroutine_handle<> waiter) const {
    Side& side = state_.read_side;
    assert(!side.claimed && "one await a side");
    side.claimed = true;
    side.waiter = waiter;
    state_.moved = 0;
    side.timer.reset();
    if (!state_.write_side.waiter) state_.write_side.timer.reset();
}

void Socket::Rest::await_resume() const noexcept { state_.read_side.claimed = false; }

Task<Expected<void>> Socket::readable(Deadline deadline, std::string_view waiting_for) {
    State& state = *state_;
    const Claim claim(state.read_side);
    if (state.tls) {
        auto ready = co_await state.readable_tls(deadline, waiting_for);
        co_return ready;
    }
    auto seen = state.look(waiting_for);
    if (seen) co_return std::move(*seen);
    const Wakened outcome = co_await Wait(state, state.read_side, deadline);
    co_return to_expected(outcome, waiting_for);
}

Task<Expected<void>> Socket::write(std::span<const std::span<const std::byte>> parts,
                                   Deadline deadline, Follows follows) {
    State& state = *state_;
    const Claim claim(state.write_side);
    if (state.tls) {
        auto written = co_await state.write_tls(parts, deadline);
        co_return written;
    }
    const int flags = MSG_NOSIGNAL | (follows == Follows::more ? MSG_MORE : 0);
    Iovecs all(parts);
    std::span<iovec>& left = all.left;
    while (!left.empty()) {
        if (state.closed) co_return fail(Errc::closed, "the connection was closed");
        msghdr message{};
        message.msg_iov = left.data();
        message.msg_iovlen = std::min(left.size(), kMostParts);
        const ssize_t sent = ::sendmsg(state.fd.get(), &message, flags);
        if (sent >= 0) {
            advance(left, static_cast<std::size_t>(sent));
            co_await Turn(state, static_cast<std::uint64_t>(sent));
            continue;
        }
        if (errno == EINTR) continue;
        if (!would_block(errno)) co_return fail(Errc::closed, system_error(errno, "send").what);
        const Wakened outcome = co_await Wait(state, state.write_side, deadline);
        auto ready = to_expected(outcome, "the other side to take bytes");
        if (!ready) co_return ready;
    }
    co_return Expected<void>();
}

Task<Expected<void>> Socket::write(std::string_view text, Deadline deadline) {
    const std::array<std::span<const std::byte>, 1> parts = {std::as_bytes(std::span(text))};
    auto written = co_await write(parts, deadline);
    co_return written;
}

Task<Expected<void>> Socket::send_file(int file, std::uint64_t offset, std::uint64_t length,
                                       Deadline deadline, std::uint64_t& sent) {
    State& state = *state_;
    const Claim claim(state.write_side);
    auto position = static_cast<off_t>(offset);
    sent = 0;
    if (state.tls) {
        auto done = co_await state.send_file_tls(file, offset, length, deadline, sent);
        co_return done;
    }
    while (sent < length) {
        if (state.closed) co_return fail(Errc::closed, "the connection was closed");
        // Whole turns: what a head has moved before would shift every later call off the pages.
        const std::uint64_t most = std::min(length - sent, kTurnBytes);
        const ssize_t got = ::sendfile(state.fd.get(), file, &position, most);
        if (got == 0) co_return fail(Errc::corrupt, "a data file is shorter than its index says");
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && !would_block(errno)) {
            const Errc code = errno == EIO ? Errc::corrupt : Errc::closed;
            co_return fail(code, system_error(errno, "sendfile").what);
        }
        if (got < 0) {
            const Wakened outcome = co_await Wait(state, state.write_side, deadline);
            auto ready = to_expected(outcome, "the other side to take bytes");
            if (!ready) co_return ready;
            continue;
        }
        sent += static_cast<std::uint64_t>(got);
        co_await Turn(state, static_cast<std::uint64_t>(got));
    }
    co_return Expected<void>();
}

void Socket::cork() { set_cork(state_->fd.get(), 1); }
void Socket::uncork() { set_cork(state_->fd.get(), 0); }

Task<void> Socket::shutdown_write(Deadline deadline) {
    State& state = *state_;
    const Claim claim(state.write_side);
    // What was cut off stays so: a goodbye would make it look complete.
    if (state.closed) co_return;
    if (state.tls) co_await state.say_goodbye(deadline);
    state.end_writing();
}

void Socket::close() { state_->close(); }
void Socket::reset() {
    const linger now = {1, 0};
    ::setsockopt(state_->fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    if (!state_->closed) state_->end_waits();
}
bool Socket::is_closed() const { return state_->closed; }
Loop& Socket::loop() { return state_->loop; }
int Socket::fd() const { return state_->fd.get(); }

Address Socket::peer() const {
    sockaddr_storage storage{};
    socklen_t length = sizeof(storage);
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    if (::getpeername(state_->fd.get(), address, &length) != 0) return Address();
    return Address(address, length);
}

}  // namespace hawker::net
