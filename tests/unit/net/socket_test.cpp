#include "daemon/net/socket.h"

#include "base/thread_pool.h"
#include "daemon/net/socket_state.h"
#include "tests/unit/net/on_loop.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace hawker::net {
namespace {

using SocketTest = OnLoop;

Task<bool> rested(Socket& socket) {
    co_await socket.rest();
    co_return true;
}

TEST_F(SocketTest, MoreThanTheKernelHoldsArrivesWhole) {
    auto pair = make_pair();
    const std::string sent = pattern(8U << 20U);
    run([](Socket& near, Socket& far, const std::string& text) -> Task<void> {
        Task<void> sending = send_all(far, text);
        const std::string got = co_await read_all(near);
        co_await sending;
        EXPECT_EQ(got, text);
    }(*pair.near, *pair.far, sent));
}

TEST_F(SocketTest, AReadThatGetsNothingTimesOutAndSaysWhatItWaitedFor) {
    auto pair = make_pair();
    run([](Socket& near) -> Task<void> {
        std::array<std::byte, 8> buffer{};
        auto got = co_await near.read(buffer, kShort, "a request head");
        EXPECT_FALSE(got);
        EXPECT_EQ(got.error().code, Errc::timed_out);
        EXPECT_NE(got.error().what.find("a request head"), std::string::npos);
    }(*pair.near));
}

TEST_F(SocketTest, WhatHasComeIsReadWithoutAWaitAndNothingTwice) {
    auto pair = make_pair();
    run([](Socket& near, Socket& far) -> Task<void> {
        std::array<std::byte, 8> buffer{};
        EXPECT_FALSE(near.read_now(buffer, "a byte"));
        co_await far.write("abc", kSoon);
        co_await near.readable(kSoon, "a byte");
        const auto got = near.read_now(buffer, "a byte");
        EXPECT_TRUE(got && *got && **got == 3);
        EXPECT_FALSE(near.read_now(buffer, "a byte"));
        co_await far.write("d", kSoon);
        const auto more = co_await near.read(buffer, kSoon, "one more");
        EXPECT_EQ(*more, 1U);
    }(*pair.near, *pair.far));
}

TEST_F(SocketTest, AnEndThatCameWithTheLastBytesIsRead) {
    auto pair = make_pair();
    run([](Socket& near, Socket& far) -> Task<void> {
        std::array<std::byte, 8> buffer{};
        co_await far.write("abc", kSoon);
        co_await far.shutdown_write(kSoon);
        const auto got = co_await near.read(buffer, kSoon, "the bytes");
        EXPECT_EQ(*got, 3U);
        const auto end = co_await near.read(buffer, kSoon, "the end");
        EXPECT_EQ(*end, 0U);
    }(*pair.near, *pair.far));
}

TEST_F(SocketTest, AResetThatCameWithTheLastBytesIsRead) {
    auto pair = make_tcp_pair();
    run([](Socket& near, std::unique_ptr<Socket> far) -> Task<void> {
        std::array<std::byte, 8> buffer{};
        Task<Expected<std::size_t>> reading = near.read(buffer, kSoon, "the bytes");
        co_await far->write("abc", kSoon);
        reset(std::move(far));
        const auto got = co_await reading;  // one event has told of both
        EXPECT_EQ(*got, 3U);
        const auto end = co_await near.read(buffer, kSoon, "the end");
        EXPECT_EQ(end.error().code, Errc::closed);
    }(*pair.near, std::move(pair.far)));
}

TEST_F(SocketTest, AWriteThatNobodyTakesTimesOut) {
    auto pair = make_pair();
    run([](Socket& near) -> Task<void> {
        const std::string much(16U << 20U, 'x');
        auto sent = co_await near.write(much, kShort);
        EXPECT_FALSE(sent);
        EXPECT_EQ(sent.error().code, Errc::timed_out);
    }(*pair.near));
}

TEST_F(SocketTest, ClosingEndsAPendingReadLaterNotInsideTheCall) {
    auto pair = make_pair();
    run([](Socket& near) -> Task<void> {
        auto reading = [](Socket& socket) -> Task<Errc> {
            std::array<std::byte, 8> buffer{};
            auto got = co_await socket.read(buffer, kSoon, "anything");
            co_return got ? Errc::invalid : got.error().code;
        }(near);
        near.close();
        EXPECT_FALSE(reading.done());
        const Errc code = co_await reading;
        EXPECT_EQ(code, Errc::closed);
    }(*pair.near));
}

TEST_F(SocketTest, APeerThatGoesAwayIsAnErrorNotASignal) {
    auto pair = make_pair();
    pair.far.reset();
    run([](Socket& near) -> Task<void> {
        const std::string much(1U << 20U, 'x');
        auto sent = co_await near.write(much, kSoon);
        EXPECT_FALSE(sent);
        EXPECT_EQ(sent.error().code, Errc::closed);
    }(*pair.near));
}

TEST_F(SocketTest, AFileIsSentFromItsOffset) {
    auto pair = make_pair();
    const std::string content = pattern(5U << 20U);
    std::FILE* file = std::tmpfile();
    ASSERT_EQ(std::fwrite(content.data(), 1, content.size(), file), content.size());
    std::fflush(file);
    run([](Socket& near, Socket& far, int fd, const std::string& text) -> Task<void> {
        auto sending = [](Socket& socket, int from, std::size_t size) -> Task<void> {
            std::uint64_t sent = 0;
            auto done = co_await socket.send_file(from, 100, size - 100, kSoon, sent);
            EXPECT_TRUE(done);
            EXPECT_EQ(sent, size - 100);
            co_await socket.shutdown_write(kSoon);
        }(far, fd, text.size());
        const std::string got = co_await read_all(near);
        co_await sending;
        EXPECT_EQ(got, text.substr(100));
    }(*pair.near, *pair.far, ::fileno(file), content));
    std::fclose(file);
}

TEST_F(SocketTest, AColdFileIsSentByThePoolAsFastAsItIsTaken) {
    auto pair = make_tcp_pair();
    ThreadPool waiting(2);
    const std::string content = pattern(9U << 20U);
    std::FILE* file = std::tmpfile();
    ASSERT_EQ(std::fwrite(content.data(), 1, content.size(), file), content.size());
    std::fflush(file);
    run([](Socket& near, Socket& far, ThreadPool& pool, int fd,
           const std::string& text) -> Task<void> {
        auto sending = [](Socket& socket, ThreadPool& by, int from,
                          std::size_t size) -> Task<void> {
            for (std::uint64_t at = 100; at < size;) {
                const std::uint64_t length = std::min<std::uint64_t>(size - at, 1U << 20U);
                std::uint64_t sent = 0;
                auto done =
                    co_await socket.send_cold_file(by, from, at, length, 1U << 20U, kSoon, sent);
                EXPECT_TRUE(done);
                EXPECT_EQ(sent, length);
                at += length;
            }
            co_await socket.shutdown_write(kSoon);
        }(far, pool, fd, text.size());
        const std::string got = co_await read_all(near);
        co_await sending;
        EXPECT_TRUE(got == text.substr(100));
    }(*pair.near, *pair.far, waiting, ::fileno(file), content));
    std::fclose(file);
}

TEST_F(SocketTest, AColdFileThatEndsEarlyIsCorruptAndOfAClosedSocketNothingIsSent) {
    auto pair = make_pair();
    ThreadPool waiting(1);
    std::FILE* file = std::tmpfile();
    ASSERT_EQ(::ftruncate(::fileno(file), 10), 0);
    run([](Socket& far, ThreadPool& pool, int fd) -> Task<void> {
        std::uint64_t sent = 0;
        auto done = co_await far.send_cold_file(pool, fd, 4, 10, 0, kSoon, sent);
        EXPECT_EQ(done.error().code, Errc::corrupt);
        EXPECT_EQ(sent, 6U);
        far.close();
        auto closed = co_await far.send_cold_file(pool, fd, 0, 10, 0, kSoon, sent);
        EXPECT_EQ(closed.error().code, Errc::closed);
        EXPECT_EQ(sent, 0U);
    }(*pair.far, waiting, ::fileno(file)));
    std::fclose(file);
}

TEST_F(SocketTest, AColdFileThatNobodyTakesTimesOutAndClosingEndsIt) {
    auto pair = make_pair();
    ThreadPool waiting(1);
    std::FILE* file = std::tmpfile();
    ASSERT_EQ(::ftruncate(::fileno(file), 16 << 20), 0);
    run([](Socket& far, Loop& home, ThreadPool& pool, int fd) -> Task<void> {
        std::uint64_t sent = 0;
        auto done = co_await far.send_cold_file(pool, fd, 0, 16U << 20U, 0, kShort, sent);
        EXPECT_EQ(done.error().code, Errc::timed_out);
        home.post([&far] { far.close(); });
        auto closed = co_await far.send_cold_file(pool, fd, 0, 16U << 20U, 0, kSoon, sent);
        EXPECT_EQ(closed.error().code, Errc::closed);
    }(*pair.far, *loop, waiting, ::fileno(file)));
    std::fclose(file);
}

TEST_F(SocketTest, AFileThatIsTooShortIsCorrupt) {
    auto pair = make_pair();
    std::FILE* file = std::tmpfile();
    run([](Socket& far, int fd) -> Task<void> {
        std::uint64_t sent = 0;
        auto done = co_await far.send_file(fd, 0, 10, kSoon, sent);
        EXPECT_FALSE(done);
        EXPECT_EQ(done.error().code, Errc::corrupt);
    }(*pair.far, ::fileno(file)));
    std::fclose(file);
}

TEST_F(SocketTest, TheEndOfTheStreamIsZeroBytes) {
    auto pair = make_pair();
    run(pair.far->shutdown_write(kSoon));
    run([](Socket& near) -> Task<void> {
        std::array<std::byte, 8> buffer{};
        auto got = co_await near.read(buffer, kSoon, "the end");
        EXPECT_TRUE(got);
        EXPECT_EQ(*got, 0U);
        auto ready = co_await near.readable(kSoon, "the end again");
        EXPECT_TRUE(ready);
    }(*pair.near));
}

TEST_F(SocketTest, ReadableTellsOfBytesAndTakesNone) {
    auto pair = make_pair();
    run([](Socket& near, Socket& far) -> Task<void> {
        Task<Expected<void>> waiting = near.readable(kSoon, "a byte");
        EXPECT_FALSE(waiting.done());
        co_await send_all(far, "hello");
        auto ready = co_await waiting;
        EXPECT_TRUE(ready);
        const std::string got = co_await read_all(near);
        EXPECT_EQ(got, "hello");
    }(*pair.near, *pair.far));
}

TEST_F(SocketTest, ARestEndsWithTheFirstByteAndTakesNone) {
    auto pair = make_pair();
    run([](Socket& near, Socket& far) -> Task<void> {
        Task<bool> resting = rested(near);
        EXPECT_FALSE(resting.done());
        co_await send_all(far, "hello");
        co_await resting;
        co_await near.rest();  // at once: the bytes are still there
        const std::string got = co_await read_all(near);
        EXPECT_EQ(got, "hello");
    }(*pair.near, *pair.far));
}

TEST_F(SocketTest, CloseEndsARest) {
    auto pair = make_pair();
    run([](Socket& near) -> Task<void> {
        Task<bool> resting = rested(near);
        near.close();
        co_await resting;
        EXPECT_TRUE(near.is_closed());
        co_await near.rest();
    }(*pair.near));
}

TEST_F(SocketTest, AReadAfterOneThatTimedOutGetsTheBytes) {
    auto pair = make_pair();
    run([](Socket& near, Socket& far) -> Task<void> {
        auto late = co_await near.readable(kShort, "nothing");
        EXPECT_FALSE(late);
        Task<std::string> reading = read_all(near);
        co_await send_all(far, "at last");
        const std::string got = co_await reading;
        EXPECT_EQ(got, "at last");
    }(*pair.near, *pair.far));
}

TEST_F(SocketTest, AReadAndAWriteMayWaitTogether) {
    auto pair = make_pair();
    const std::string much = pattern(4U << 20U);
    run([](Socket& near, Socket& far, const std::string& text) -> Task<void> {
        Task<std::string> reading = read_all(near);
        Task<void> writing = send_all(near, text);
        EXPECT_FALSE(reading.done());
        EXPECT_FALSE(writing.done());
        const std::string got = co_await read_all(far);
        EXPECT_EQ(got, text);
        co_await send_all(far, "thanks");
        const std::string thanks = co_await reading;
        EXPECT_EQ(thanks, "thanks");
        co_await writing;
    }(*pair.near, *pair.far, much));
}

TEST_F(SocketTest, ClosingEndsBothSidesAndLaterCallsToo) {
    auto pair = make_pair();
    const std::string much(16U << 20U, 'x');
    run([](Socket& near, const std::string& text) -> Task<void> {
        Task<Expected<void>> writing = near.write(text, kSoon);
        Task<Expected<void>> reading = near.readable(kSoon, "anything");
        near.close();
        near.close();
        EXPECT_FALSE(writing.done() || reading.done());
        auto written = co_await writing;
        auto read = co_await reading;
        auto later = co_await near.write("x", kSoon);
        EXPECT_EQ(written.error().code, Errc::closed);
        EXPECT_EQ(read.error().code, Errc::closed);
        EXPECT_EQ(later.error().code, Errc::closed);
        EXPECT_TRUE(near.is_closed());
    }(*pair.near, much));
}

TEST_F(SocketTest, MorePartsThanOneCallTakesArriveInOrder) {
    auto pair = make_pair();
    const std::string text = pattern(3'000);
    run([](Socket& near, Socket& far, const std::string& all) -> Task<void> {
        std::vector<std::span<const std::byte>> parts;
        for (const std::byte& byte : std::as_bytes(std::span(all))) {
            parts.emplace_back(&byte, 1);
            parts.emplace_back();
        }
        auto sent = co_await far.write(parts, kSoon);
        EXPECT_TRUE(sent);
        co_await far.shutdown_write(kSoon);
        const std::string got = co_await read_all(near);
        EXPECT_EQ(got, all);
    }(*pair.near, *pair.far, text));
}

TEST_F(SocketTest, AResetIsClosed) {
    auto pair = make_tcp_pair();
    run([](Pair& ends) -> Task<void> {
        Task<Expected<void>> waiting = ends.near->readable(kSoon, "a byte");
        reset(std::move(ends.far));
        auto awake = co_await waiting;
        EXPECT_TRUE(awake);
        std::array<std::byte, 1> buffer{};
        auto ended = co_await ends.near->read(buffer, kSoon, "a byte");
        EXPECT_EQ(ended.error().code, Errc::closed);
    }(pair));
}

TEST_F(SocketTest, AFastReceiverLeavesNeighboursTheirTurns) {
    constexpr std::uint64_t kSize = 64ULL << 20U;
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    auto near = std::make_unique<Socket>(*loop, UniqueFd(ends[0]));
    std::thread drain([fd = UniqueFd(ends[1])] {
        std::vector<std::byte> buffer(1U << 20U);
        while (::read(fd.get(), buffer.data(), buffer.size()) > 0) {
        }
    });
    ::fcntl(near->fd(), F_SETFL, O_NONBLOCK);
    std::FILE* file = std::tmpfile();
    ASSERT_EQ(::ftruncate(::fileno(file), static_cast<off_t>(kSize)), 0);
    std::uint64_t turns = 0;
    std::function<void()> again = [&] {
        ++turns;
        loop->post([&] { again(); });
    };
    again();
    run([](Socket& socket, int fd) -> Task<void> {
        std::uint64_t sent = 0;
        auto done = co_await socket.send_file(fd, 0, kSize, kSoon, sent);
        EXPECT_TRUE(done);
    }(*near, ::fileno(file)));
    EXPECT_GE(turns, kSize >> 21U);
    near.reset();
    drain.join();
    std::fclose(file);
}

TEST_F(SocketTest, WhoHasMovedMuchGoesBehindTheNeighbours) {
    auto pair = make_pair();
    run([](Loop& home, Socket& near, Socket& far) -> Task<void> {
        bool neighbour_ran = false;
        far.state().moved = kTurnBytes - 1;
        home.post([&] { neighbour_ran = true; });
        auto sent = co_await far.write("x", kSoon);
        EXPECT_TRUE(sent && neighbour_ran);
        neighbour_ran = false;
        near.state().moved = kTurnBytes - 1;
        home.post([&] { neighbour_ran = true; });
        std::array<std::byte, 1> byte{};
        auto got = co_await near.read(byte, kSoon, "a byte");
        EXPECT_TRUE(got && neighbour_ran);
        EXPECT_EQ(near.state().moved, 0U);
    }(*loop, *pair.near, *pair.far));
}

}  // namespace
}  // namespace hawker::net
