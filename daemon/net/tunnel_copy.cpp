#include "daemon/net/tunnel_course.h"

#include <algorithm>
#include <array>
#include <memory>

namespace hawker::net {

namespace {

constexpr std::size_t kRun = 64UL * 1024;

// Until there is something to read; a quiet direction holds no buffer.
Task<Expected<void>> wait_for_bytes(Socket& from, const Course& course) {
    for (;;) {
        auto ready = co_await from.readable(course.left(), "either side of a tunnel to move");
        const bool is_kept_alive =
            !ready && ready.error().code == Errc::timed_out && course.left() > Deadline(0);
        if (!is_kept_alive) co_return ready;
    }
}

// The bytes that were there, moved on; 0 at the end of the stream.
Task<Expected<std::size_t>> move_some(Socket& from, Socket& to, Course& course, Pace* pace) {
    const auto buffer = std::make_unique_for_overwrite<std::array<std::byte, kRun>>();
    const std::size_t most = pace ? std::min<std::uint64_t>(kRun, pace->quantum()) : kRun;
    auto got = co_await from.read(std::span(*buffer).first(most), course.idle,
                                  "either side of a tunnel to move");
    if (!got) co_return fail(std::move(got.error()));
    if (*got == 0) co_return std::size_t{0};
    if (pace) co_await pace->before(*got);
    const std::array<std::span<const std::byte>, 1> parts = {std::span(*buffer).first(*got)};
    auto put = co_await to.write(parts, course.idle);
    if (!put) {
        if (put.error().code != Errc::timed_out) course.deaf = &to;
        co_return fail(std::move(put.error()));
    }
    co_return *got;
}

Task<Expected<void>> move_all(Socket& from, Socket& to, Course& course, std::uint64_t& bytes,
                              Pace* pace) {
    for (;;) {
        auto ready = co_await wait_for_bytes(from, course);
        if (!ready) co_return ready;
        auto moved = co_await move_some(from, to, course, pace);
        if (!moved) co_return fail(std::move(moved.error()));
        if (*moved == 0) co_return Expected<void>();
        bytes += *moved;
        course.note();
    }
}

}  // namespace

Task<Expected<void>> pump_by_copying(Socket& from, Socket& to, Course& course, std::uint64_t& bytes,
                                     Pace* pace) {
    auto ended = co_await move_all(from, to, course, bytes, pace);
    if (ended) {
        co_await to.shutdown_write(course.idle);
    } else if (course.deaf != &to) {
        from.close();
        to.close();
    }
    co_return ended;
}

}  // namespace hawker::net
