#include "daemon/net/listener.h"

#include "tests/unit/net/on_loop.h"

#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hawker::net {
namespace {

Address loopback() { return *Address::parse("127.0.0.1:0"); }

// Takes every descriptor that is left, until it goes.
class NoDescriptorsLeft {
public:
    NoDescriptorsLeft() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit few = before_;
        few.rlim_cur = 128;
        ::setrlimit(RLIMIT_NOFILE, &few);
        for (;;) {
            UniqueFd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
            if (!fd) break;
            taken_.push_back(std::move(fd));
        }
    }
    ~NoDescriptorsLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    NoDescriptorsLeft(const NoDescriptorsLeft&) = delete;
    NoDescriptorsLeft& operator=(const NoDescriptorsLeft&) = delete;

private:
    rlimit before_{};
    std::vector<UniqueFd> taken_;
};

struct Meeting {
    std::unique_ptr<Socket> accepted;
    std::unique_ptr<Socket> connected;
};

// Both null where one of them failed, which fails the test.
Task<Meeting> meet(Loop& its_loop, Listener& door) {
    const std::array<Address, 1> addresses = {door.address()};
    Task<Expected<std::unique_ptr<Socket>>> connecting = connect(its_loop, addresses, kSoon);
    auto accepted = co_await door.accept();
    auto connected = co_await connecting;
    EXPECT_TRUE(accepted && connected);
    if (!accepted || !connected) co_return Meeting();
    co_return Meeting{std::move(*accepted), std::move(*connected)};
}

using ListenerTest = OnLoop;

TEST_F(ListenerTest, AConnectionArrivesAndTalks) {
    auto listener = Listener::open(*loop, *Address::parse("127.0.0.1:0"));
    ASSERT_TRUE(listener) << listener.error().what;
    EXPECT_NE((*listener)->address().port(), 0);
    run([](Loop& its_loop, Listener& door) -> Task<void> {
        const Meeting met = co_await meet(its_loop, door);
        if (!met.accepted || !met.connected) co_return;
        Task<void> sending = send_all(*met.connected, "hello");
        const std::string got = co_await read_all(*met.accepted);
        co_await sending;
        EXPECT_EQ(got, "hello");
        EXPECT_TRUE(met.accepted->peer().is_loopback());
    }(*loop, **listener));
}

TEST_F(ListenerTest, AClientThatReadsNothingPinsLittleInTheKernel) {
    auto listener = Listener::open(*loop, loopback());
    ASSERT_TRUE(listener) << listener.error().what;
    run([](Loop& its_loop, Listener& door) -> Task<void> {
        const Meeting met = co_await meet(its_loop, door);
        if (!met.accepted || !met.connected) co_return;
        const int little = 4096;
        setsockopt(met.connected->fd(), SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
        const std::vector<std::byte> body(64 << 10);
        std::size_t taken = 0;
        for (;;) {  // as long as the kernel takes any, however it comes to that
            const ssize_t sent = ::send(met.accepted->fd(), body.data(), body.size(), MSG_DONTWAIT);
            if (sent <= 0) break;
            taken += static_cast<std::size_t>(sent);
        }
        EXPECT_GE(taken, 64U << 10);
        EXPECT_LE(taken, 512U << 10);
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

TEST_F(ListenerTest, SeveralMayShareAnAddress) {
    auto first = Listener::open(*loop, loopback());
    auto second = Listener::open(*loop, (*first)->address());
    ASSERT_TRUE(second) << second.error().what;
    EXPECT_EQ((*first)->address().to_string(), (*second)->address().to_string());
}

TEST_F(ListenerTest, AnAddressInUseIsSaidInWords) {
    const UniqueFd other(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Address any = loopback();
    ASSERT_EQ(::bind(other.get(), any.get(), any.length()), 0);
    ASSERT_EQ(::listen(other.get(), 1), 0);
    auto adopted = Listener::adopt(*loop, UniqueFd(::dup(other.get())));
    auto refused = Listener::open(*loop, (*adopted)->address());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid);
    EXPECT_NE(refused.error().what.find("127.0.0.1"), std::string::npos);
    EXPECT_NE(refused.error().what.find("in use"), std::string::npos);
}

TEST_F(ListenerTest, BothFamiliesListenOnOnePort) {
    auto v6 = Listener::open(*loop, *Address::parse("[::]:0"));
    if (!v6) GTEST_SKIP() << "no IPv6 here";
    const auto port = std::to_string((*v6)->address().port());
    auto v4 = Listener::open(*loop, *Address::parse("0.0.0.0:" + port));
    EXPECT_TRUE(v4) << v4.error().what;
}

TEST_F(ListenerTest, AfterItClosedConnectionsAreRefusedAndTheAddressIsStillKnown) {
    auto listener = Listener::open(*loop, loopback());
    (*listener)->close();
    EXPECT_NE((*listener)->address().port(), 0);
    run([](Loop& home, Listener& door) -> Task<void> {
        const std::array<Address, 1> where = {door.address()};
        auto connected = co_await connect(home, where, kSoon);
        EXPECT_EQ(connected.error().code, Errc::unavailable);
        auto accepted = co_await door.accept();
        EXPECT_EQ(accepted.error().code, Errc::closed);
    }(*loop, **listener));
}

TEST_F(ListenerTest, ASharedDescriptorOutlivesTheListenerThatAdoptedIt) {
    auto owner = Listener::open(*loop, loopback());
    const UniqueFd shared(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Address any = loopback();
    ASSERT_EQ(::bind(shared.get(), any.get(), any.length()), 0);
    ASSERT_EQ(::listen(shared.get(), 8), 0);
    auto first = Listener::adopt(*loop, UniqueFd(::dup(shared.get())));
    auto second = Listener::adopt(*loop, UniqueFd(::dup(shared.get())));
    (*first)->close();
    run([](Loop& home, Listener& door) -> Task<void> {
        Task<Expected<std::unique_ptr<Socket>>> accepting = door.accept();
        const std::array<Address, 1> where = {door.address()};
        auto connected = co_await connect(home, where, kSoon);
        auto accepted = co_await accepting;
        EXPECT_TRUE(connected && accepted);
    }(*loop, **second));
}

TEST_F(ListenerTest, WithoutDescriptorsOneIsTurnedAwayAndItGoesOn) {
    auto listener = Listener::open(*loop, loopback());
    run([](Loop& home, Listener& door) -> Task<void> {
        const std::array<Address, 1> where = {door.address()};
        auto unlucky = co_await connect(home, where, kSoon);
        EXPECT_TRUE(unlucky);
        if (!unlucky) co_return;
        {
            const NoDescriptorsLeft none;
            auto refused = co_await door.accept();
            EXPECT_EQ(refused.error().code, Errc::exhausted);
        }
        std::array<std::byte, 8> buffer{};
        auto heard = co_await (*unlucky)->read(buffer, kSoon, "a close");
        EXPECT_TRUE(!heard || *heard == 0);
        auto lucky = co_await connect(home, where, kSoon);
        auto accepted = co_await door.accept();
        EXPECT_TRUE(lucky && accepted);
    }(*loop, **listener));
}

TEST_F(ListenerTest, ClosingEndsThePauseOfOneWithoutDescriptors) {
    auto listener = Listener::open(*loop, loopback());
    run([](Loop& home, Listener& door) -> Task<void> {
        const std::array<Address, 1> where = {door.address()};
        auto unlucky = co_await connect(home, where, kSoon);
        const NoDescriptorsLeft none;
        Task<Expected<std::unique_ptr<Socket>>> accepting = door.accept();
        EXPECT_FALSE(accepting.done());
        door.close();
        auto ended = co_await accepting;
        EXPECT_FALSE(ended);
    }(*loop, **listener));
}

class UnixListenerTest : public OnLoop {
protected:
    UnixListenerTest() { std::filesystem::remove(path); }
    ~UnixListenerTest() override { std::filesystem::remove(path); }
    const std::string path =
        testing::TempDir() + "hawker-net-test-" + std::to_string(::getpid()) + ".sock";
    const Address address = *Address::parse("unix:" + path);
};

TEST_F(UnixListenerTest, ASocketFileLeftBehindIsReplaced) {
    {
        const UniqueFd killed(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        ASSERT_EQ(::bind(killed.get(), address.get(), address.length()), 0);
    }
    ASSERT_TRUE(std::filesystem::exists(path));
    auto listener = Listener::open(*loop, address);
    ASSERT_TRUE(listener) << listener.error().what;
    EXPECT_EQ((*listener)->address().to_string(), "unix:" + path);
}

TEST_F(UnixListenerTest, TheFileHasTheModeThatWasAskedForWhateverTheUmask) {
    const mode_t before = ::umask(0077);
    const auto listener = Listener::open(*loop, address, 0660U);
    ::umask(before);
    ASSERT_TRUE(listener) << listener.error().what;
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0660));
}

TEST_F(UnixListenerTest, ALiveOneIsLeftAlone) {
    auto living = Listener::open(*loop, address);
    ASSERT_TRUE(living);
    auto second = Listener::open(*loop, address);
    EXPECT_FALSE(second);
    EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(UnixListenerTest, WhatIsNotASocketIsLeftAlone) {
    const UniqueFd file(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    auto listener = Listener::open(*loop, address);
    EXPECT_FALSE(listener);
    EXPECT_TRUE(std::filesystem::is_regular_file(path));
}

using ConnectTest = OnLoop;

TEST_F(ConnectTest, TheNextAddressIsTriedWhenTheFirstRefuses) {
    auto gone = Listener::open(*loop, loopback());
    auto there = Listener::open(*loop, loopback());
    const std::array<Address, 2> both = {(*gone)->address(), (*there)->address()};
    (*gone)->close();
    run([](Loop& home, std::array<Address, 2> addresses) -> Task<void> {
        auto connected = co_await connect(home, addresses, kSoon);
        EXPECT_TRUE(connected);
        if (!connected) co_return;
        EXPECT_EQ((*connected)->peer().port(), addresses[1].port());
    }(*loop, both));
}

TEST_F(ConnectTest, SilenceTimesOut) {
    // A full queue: the kernel drops what comes then.
    const UniqueFd deaf(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const Address any = loopback();
    ASSERT_EQ(::bind(deaf.get(), any.get(), any.length()), 0);
    ASSERT_EQ(::listen(deaf.get(), 0), 0);
    sockaddr_in bound{};
    socklen_t length = sizeof(bound);
    ASSERT_EQ(::getsockname(deaf.get(), reinterpret_cast<sockaddr*>(&bound), &length), 0);
    const std::array<Address, 1> where = {
        Address(reinterpret_cast<const sockaddr*>(&bound), length)};
    std::vector<UniqueFd> queue;
    for (int i = 0; i < 4; ++i) {
        queue.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        ::connect(queue.back().get(), where[0].get(), where[0].length());
    }
    run([](Loop& home, std::array<Address, 1> addresses) -> Task<void> {
        auto connected = co_await connect(home, addresses, kShort);
        EXPECT_FALSE(connected);
        EXPECT_EQ(connected.error().code, Errc::timed_out);
    }(*loop, where));
}

TEST_F(ConnectTest, NoAddressIsUnavailable) {
    run([](Loop& home) -> Task<void> {
        const std::span<const Address> nowhere;
        auto connected = co_await connect(home, nowhere, kSoon);
        EXPECT_EQ(connected.error().code, Errc::unavailable);
    }(*loop));
}

}  // namespace
}  // namespace hawker::net
