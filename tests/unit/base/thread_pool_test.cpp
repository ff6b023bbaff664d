#include "base/thread_pool.h"

#include "base/task.h"

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <semaphore>

#include <gtest/gtest.h>

namespace hawker {
namespace {

using namespace std::chrono_literals;

TEST(ThreadPool, RunsEveryJobThatWasPostedBeforeItStops) {
    std::atomic<int> done = 0;
    {
        ThreadPool pool(3);
        for (int i = 0; i < 1000; ++i) pool.post([&done] { ++done; });
    }
    EXPECT_EQ(done, 1000);
}

TEST(ThreadPool, JobsOfOneThreadStartInTheOrderOfPosting) {
    std::vector<int> order;
    {
        ThreadPool pool(1);
        for (int i = 0; i < 100; ++i) pool.post([&order, i] { order.push_back(i); });
    }
    ASSERT_EQ(order.size(), 100U);
    EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST(ThreadPool, NeverRunsAJobBeforePostHasReturned) {
    ThreadPool pool(1);
    const auto poster = std::this_thread::get_id();
    std::thread::id runner;
    std::latch ran(1);
    pool.post([&] {
        runner = std::this_thread::get_id();
        ran.count_down();
    });
    ran.wait();
    EXPECT_NE(runner, poster);
}

TEST(ThreadPool, ADelayedJobComesNotBeforeItsTime) {
    ThreadPool pool(2);
    std::latch ran(1);
    const auto begin = std::chrono::steady_clock::now();
    pool.post_after(20ms, [&ran] { ran.count_down(); });
    ran.wait();
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
}

TEST(ThreadPool, ANearJobDoesNotWaitForAFarOne) {
    ThreadPool pool(1);
    std::latch ran(1);
    pool.post_after(24h, [] {});
    pool.post_after(1ms, [&ran] { ran.count_down(); });
    ran.wait();
}

TEST(ThreadPool, DropsDelayedJobsWithWhatTheyHoldWhenItStops) {
    const auto held = std::make_shared<int>(1);
    {
        ThreadPool pool(1);
        pool.post_after(24h, [held] { FAIL(); });
        EXPECT_EQ(held.use_count(), 2);
    }
    EXPECT_EQ(held.use_count(), 1);
}

TEST(ThreadPool, AJobPostedAfterTheStopIsDroppedWithWhatItHolds) {
    const auto held = std::make_shared<int>(1);
    ThreadPool pool(1);
    pool.stop();
    pool.post([held] { FAIL(); });
    pool.post_after(0ms, [held] { FAIL(); });
    EXPECT_EQ(held.use_count(), 1);
}

Task<void> work_elsewhere(Executor& pool, Executor& home, std::vector<std::thread::id>& seen,
                          std::binary_semaphore& done) {
    co_await resume_on(home);
    seen.push_back(std::this_thread::get_id());
    auto work = [] { return std::this_thread::get_id(); };
    const std::thread::id worker = co_await offload(pool, home, work);
    seen.push_back(worker);
    seen.push_back(std::this_thread::get_id());
    home.post([&done] { done.release(); });
}

TEST(ThreadPool, OffloadedWorkComesBackToItsHome) {
    ThreadPool home(1);
    ThreadPool pool(2);
    std::vector<std::thread::id> seen;
    std::binary_semaphore done(0);
    const Task<void> task = work_elsewhere(pool, home, seen, done);
    done.acquire();
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen[0], seen[2]);
    EXPECT_NE(seen[0], seen[1]);
    EXPECT_TRUE(task.done());
}

}  // namespace
}  // namespace hawker
