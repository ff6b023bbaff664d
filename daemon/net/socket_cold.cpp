// Files that are not in memory: the pool waits for the disk.
#include "daemon/net/socket_state.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/sendfile.h>

namespace hawker::net {

namespace {

struct Trip {
    std::uint64_t sent = 0;
    int problem = 0;  // errno; 0: all of it went
    bool ended = false;
};

// As much as the socket takes now. On a thread that may wait.
Trip send_now(int socket, int file, std::uint64_t offset, std::uint64_t length,
              std::uint64_t ahead) {
    ::posix_fadvise(file, static_cast<off_t>(offset), static_cast<off_t>(length + ahead),
                    POSIX_FADV_WILLNEED);
    Trip trip;
    auto position = static_cast<off_t>(offset);
    while (trip.sent < length) {
        const ssize_t got = ::sendfile(socket, file, &position, length - trip.sent);
        if (got > 0) trip.sent += static_cast<std::uint64_t>(got);
        if (got > 0 || (got < 0 && errno == EINTR)) continue;
        trip.ended = got == 0;
        trip.problem = got < 0 ? errno : 0;
        break;
    }
    return trip;
}

}  // namespace

Task<Expected<void>> Socket::send_cold_file(Executor& pool, int file, std::uint64_t offset,
                                            std::uint64_t length, std::uint64_t ahead,
                                            Deadline deadline, std::uint64_t& sent) {
    State& state = *state_;
    const Claim claim(state.write_side);
    assert(!state.tls && "bytes are encrypted on the loop");
    sent = 0;
    while (sent < length) {
        if (state.closed) co_return fail(Errc::closed, "the connection was closed");
        // Room that is announced while the pool sends finds nobody waiting: then it tries again.
        state.write_side.ready = false;
        auto send = [&] {
            return send_now(state.fd.get(), file, offset + sent, length - sent,
                            sent == 0 ? ahead : 0);
        };
        const Trip trip = co_await offload(pool, state.loop, send);
        sent += trip.sent;
        state.moved = 0;
        if (trip.ended) co_return fail(Errc::corrupt, "a data file is shorter than its index says");
        if (trip.problem == 0) continue;
        if (trip.problem != EAGAIN && trip.problem != EWOULDBLOCK) {
            const Errc code = trip.problem == EIO ? Errc::corrupt : Errc::closed;
            co_return fail(code, system_error(trip.problem, "sendfile").what);
        }
        if (state.write_side.ready) continue;
        const Wakened outcome = co_await Wait(state, state.write_side, deadline);
        auto ready = to_expected(outcome, "the other side to take bytes");
        if (!ready) co_return ready;
    }
    co_return Expected<void>();
}

}  // namespace hawker::net
