#include "daemon/net/loop.h"

#include "base/thread_pool.h"
#include "tests/unit/net/on_loop.h"

#include <array>
#include <functional>
#include <thread>

#include <unistd.h>

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
    loop->post_after(std::chrono::milliseconds(1'000), [&] {
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

TEST_F(LoopTest, TheTurnThatStopsTheLoopRunsToItsEnd) {
    std::string order;
    loop->post([&] {
        order += 'a';
        loop->stop();
        loop->post([&] { order += 'x'; });
    });
    loop->post([&] { order += 'b'; });
    loop->run();
    EXPECT_EQ(order, "ab");
}

TEST_F(LoopTest, WhatNeverRanIsDestroyedWithTheLoop) {
    auto held = std::make_shared<int>(1);
    auto never = std::move(*Loop::create());
    never->post([held] { FAIL() << "ran"; });
    never->post_after(kSoon, [held] { FAIL() << "ran"; });
    EXPECT_EQ(held.use_count(), 3);
    never.reset();
    EXPECT_EQ(held.use_count(), 1);
}

TEST_F(LoopTest, ADelayedJobThatNeverRanIsDestroyedWithTheLoop) {
    auto held = std::make_shared<int>(1);
    auto brief = std::move(*Loop::create());
    Loop& its = *brief;
    brief->post([&its, held] { its.post_after(kSoon, [held] { FAIL() << "ran"; }); });
    brief->post([&its] { its.stop(); });
    brief->run();
    EXPECT_EQ(held.use_count(), 2);
    brief.reset();
    EXPECT_EQ(held.use_count(), 1);
}

TEST_F(LoopTest, AJobThatPostsWhenItIsDestroyedHarmsNobody) {
    struct PostsAtItsEnd {
        explicit PostsAtItsEnd(Loop& its_loop) : loop(its_loop) {}
        PostsAtItsEnd(const PostsAtItsEnd&) = delete;
        PostsAtItsEnd& operator=(const PostsAtItsEnd&) = delete;
        ~PostsAtItsEnd() {
            loop.post([] { FAIL() << "ran"; });
            loop.post_after(kShort, [] { FAIL() << "ran"; });
        }
        Loop& loop;
    };
    auto brief = std::move(*Loop::create());
    auto last = std::make_shared<PostsAtItsEnd>(*brief);
    brief->post([last = std::move(last)] { FAIL() << "ran"; });
    brief.reset();
}

TEST_F(LoopTest, ItKnowsItsThread) {
    bool inside = false;
    EXPECT_FALSE(loop->on_this_thread());
    std::thread other([&] {
        loop->post([&] {
            inside = loop->on_this_thread();
            loop->stop();
        });
        loop->run();
    });
    other.join();
    EXPECT_TRUE(inside);
    EXPECT_FALSE(loop->on_this_thread());
}

TEST_F(LoopTest, AnotherThreadsDelayedJobRunsHere) {
    bool inside = false;
    std::thread other([&] {
        loop->post_after(std::chrono::milliseconds(1), [&] {
            inside = loop->on_this_thread();
            loop->stop();
        });
    });
    loop->run();
    other.join();
    EXPECT_TRUE(inside);
}

TEST_F(LoopTest, WorkOfAPoolComesHome) {
    ThreadPool pool(2);
    run([](Executor& threads, Loop& home) -> Task<void> {
        int sum = 0;
        auto work = [&sum] { return ++sum; };
        for (int i = 1; i <= 200; ++i) {
            const int got = co_await offload(threads, home, work);
            EXPECT_EQ(got, i);
            EXPECT_TRUE(home.on_this_thread());
        }
    }(pool, *loop));
}

TEST_F(LoopTest, ATimerSetAgainForgetsTheFirstTimeAndAClearedOneNeverComes) {
    int times = 0;
    Timer again(*loop, [&] { ++times; });
    Timer never(*loop, [&] { FAIL() << "was cleared"; });
    again.set(kSoon);
    again.set(std::chrono::milliseconds(1));
    never.set(std::chrono::milliseconds(1));
    never.clear();
    loop->post_after(kShort, [&] { loop->stop(); });
    loop->run();
    EXPECT_EQ(times, 1);
}

TEST_F(LoopTest, AWatchTellsUntilItIsChanged) {
    int reads = 0;
    int writes = 0;
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const UniqueFd near(ends[0]);
    const UniqueFd far(ends[1]);
    std::unique_ptr<FdWatch> watch;
    watch = std::make_unique<FdWatch>(*loop, near.get(), [&](Interest ready) {
        if (ready == Interest::read && ++reads == 3) watch->set(Interest::write);
        if (ready == Interest::write && ++writes == 2) {
            watch->set(Interest::none);
            loop->post_after(kShort, [&] { loop->stop(); });
        }
    });
    ASSERT_EQ(::write(far.get(), "x", 1), 1);
    watch->set(Interest::read);
    loop->run();
    EXPECT_EQ(reads, 3);  // level-triggered: the byte is still there
    EXPECT_EQ(writes, 2);
}

TEST_F(LoopTest, AWatchMayDestroyItself) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const UniqueFd near(ends[0]);
    const UniqueFd far(ends[1]);
    std::unique_ptr<FdWatch> watch;
    watch = std::make_unique<FdWatch>(*loop, near.get(), [&](Interest ready) {
        EXPECT_EQ(ready, Interest::write);
        watch.reset();
        loop->stop();
    });
    watch->set(Interest::both);
    loop->run();
    EXPECT_FALSE(watch);
}

}  // namespace
}  // namespace hawker::net
