#include "daemon/net/socket.h"

#include "daemon/net/listener.h"
#include "tests/unit/net/on_loop.h"

#include <cstdio>

#include <unistd.h>

namespace hawker::net {
namespace {

using SocketTest = OnLoop;

std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>('a' + (i * 7 + i / 4096) % 26);
    return text;
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
            socket.shutdown_write();
        }(far, fd, text.size());
        const std::string got = co_await read_all(near);
        co_await sending;
        EXPECT_EQ(got, text.substr(100));
    }(*pair.near, *pair.far, ::fileno(file), content));
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
        left.near->shutdown_write();
        auto ended = co_await running;
        std::array<std::byte, 8> buffer{};
        auto got = co_await left.near->read(buffer, kSoon, "the end");
        EXPECT_TRUE(!got || *got == 0);
    }(client, server, bytes));
}

using ListenerTest = OnLoop;

TEST_F(ListenerTest, AConnectionArrivesAndTalks) {
    auto listener = Listener::open(*loop, *Address::parse("127.0.0.1:0"));
    ASSERT_TRUE(listener) << listener.error().what;
    EXPECT_NE((*listener)->address().port(), 0);
    run([](Loop& its_loop, Listener& door) -> Task<void> {
        const std::array<Address, 1> addresses = {door.address()};
        Task<Expected<std::unique_ptr<Socket>>> connecting = connect(its_loop, addresses, kSoon);
        auto accepted = co_await door.accept();
        auto connected = co_await connecting;
        EXPECT_TRUE(accepted && connected);
        if (!accepted || !connected) co_return;
        Task<void> sending = send_all(**connected, "hello");
        const std::string got = co_await read_all(**accepted);
        co_await sending;
        EXPECT_EQ(got, "hello");
        EXPECT_TRUE((*accepted)->peer().is_loopback());
    }(*loop, **listener));
}

TEST_F(ListenerTest, ClosingEndsAPendingAccept) {
    auto listener = Listener::open(*loop, *Address::parse("127.0.0.1:0"));
    run([](Listener& door) -> Task<void> {
        Task<Expected<std::unique_ptr<Socket>>> waiting = door.accept();
        door.close();
        auto ended = co_await waiting;
        EXPECT_FALSE(ended);
        EXPECT_EQ(ended.error().code, Errc::closed);
    }(**listener));
}

TEST_F(ListenerTest, NobodyThereIsUnavailable) {
    std::array<Address, 1> addresses;
    {
        auto listener = Listener::open(*loop, *Address::parse("127.0.0.1:0"));
        addresses = {(*listener)->address()};
    }
    run([](Loop& its_loop, std::array<Address, 1> where) -> Task<void> {
        auto connected = co_await connect(its_loop, where, kSoon);
        EXPECT_FALSE(connected);
        EXPECT_EQ(connected.error().code, Errc::unavailable);
    }(*loop, addresses));
}

}  // namespace
}  // namespace hawker::net
