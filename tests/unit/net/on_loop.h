// A loop on the test's own thread, and pairs of sockets on it.
#pragma once

#include "base/task_group.h"
#include "daemon/net/loop.h"
#include "daemon/net/socket.h"

#include <array>
#include <cassert>
#include <memory>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace hawker::net {

inline constexpr Deadline kSoon{5'000};  // will not pass unless something is broken
inline constexpr Deadline kShort{20};    // is meant to pass

// Text in which a shift or a gap shows.
inline std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>('a' + (i * 7 + i / 4096) % 26);
    return text;
}

class OnLoop : public testing::Test {
protected:
    OnLoop() : loop(std::move(*Loop::create())) {}

    // Runs the loop until `task` is done.
    void run(Task<void> task) {
        group.spawn(stop_after(*loop, std::move(task)));
        loop->run();
    }

    struct Pair {
        std::unique_ptr<Socket> near;
        std::unique_ptr<Socket> far;
    };
    Pair make_pair() const {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()),
                  0);
        Pair pair;
        pair.near = std::make_unique<Socket>(*loop, UniqueFd(ends[0]));
        pair.far = std::make_unique<Socket>(*loop, UniqueFd(ends[1]));
        return pair;
    }

    // The same over TCP on loopback.
    Pair make_tcp_pair() const {
        const UniqueFd door(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(::listen(door.get(), 1), 0);  // binds to a free port
        sockaddr_in any{};
        socklen_t length = sizeof(any);
        auto* address = reinterpret_cast<sockaddr*>(&any);
        EXPECT_EQ(::getsockname(door.get(), address, &length), 0);
        any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        UniqueFd near(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(::connect(near.get(), address, length), 0);
        UniqueFd far(::accept4(door.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        EXPECT_EQ(::fcntl(near.get(), F_SETFL, O_NONBLOCK), 0);
        const int on = 1;
        for (const UniqueFd* end : {&near, &far})
            ::setsockopt(end->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        Pair pair;
        pair.near = std::make_unique<Socket>(*loop, std::move(near));
        pair.far = std::make_unique<Socket>(*loop, std::move(far));
        return pair;
    }

    // The peer hears a reset, not an end.
    static void reset(std::unique_ptr<Socket> socket) {
        const linger now = {1, 0};
        ::setsockopt(socket->fd(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }

    static Task<void> send_all(Socket& socket, std::string text) {
        auto sent = co_await socket.write(text, kSoon);
        EXPECT_TRUE(sent) << sent.error().what;
        co_await socket.shutdown_write(kSoon);
    }

    static Task<std::string> read_all(Socket& socket) {
        std::string all;
        std::array<std::byte, 64 * 1024> buffer{};
        for (;;) {
            auto got = co_await socket.read(buffer, kSoon, "a test's bytes");
            EXPECT_TRUE(got) << got.error().what;
            if (!got || *got == 0) co_return all;
            all.append(reinterpret_cast<const char*>(buffer.data()), *got);
        }
    }

    std::unique_ptr<Loop> loop;
    TaskGroup group{*loop};

private:
    static Task<void> stop_after(Loop& loop, Task<void> task) {
        co_await task;
        loop.stop();
    }
};

}  // namespace hawker::net
