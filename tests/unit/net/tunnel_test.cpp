#include "daemon/net/socket.h"
#include "tests/unit/net/on_loop.h"

#include <filesystem>
#include <iterator>

namespace hawker::net {
namespace {

std::ptrdiff_t open_descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

class TunnelTest : public OnLoop {
protected:
    // client <-> left = tunnel = right <-> server
    Pair client = make_pair();
    Pair server = make_pair();
    TunnelBytes bytes;
};

TEST_F(TunnelTest, BytesGoBothWaysAndEachEndIsPassedOn) {
    const std::string up = pattern(3U << 20U);
    const std::string down = pattern(2U << 20U) + "!";
    run([](Pair& left, Pair& right, TunnelBytes& count, const std::string& there,
           const std::string& back) -> Task<void> {
        Task<Expected<void>> running = tunnel(*left.far, *right.near, kSoon, count);
        Task<void> sending_up = send_all(*left.near, there);
        Task<void> sending_down = send_all(*right.far, back);
        Task<std::string> above = read_all(*right.far);
        const std::string below = co_await read_all(*left.near);
        const std::string arrived = co_await above;
        co_await sending_up;
        co_await sending_down;
        auto ended = co_await running;
        EXPECT_TRUE(ended);
        EXPECT_EQ(arrived, there);
        EXPECT_EQ(below, back);
        EXPECT_EQ(count.to_right, there.size());
        EXPECT_EQ(count.to_left, back.size());
    }(client, server, bytes, up, down));
}

TEST_F(TunnelTest, AHalfClosedTunnelStillCarriesTheAnswer) {
    run([](Pair& left, Pair& right, TunnelBytes& count) -> Task<void> {
        Task<Expected<void>> running = tunnel(*left.far, *right.near, kSoon, count);
        co_await send_all(*left.near, "question");
        const std::string asked = co_await read_all(*right.far);
        EXPECT_EQ(asked, "question");
        co_await send_all(*right.far, "answer");
        const std::string answered = co_await read_all(*left.near);
        EXPECT_EQ(answered, "answer");
        auto ended = co_await running;
        EXPECT_TRUE(ended);
    }(client, server, bytes));
}

TEST_F(TunnelTest, AnIdleTunnelEnds) {
    run([](Pair& left, Pair& right, TunnelBytes& count) -> Task<void> {
        auto ended = co_await tunnel(*left.far, *right.near, kShort, count);
        EXPECT_FALSE(ended);
        EXPECT_EQ(ended.error().code, Errc::timed_out);
    }(client, server, bytes));
}

TEST_F(TunnelTest, OneSidesDeathEndsBoth) {
    run([](Pair& left, Pair& right, TunnelBytes& count) -> Task<void> {
        Task<Expected<void>> running = tunnel(*left.far, *right.near, kSoon, count);
        right.far.reset();
        auto sent = co_await left.near->write("into the void", kSoon);
        EXPECT_TRUE(sent);
        co_await left.near->shutdown_write(kSoon);
        auto ended = co_await running;
        std::array<std::byte, 8> buffer{};
        auto got = co_await left.near->read(buffer, kSoon, "the end");
        EXPECT_TRUE(!got || *got == 0);
    }(client, server, bytes));
}

TEST_F(TunnelTest, ClosingOneSocketEndsTheTunnel) {
    run([](Pair& left, Pair& right, TunnelBytes& count) -> Task<void> {
        Task<Expected<void>> running = tunnel(*left.far, *right.near, kSoon, count);
        left.far->close();
        EXPECT_FALSE(running.done());
        auto ended = co_await running;
        EXPECT_EQ(ended.error().code, Errc::closed);
        EXPECT_TRUE(right.near->is_closed());
    }(client, server, bytes));
}

TEST_F(TunnelTest, BytesInOneDirectionKeepTheOtherAlive) {
    run([](Loop& home, Pair& left, Pair& right, TunnelBytes& count) -> Task<void> {
        Task<Expected<void>> running =
            tunnel(*left.far, *right.near, std::chrono::milliseconds(3'000), count);
        for (int i = 0; i < 13; ++i) {
            co_await sleep_on(home, std::chrono::milliseconds(300));
            auto sent = co_await left.near->write("x", kSoon);
            EXPECT_TRUE(sent);
        }
        EXPECT_FALSE(running.done());
        co_await left.near->shutdown_write(kSoon);
        co_await right.far->shutdown_write(kSoon);
        auto ended = co_await running;
        EXPECT_TRUE(ended);
        EXPECT_EQ(count.to_right, 13U);
    }(*loop, client, server, bytes));
}

TEST_F(TunnelTest, AQuietTunnelHoldsNoPipe) {
    run([](Loop& home, Pair& left, Pair& right, TunnelBytes& count) -> Task<void> {
        const auto before = open_descriptors();
        Task<Expected<void>> running = tunnel(*left.far, *right.near, kSoon, count);
        EXPECT_EQ(open_descriptors(), before);
        auto sent = co_await left.near->write("x", kSoon);
        EXPECT_TRUE(sent);
        auto arrived = co_await right.far->readable(kSoon, "the byte");
        EXPECT_TRUE(arrived);
        EXPECT_EQ(open_descriptors(), before + 2);
        while (!running.done() && open_descriptors() != before)
            co_await sleep_on(home, std::chrono::milliseconds(20));
        EXPECT_FALSE(running.done());
        right.far->close();
        auto ended = co_await running;
    }(*loop, client, server, bytes));
}

class TcpTunnelTest : public OnLoop {
protected:
    Pair client = make_tcp_pair();
    Pair server = make_tcp_pair();
    TunnelBytes bytes;
};

// Corked (SPLICE_F_MORE), each of these would take 200 ms each way.
TEST_F(TcpTunnelTest, SmallMessagesAreNotHeldBack) {
    run([](Pair& left, Pair& right, TunnelBytes& count) -> Task<void> {
        const auto began = std::chrono::steady_clock::now();
        Task<Expected<void>> running = tunnel(*left.far, *right.near, kSoon, count);
        std::array<std::byte, 16> buffer{};
        for (int i = 0; i < 25; ++i) {
            auto asked = co_await left.near->write("ping", kSoon);
            auto heard = co_await right.far->read(buffer, kSoon, "ping");
            auto answered = co_await right.far->write("pong", kSoon);
            auto ended = co_await left.near->read(buffer, kSoon, "pong");
            EXPECT_TRUE(asked && heard && answered && ended);
        }
        co_await left.near->shutdown_write(kSoon);
        co_await right.far->shutdown_write(kSoon);
        auto ended = co_await running;
        EXPECT_TRUE(ended);
        EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(3));
    }(client, server, bytes));
}

TEST_F(TcpTunnelTest, MuchDataArrivesWholeThroughAGrowingPipe) {
    const std::string up = pattern(24U << 20U);
    run([](Pair& left, Pair& right, TunnelBytes& count, const std::string& there) -> Task<void> {
        Task<Expected<void>> running = tunnel(*left.far, *right.near, kSoon, count);
        Task<void> sending = send_all(*left.near, there);
        co_await right.far->shutdown_write(kSoon);
        const std::string arrived = co_await read_all(*right.far);
        co_await sending;
        auto ended = co_await running;
        EXPECT_TRUE(ended);
        EXPECT_TRUE(arrived == there);
        EXPECT_EQ(count.to_right, there.size());
    }(client, server, bytes, up));
}

TEST_F(TcpTunnelTest, AResetEndsBothSides) {
    run([](Pair& left, Pair& right, TunnelBytes& count) -> Task<void> {
        Task<Expected<void>> running = tunnel(*left.far, *right.near, kSoon, count);
        reset(std::move(right.far));
        auto ended = co_await running;
        EXPECT_EQ(ended.error().code, Errc::closed);
        std::array<std::byte, 8> buffer{};
        auto got = co_await left.near->read(buffer, kSoon, "the end");
        EXPECT_TRUE(!got || *got == 0);
    }(client, server, bytes));
}

class Unhurried final : public Pace {
public:
    std::uint64_t quantum() const override { return 64UL << 10U; }
    Task<void> before(std::uint64_t) override { co_return; }
};

// An answer to a request that was too long, from a server that hears no more of it.
class ResetTunnelTest : public TcpTunnelTest, public ::testing::WithParamInterface<bool> {};

TEST_P(ResetTunnelTest, WhatWasSaidBeforeAResetArrives) {
    Unhurried unhurried;
    Pace* const pace = GetParam() ? &unhurried : nullptr;
    run([](Pair& left, Pair& right, TunnelBytes& count, Pace* slowed) -> Task<void> {
        co_await send_all(*left.near, "a long request");
        auto said = co_await right.far->write("too long", kSoon);
        EXPECT_TRUE(said);
        reset(std::move(right.far));
        Task<Expected<void>> running = tunnel(*left.far, *right.near, kSoon, count, slowed);
        const std::string heard = co_await read_all(*left.near);
        EXPECT_EQ(heard, "too long");
        auto ended = co_await running;
        EXPECT_EQ(ended.error().code, Errc::closed);
    }(client, server, bytes, pace));
}

INSTANTIATE_TEST_SUITE_P(SplicedAndCopied, ResetTunnelTest, ::testing::Bool());

TEST_F(TcpTunnelTest, AResetAfterAHalfCloseIsNoticedToo) {
    run([](Pair& left, Pair& right, TunnelBytes& count) -> Task<void> {
        Task<Expected<void>> running = tunnel(*left.far, *right.near, kSoon, count);
        co_await send_all(*right.far, "the answer");
        const std::string answered = co_await read_all(*left.near);
        EXPECT_EQ(answered, "the answer");
        EXPECT_FALSE(running.done());
        reset(std::move(right.far));
        auto ended = co_await running;
        EXPECT_EQ(ended.error().code, Errc::closed);
    }(client, server, bytes));
}

}  // namespace
}  // namespace hawker::net
