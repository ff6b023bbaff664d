// Bytes between two sockets without looking at them: splice(2), socket to pipe to socket, no copy
// into the process.
#include "base/clock.h"
#include "daemon/net/socket.h"
#include "daemon/net/socket_state.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hawker::net {

namespace {

constexpr std::size_t kPipe = 1U << 20U;  // bytes; the kernel may allow less

struct Pipe {
    UniqueFd read_end;
    UniqueFd write_end;
};

Expected<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0)
        return fail(system_error(errno, "make a tunnel's pipe"));
    Pipe pipe;
    pipe.read_end = UniqueFd(ends[0]);
    pipe.write_end = UniqueFd(ends[1]);
    ::fcntl(pipe.write_end.get(), F_SETPIPE_SZ, static_cast<int>(kPipe));
    return pipe;
}

// Both directions: whoever moved last keeps the tunnel alive for both.
struct Activity {
    Deadline idle{0};
    SteadyTime last = std::chrono::steady_clock::now();

    void note() { last = std::chrono::steady_clock::now(); }
    Deadline left() const {
        return std::chrono::ceil<Deadline>(last + idle - std::chrono::steady_clock::now());
    }
};

class Pump {
public:
    Pump(Socket& from, Socket& to, Activity& activity, std::uint64_t& bytes)
        : from_(from.state()),
          to_(to.state()),
          to_socket_(to),
          activity_(activity),
          bytes_(bytes) {}

    Task<Expected<void>> run() {
        for (;;) {
            auto filled = co_await fill();
            if (!filled) co_return fail(std::move(filled.error()));
            if (*filled == 0) break;
            auto emptied = co_await empty(*filled);
            if (!emptied) co_return emptied;
        }
        to_socket_.shutdown_write();
        co_return Expected<void>();
    }

private:
    // Bytes that are in the pipe now; 0 at the end of the stream.
    Task<Expected<std::size_t>> fill() {
        for (;;) {
            if (from_.closed) co_return fail(Errc::closed, "the tunnel was closed");
            if (!pipe_.read_end) {
                // An idle tunnel holds no pipe: the first byte asks for it.
                std::byte peeked{};
                const ssize_t there = ::recv(from_.fd.get(), &peeked, 1, MSG_PEEK);
                if (there == 0) co_return std::size_t{0};
                if (there > 0) {
                    auto made = make_pipe();
                    if (!made) co_return fail(std::move(made.error()));
                    pipe_ = std::move(*made);
                    continue;
                }
            } else {
                const ssize_t got = ::splice(from_.fd.get(), nullptr, pipe_.write_end.get(),
                                             nullptr, kPipe, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
                if (got >= 0) co_return static_cast<std::size_t>(got);
            }
            if (errno == EINTR) continue;
            if (errno != EAGAIN)
                co_return fail(Errc::closed, system_error(errno, "read from the tunnel").what);
            auto ready = co_await wait(from_, from_.read_side);
            if (!ready) co_return fail(std::move(ready.error()));
        }
    }

    Task<Expected<void>> empty(std::size_t left) {
        activity_.note();
        while (left > 0) {
            if (to_.closed) co_return fail(Errc::closed, "the tunnel was closed");
            const ssize_t put = ::splice(pipe_.read_end.get(), nullptr, to_.fd.get(), nullptr, left,
                                         SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE);
            if (put > 0) {
                activity_.note();
                bytes_ += static_cast<std::uint64_t>(put);
                left -= static_cast<std::size_t>(put);
                continue;
            }
            if (put < 0 && errno == EINTR) continue;
            if (put == 0 || errno != EAGAIN)
                co_return fail(Errc::closed, system_error(errno, "write to the tunnel").what);
            auto ready = co_await wait(to_, to_.write_side);
            if (!ready) co_return ready;
        }
        co_return Expected<void>();
    }

    // Until ready; the idle deadline starts anew whenever the other direction has moved meanwhile.
    Task<Expected<void>> wait(Socket::State& state, Side& side) {
        for (;;) {
            const Wakened outcome = co_await Wait(state, side, activity_.left());
            if (outcome == Wakened::timed_out && activity_.left() > Deadline(0)) continue;
            co_return to_expected(outcome, "either side of a tunnel to move");
        }
    }

    Socket::State& from_;
    Socket::State& to_;
    Socket& to_socket_;
    Activity& activity_;
    std::uint64_t& bytes_;
    Pipe pipe_;
};

// One direction's failure ends both: half a broken tunnel is of no use to anybody.
Task<Expected<void>> run_direction(Pump& pump, Socket& left, Socket& right) {
    auto ended = co_await pump.run();
    if (!ended) {
        left.close();
        right.close();
    }
    co_return ended;
}

}  // namespace

Task<Expected<void>> tunnel(Socket& left, Socket& right, Deadline idle, TunnelBytes& bytes) {
    Activity activity;
    activity.idle = idle;
    Pump to_right(left, right, activity, bytes.to_right);
    Pump to_left(right, left, activity, bytes.to_left);
    Task<Expected<void>> rightwards = run_direction(to_right, left, right);
    Task<Expected<void>> leftwards = run_direction(to_left, left, right);
    auto first = co_await rightwards;
    auto second = co_await leftwards;
    // The direction that only noticed the close of the other's failure says `closed`; the cause is
    // the other one.
    if (!first && first.error().code != Errc::closed) co_return first;
    if (!second) co_return second;
    co_return first;
}

}  // namespace hawker::net
