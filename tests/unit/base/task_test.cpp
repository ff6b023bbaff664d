#include "base/task.h"

#include "base/error.h"
#include "base/frames.h"
#include "base/task_group.h"
#include "base/wake.h"
#include "tests/unit/base/hand_executor.h"

#include <cstddef>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hawker {
namespace {

using namespace std::chrono_literals;

Task<int> ready(int value) { co_return value; }

Task<int> later(Executor& loop, int value) {
    co_await resume_on(loop);
    co_return value;
}

Task<Expected<std::string>> fails(Executor& loop) {
    co_await resume_on(loop);
    co_return fail(Errc::timed_out, "first byte");
}

Task<int> sum(Executor& loop) {
    int total = 0;
    for (int i = 0; i < 3; ++i) {
        const int value = co_await later(loop, i);
        total += value;
    }
    co_return total;
}

TEST(Task, RunsAtOnceUpToItsFirstWait) {
    HandExecutor loop;
    bool started = false;
    const auto start = [](Executor& home, bool& flag) -> Task<void> {
        flag = true;
        co_await resume_on(home);
    };
    const Task<void> task = start(loop, started);
    EXPECT_TRUE(started);
    EXPECT_FALSE(task.done());
    loop.run();
    EXPECT_TRUE(task.done());
}

TEST(Task, GivesItsResultToWhoAwaitsIt) {
    HandExecutor loop;
    Task<int> task = sum(loop);
    EXPECT_FALSE(task.done());
    EXPECT_EQ(loop.run(), 3U);
    EXPECT_EQ(task.take(), 3);
}

Task<int> count_ready(int rounds) {
    int total = 0;
    for (int i = 0; i < rounds; ++i) {
        const int one = co_await ready(1);
        total += one;
    }
    co_return total;
}

TEST(Task, ALoopOverReadyTasksNeedsNoStack) { EXPECT_EQ(count_ready(1'000'000).take(), 1'000'000); }

TEST(Task, AnErrorIsAValue) {
    HandExecutor loop;
    Task<Expected<std::string>> task = fails(loop);
    loop.run();
    const auto result = task.take();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::timed_out);
}

Task<void> throws(Executor& loop) {
    co_await resume_on(loop);
    throw std::logic_error("a bug");
}

Task<std::string> hears(Executor& loop) {
    std::string heard;
    try {
        co_await throws(loop);
    } catch (const std::logic_error& problem) {
        heard = problem.what();
    }
    co_return heard;
}

TEST(Task, AnExceptionTravelsToTheAwaiter) {
    HandExecutor loop;
    Task<std::string> task = hears(loop);
    loop.run();
    EXPECT_EQ(task.take(), "a bug");
}

Task<std::unique_ptr<int>> moves_only(Executor& loop) {
    co_await resume_on(loop);
    co_return std::make_unique<int>(7);
}

TEST(Task, AResultMayMoveOnly) {
    HandExecutor loop;
    Task<std::unique_ptr<int>> task = moves_only(loop);
    loop.run();
    EXPECT_EQ(*task.take(), 7);
}

TEST(Task, CanBeMovedWhileItRuns) {
    HandExecutor loop;
    Task<int> one = later(loop, 5);
    Task<int> two = std::move(one);
    loop.run();
    EXPECT_EQ(two.take(), 5);
}

Task<void> sleeps(Executor& loop, std::chrono::milliseconds delay, std::string& log) {
    co_await sleep_on(loop, delay);
    log += std::to_string(delay.count()) + " ";
}

TEST(TaskGroup, RunsTasksByThemselvesAndKnowsWhenTheyAreDone) {
    HandExecutor loop;
    std::string log;
    {
        TaskGroup group(loop);
        group.spawn(sleeps(loop, 30ms, log));
        group.spawn(sleeps(loop, 10ms, log));
        group.spawn(sleeps(loop, 20ms, log));
        EXPECT_EQ(group.running(), 3U);
        Task<void> drained = group.drained();
        loop.advance(20ms);
        EXPECT_EQ(log, "10 20 ");
        EXPECT_FALSE(drained.done());
        loop.advance(10ms);
        EXPECT_TRUE(drained.done());
        EXPECT_EQ(group.running(), 0U);
    }
    EXPECT_EQ(log, "10 20 30 ");
}

TEST(TaskGroup, AnEmptyOneIsDrained) {
    HandExecutor loop;
    TaskGroup group(loop);
    EXPECT_TRUE(group.drained().done());
}

Task<void> drain_and_note(TaskGroup& group, bool& flag) {
    co_await group.drained();
    flag = true;
}

TEST(TaskGroup, ATaskSpawnedWhileDrainingIsWaitedFor) {
    HandExecutor loop;
    TaskGroup group(loop);
    std::string log;
    bool is_drained = false;
    group.spawn(sleeps(loop, 10ms, log));
    Task<void> drain = drain_and_note(group, is_drained);
    loop.post([&] { group.spawn(sleeps(loop, 50ms, log)); });
    loop.advance(10ms);
    EXPECT_FALSE(is_drained);
    loop.advance(50ms);
    EXPECT_TRUE(is_drained);
    EXPECT_TRUE(drain.done());
}

Task<void> waits_until_set(Wake& wake, const bool& condition, int& woken) {
    while (!condition) {
        co_await wake.wait();
        ++woken;
    }
}

TEST(Wake, NobodyIsCalledBackBeforeTheCallThatAskedHasReturned) {
    HandExecutor loop;
    Wake wake(loop);
    bool condition = false;
    int woken = 0;
    Task<void> one = waits_until_set(wake, condition, woken);
    Task<void> two = waits_until_set(wake, condition, woken);
    EXPECT_TRUE(wake.has_waiters());
    condition = true;
    wake.notify_all();
    EXPECT_EQ(woken, 0);
    loop.run();
    EXPECT_EQ(woken, 2);
    EXPECT_TRUE(one.done() && two.done());
    EXPECT_FALSE(wake.has_waiters());
}

// Under a sanitizer every frame comes from the heap, and goes back.
TEST(Frames, WhatOneLeavesServesTheNextOfItsSizeAndNobodyElse) {
    void* const first = detail::take_frame(700);
    void* const second = detail::take_frame(700);
    EXPECT_NE(first, second);
    detail::leave_frame(first, 700);
    void* const other = detail::take_frame(1000);
    EXPECT_NE(other, first) << "a larger one has no room there";
    void* const again = detail::take_frame(690);
    std::memset(again, 1, 690);
    for (void* const frame : {second, again}) detail::leave_frame(frame, 700);
    detail::leave_frame(other, 1000);
}

TEST(Frames, AFrameMayEndOnAnotherThreadAndAfterItsThread) {
    void* frame = nullptr;
    std::thread([&frame] { frame = detail::take_frame(300); }).join();
    ASSERT_NE(frame, nullptr);
    std::memset(frame, 1, 300);
    std::thread([frame] { detail::leave_frame(frame, 300); }).join();
}

TEST(Frames, TheLargestAndManyOfThemComeAndGo) {
    std::vector<void*> taken;
    for (const std::size_t size : {1U, 64U, 65U, 4096U, 4097U, 100'000U})
        for (int i = 0; i < 50; ++i) taken.push_back(detail::take_frame(size));
    std::size_t at = 0;
    for (const std::size_t size : {1U, 64U, 65U, 4096U, 4097U, 100'000U})
        for (int i = 0; i < 50; ++i) {
            std::memset(taken[at], 1, size);
            detail::leave_frame(taken[at++], size);
        }
}

TEST(Wake, AWaiterWhoseConditionDoesNotHoldWaitsAgain) {
    HandExecutor loop;
    Wake wake(loop);
    bool condition = false;
    int woken = 0;
    Task<void> task = waits_until_set(wake, condition, woken);
    wake.notify_all();
    loop.run();
    EXPECT_EQ(woken, 1);
    EXPECT_FALSE(task.done());
    condition = true;
    wake.notify_all();
    loop.run();
    EXPECT_TRUE(task.done());
}

}  // namespace
}  // namespace hawker
