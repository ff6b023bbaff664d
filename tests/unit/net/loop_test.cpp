#include "daemon/net/loop.h"

#include "tests/unit/net/on_loop.h"

#include <array>
#include <thread>

namespace hawker::net {
namespace {

using LoopTest = OnLoop;

TEST_F(LoopTest, JobsRunInTheOrderOfPostingAndNeverInsidePost) {
    std::string order;
    loop->post([&] {
        order += 'a';
        loop->post([&] {
            order += 'c';
            loop->stop();
        });
        order += 'b';
    });
    EXPECT_EQ(order, "");
    loop->run();
    EXPECT_EQ(order, "abc");
}

TEST_F(LoopTest, OtherThreadsWakeTheLoop) {
    constexpr int kThreads = 4;
    constexpr int kJobs = 1000;
    int ran = 0;
    std::array<std::thread, kThreads> threads;
    for (std::thread& thread : threads)
        thread = std::thread([&] {
            for (int i = 0; i < kJobs; ++i)
                loop->post([&] {
                    if (++ran == kThreads * kJobs) loop->stop();
                });
        });
    loop->run();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(ran, kThreads * kJobs);
}

TEST_F(LoopTest, DelayedJobsRunInTheOrderOfTheirTimes) {
    std::string order;
    loop->post_after(std::chrono::milliseconds(20), [&] {
        order += 'b';
        loop->stop();
    });
    loop->post_after(std::chrono::milliseconds(1), [&] { order += 'a'; });
    loop->run();
    EXPECT_EQ(order, "ab");
}

TEST_F(LoopTest, JobsThatPostThemselvesDoNotStarveDescriptors) {
    auto pair = make_pair();
    bool heard = false;
    std::function<void()> again = [&] {
        if (!heard) loop->post([&] { again(); });
    };
    again();
    run([](Socket& near, Socket& far, bool& flag) -> Task<void> {
        auto sent = co_await far.write("x", kSoon);
        EXPECT_TRUE(sent);
        std::array<std::byte, 1> byte{};
        auto got = co_await near.read(byte, kSoon, "a byte");
        EXPECT_TRUE(got);
        flag = true;
    }(*pair.near, *pair.far, heard));
}

TEST_F(LoopTest, WhatIsPostedAfterTheEndIsDropped) {
    loop->stop();
    auto held = std::make_shared<int>(1);
    loop->post([held] { FAIL() << "ran"; });
    EXPECT_EQ(held.use_count(), 1);
}

TEST_F(LoopTest, ATimerMayDestroyItself) {
    std::unique_ptr<Timer> timer;
    timer = std::make_unique<Timer>(*loop, [&] {
        timer.reset();
        loop->stop();
    });
    timer->set(std::chrono::milliseconds(1));
    loop->run();
    EXPECT_FALSE(timer);
}

}  // namespace
}  // namespace hawker::net
