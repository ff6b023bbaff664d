// The operations of a socket that speaks TLS: tried first, waited for after.
#include "daemon/net/socket_state.h"
#include "daemon/net/tls_connection.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace hawker::net {

namespace {

constexpr std::size_t kRecord = 16UL * 1024;  // RFC 8446 section 5.1: the most that one can carry

std::unexpected<Error> was_closed() { return fail(Errc::closed, "the connection was closed"); }

// What came of waiting for what a step asked for. After the handshake reading never has to wait
// for room to send (nor writing for bytes) but for a client that wants new keys and does not read.
std::unexpected<Error> is_stuck() {
    return fail(Errc::closed, "the other side's TLS waits for itself");
}

// All of an await's waits together: TLS may well move without any plaintext.
SteadyTime end_of(Deadline deadline) { return std::chrono::steady_clock::now() + deadline; }
Deadline left_until(SteadyTime end) {
    return std::chrono::ceil<Deadline>(end - std::chrono::steady_clock::now());
}

// Small parts are put together: one record carries a head and the body that fits behind it.
class Gathering {
public:
    explicit Gathering(std::span<const std::span<const std::byte>> parts) : parts_(parts) {}

    // What goes next; empty when all is gone. The same bytes again, or more, until taken.
    std::span<const std::byte> next(std::array<std::byte, kRecord>& room) {
        while (!parts_.empty() && used_ == parts_.front().size()) skip_part();
        if (parts_.empty()) return {};
        const auto front = parts_.front().subspan(used_);
        if (front.size() >= kRecord || parts_.size() == 1) return front;
        std::size_t size = 0;
        std::size_t offset = used_;
        for (const auto part : parts_) {
            const std::size_t fits = std::min(part.size() - offset, kRecord - size);
            std::copy_n(part.data() + offset, fits, room.data() + size);
            size += fits;
            offset = 0;
            if (size == kRecord) break;
        }
        return std::span(room).first(size);
    }
    void take(std::size_t bytes) {
        while (bytes > 0) {
            const std::size_t here = std::min(bytes, parts_.front().size() - used_);
            used_ += here;
            bytes -= here;
            if (used_ == parts_.front().size()) skip_part();
        }
    }

private:
    void skip_part() {
        parts_ = parts_.subspan(1);
        used_ = 0;
    }
    std::span<const std::span<const std::byte>> parts_;
    std::size_t used_ = 0;  // of the first
};

// Not in the coroutine: a waiting client holds no record's worth of memory.
Expected<Step> push(TlsConnection& tls, Gathering& left) {
    std::array<std::byte, kRecord> room;  // NOLINT: filled as far as it is used
    Step all;
    while (all.bytes < kTurnBytes) {
        const auto next = left.next(room);
        if (next.empty()) break;
        auto step = tls.write(next);
        if (!step) return step;
        left.take(step->bytes);
        all.bytes += step->bytes;
        all.waits = step->waits;
        if (step->waits != Waits::nothing) break;
    }
    return all;
}

}  // namespace

Task<Expected<TlsSession>> Socket::accept_tls(std::shared_ptr<const TlsServer> server,
                                              TlsTerms terms, std::span<const std::byte> early,
                                              Deadline deadline) {
    State& state = *state_;
    const Claim reading(state.read_side);
    const Claim writing(state.write_side);
    state.tls = std::make_unique<TlsConnection>(std::move(server), std::move(terms), early, state,
                                                std::move(state.tls));
    const SteadyTime end = end_of(deadline);
    for (;;) {
        if (state.closed) co_return was_closed();
        auto step = state.tls->shake_hands();
        if (!step) co_return fail(std::move(step.error()));
        if (step->waits == Waits::nothing) co_return state.tls->session();
        const Deadline left = left_until(end);
        if (left <= Deadline(0))
            co_return fail(Errc::timed_out, "timed out waiting for a TLS handshake");
        if (step->waits == Waits::turn) {
            co_await Turn(state, kTurnBytes);
            continue;
        }
        Side& side = step->waits == Waits::read ? state.read_side : state.write_side;
        const Wakened outcome = co_await Wait(state, side, left);
        auto ready = to_expected(outcome, "a TLS handshake");
        if (!ready) co_return fail(std::move(ready.error()));
    }
}

bool Socket::is_tls() const { return state_->tls != nullptr; }

Task<Expected<void>> Socket::State::wait_to_read(Waits what, SteadyTime end,
                                                 std::string_view waiting_for) {
    const Deadline left = left_until(end);
    Wakened outcome = left > Deadline(0) ? Wakened::ready : Wakened::timed_out;
    if (outcome == Wakened::ready && what == Waits::turn) co_await Turn(*this, kTurnBytes);
    if (outcome == Wakened::ready && what == Waits::read)
        outcome = co_await Wait(*this, read_side, left);
    co_return to_expected(outcome, waiting_for);
}

std::optional<Expected<std::size_t>> Socket::State::receive_tls(std::span<std::byte> into) {
    if (closed) return was_closed();
    auto step = tls->read(into);
    if (!step) return fail(std::move(step.error()));
    if (step->waits == Waits::write) return is_stuck();
    if (step->waits != Waits::nothing) return std::nullopt;
    return step->bytes;
}

Task<Expected<std::size_t>> Socket::State::read_tls(std::span<std::byte> into, Deadline deadline,
                                                    std::string_view waiting_for) {
    const SteadyTime end = end_of(deadline);
    for (;;) {
        if (closed) co_return was_closed();
        auto step = tls->read(into);
        if (!step) co_return fail(std::move(step.error()));
        if (step->waits == Waits::nothing) {
            co_await Turn(*this, step->bytes);
            co_return step->bytes;
        }
        if (step->waits == Waits::write) co_return is_stuck();
        auto ready = co_await wait_to_read(step->waits, end, waiting_for);
        if (!ready) co_return fail(std::move(ready.error()));
    }
}

Task<Expected<void>> Socket::State::readable_tls(Deadline deadline, std::string_view waiting_for) {
    const SteadyTime end = end_of(deadline);
    for (;;) {
        if (closed) co_return was_closed();
        auto step = tls->peek();
        if (!step) co_return fail(std::move(step.error()));
        if (step->waits == Waits::nothing) co_return Expected<void>();
        if (step->waits == Waits::write) co_return is_stuck();
        auto ready = co_await wait_to_read(step->waits, end, waiting_for);
        if (!ready) co_return ready;
    }
}

Task<Expected<void>> Socket::State::write_tls(std::span<const std::span<const std::byte>> parts,
                                              Deadline deadline) {
    Gathering left(parts);
    for (;;) {
        if (closed) co_return was_closed();
        auto step = push(*tls, left);
        if (!step) co_return fail(std::move(step.error()));
        if (step->waits == Waits::read) co_return is_stuck();
        if (step->bytes == 0 && step->waits == Waits::nothing) co_return Expected<void>();
        if (step->waits == Waits::nothing) {
            co_await Turn(*this, step->bytes);
            continue;
        }
        const Wakened outcome = co_await Wait(*this, write_side, deadline);
        auto ready = to_expected(outcome, "the other side to take bytes");
        if (!ready) co_return ready;
    }
}

Task<Expected<void>> Socket::State::send_file_tls(int file, std::uint64_t offset,
                                                  std::uint64_t length, Deadline deadline,
                                                  std::uint64_t& sent) {
    while (sent < length) {
        if (closed) co_return was_closed();
        const std::uint64_t most = std::min(length - sent, kTurnBytes - moved);
        auto step = tls->send_file(file, offset + sent, most);
        if (!step) co_return fail(std::move(step.error()));
        if (step->waits == Waits::read) co_return is_stuck();
        sent += step->bytes;
        if (step->waits == Waits::nothing) {
            co_await Turn(*this, step->bytes);
            continue;
        }
        const Wakened outcome = co_await Wait(*this, write_side, deadline);
        auto ready = to_expected(outcome, "the other side to take bytes");
        if (!ready) co_return ready;
    }
    co_return Expected<void>();
}

Task<void> Socket::State::say_goodbye(Deadline deadline) {
    for (Wakened outcome = Wakened::ready; !closed && outcome == Wakened::ready;) {
        const Step step = tls->say_goodbye();
        if (step.waits != Waits::write) co_return;
        outcome = co_await Wait(*this, write_side, deadline);
    }
}

}  // namespace hawker::net
