// Bytes between two sockets without looking at them: splice(2), socket to pipe to socket, no copy
// into the process.
#include "daemon/net/socket_state.h"
#include "daemon/net/tunnel_course.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hawker::net {

namespace {

constexpr std::size_t kWidePipe = 1U << 20U;  // bytes; the kernel may allow less
// An unprivileged user gets 64 MiB of pipes in all, and then only tiny ones: a wide pipe goes to
// who moves much, and a quiet direction gives its pipe back.
constexpr std::uint64_t kMuch = 256ULL << 10U;
constexpr Deadline kKeepPipe{1'000};

// SPLICE_F_MORE is left out on purpose: it corks, and the last bytes of every burst would wait for
// 200 ms.
constexpr unsigned kSpliceFlags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

struct Pipe {
    UniqueFd read_end;
    UniqueFd write_end;
    std::uint64_t carried = 0;
    bool is_wide = false;
};

Expected<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC) != 0)
        return fail(system_error(errno, "make a tunnel's pipe"));
    Pipe pipe;
    pipe.read_end = UniqueFd(ends[0]);
    pipe.write_end = UniqueFd(ends[1]);
    return pipe;
}

bool is_reset(const Socket::State& state) {
    pollfd polled{};
    polled.fd = state.fd.get();  // errors and hang-ups are told unasked
    return ::poll(&polled, 1, 0) == 1;
}

// One direction.
class Pump {
public:
    Pump(Socket& from, Socket& to, Course& course, std::uint64_t& bytes)
        : from_(from.state()), to_(to.state()), far_(to), course_(course), bytes_(bytes) {}

    // One direction's failure ends both: half a broken tunnel is of no use to anybody.
    Task<Expected<void>> run() {
        const Claim reading(from_.read_side);
        const Claim writing(to_.write_side);
        auto ended = co_await move_all();
        if (ended) ended = co_await stand_by();
        if (course_.deaf == &far_) {
            leave();
        } else if (!ended) {
            from_.close();
            to_.close();
        }
        co_return ended;
    }

private:
    Task<Expected<void>> move_all() {
        for (;;) {
            auto filled = co_await fill();
            if (!filled) co_return fail(std::move(filled.error()));
            if (*filled == 0) co_return Expected<void>();
            course_.note();
            auto emptied = co_await empty(*filled);
            if (!emptied) co_return emptied;
        }
    }

    // Bytes that are in the pipe now; 0 at the end of the stream.
    Task<Expected<std::size_t>> fill() {
        for (;;) {
            if (from_.closed) co_return fail(Errc::closed, "the tunnel was closed");
            if (!pipe_.read_end) {
                // The first byte asks for a pipe.
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
                                             nullptr, kWidePipe, kSpliceFlags);
                if (got >= 0) co_return static_cast<std::size_t>(got);
            }
            if (errno == EINTR) continue;
            if (errno != EAGAIN)
                co_return fail(Errc::closed, system_error(errno, "read from the tunnel").what);
            auto ready = co_await wait_for_bytes();
            if (!ready) co_return fail(std::move(ready.error()));
        }
    }

    Task<Expected<void>> empty(std::size_t left) {
        while (left > 0) {
            if (to_.closed) co_return fail(Errc::closed, "the tunnel was closed");
            const ssize_t put =
                ::splice(pipe_.read_end.get(), nullptr, to_.fd.get(), nullptr, left, kSpliceFlags);
            if (put > 0) {
                account(static_cast<std::uint64_t>(put));
                left -= static_cast<std::size_t>(put);
                co_await Turn(to_, static_cast<std::uint64_t>(put));
                continue;
            }
            if (put < 0 && errno == EINTR) continue;
            if (put == 0 || errno != EAGAIN) {
                course_.deaf = &far_;
                co_return fail(Errc::closed, system_error(errno, "write to the tunnel").what);
            }
            auto ready = co_await wait(to_, to_.write_side);
            if (!ready) co_return ready;
        }
        if (!pipe_.is_wide && pipe_.carried >= kMuch) {
            pipe_.is_wide = true;  // or was refused: not asked again
            ::fcntl(pipe_.write_end.get(), F_SETPIPE_SZ, static_cast<int>(kWidePipe));
        }
        co_return Expected<void>();
    }

    void account(std::uint64_t put) {
        course_.note();
        bytes_ += put;
        pipe_.carried += put;
    }

    // The stream has ended and the other direction may go on for long. A reset of the side that
    // ended is looked for here: nobody else reads from it.
    Task<Expected<void>> stand_by() {
        to_.end_writing();
        pipe_ = Pipe();
        leave();
        while (course_.running > 0) {
            if (is_reset(from_)) co_return fail(Errc::closed, "one side of the tunnel was reset");
            auto ready = co_await wait(from_, from_.read_side);
            if (!ready) co_return ready;
        }
        co_return Expected<void>();
    }

    void leave() {
        --course_.running;
        to_.nudge(to_.read_side);  // the other direction, if it stands by already
    }

    // The pipe is empty whenever this is called.
    Task<Expected<void>> wait_for_bytes() {
        if (pipe_.read_end) {
            const Deadline some = std::min(kKeepPipe, course_.left());
            const Wakened outcome = co_await Wait(from_, from_.read_side, some);
            if (outcome == Wakened::ready) co_return Expected<void>();
            pipe_ = Pipe();
        }
        auto ready = co_await wait(from_, from_.read_side);
        co_return ready;
    }

    // Until ready; the idle deadline starts anew whenever the other direction has moved meanwhile.
    Task<Expected<void>> wait(Socket::State& state, Side& side) {
        for (;;) {
            const Wakened outcome = co_await Wait(state, side, course_.left());
            if (outcome == Wakened::timed_out && course_.left() > Deadline(0)) continue;
            co_return to_expected(outcome, "either side of a tunnel to move");
        }
    }

    Socket::State& from_;
    Socket::State& to_;
    const Socket& far_;
    Course& course_;
    std::uint64_t& bytes_;
    Pipe pipe_;
};

}  // namespace

Task<Expected<void>> tunnel(Socket& left, Socket& right, Deadline idle, TunnelBytes& bytes,
                            Pace* pace) {
    Course course;
    course.idle = idle;
    // Where the kernel alone sees the bytes, nobody can count them in time.
    const bool is_plain = !left.is_tls() && !right.is_tls() && !pace;
    Pump to_right(left, right, course, bytes.to_right);
    Pump to_left(right, left, course, bytes.to_left);
    Task<Expected<void>> rightwards =
        is_plain ? to_right.run() : pump_by_copying(left, right, course, bytes.to_right, pace);
    Task<Expected<void>> leftwards =
        is_plain ? to_left.run() : pump_by_copying(right, left, course, bytes.to_left, pace);
    auto first = co_await rightwards;
    auto second = co_await leftwards;
    // The direction that only noticed the close of the other's failure says `closed`; the cause is
    // the other one.
    if (!first && first.error().code != Errc::closed) co_return first;
    if (!second) co_return second;
    co_return first;
}

}  // namespace hawker::net
