#include "cache/eviction.h"

#include "tests/unit/cache/scratch.h"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace hawker::cache {
namespace {

using namespace test;

class EvictionTest : public testing::Test {
protected:
    ScratchDirectory directory;
    OpenIndex index{directory.path()};
    std::unique_ptr<DataFiles> files =
        std::move(*DataFiles::open(std::make_shared<SystemDisk>(), directory.path()));
    std::vector<TaskId> victims;
    std::set<TaskId> in_use;
    CacheLimits limits;
    Eviction eviction{*index.index, *files, *index.log,
                      [this](const TaskId& task, std::uint64_t generation) {
                          return try_remove(task, generation);
                      }};

    void SetUp() override {
        limits.min_free = 0;
        limits.max_size = 1'000'000;
        limits.low_watermark = 1.0;
    }

    bool try_remove(const TaskId& task, std::uint64_t generation) {
        if (in_use.contains(task)) return false;
        victims.push_back(task);
        index->remove(task, generation, nullptr);
        return true;
    }

    TaskId stored(std::string_view name, std::uint64_t size, std::int64_t stored_at) {
        ObjectRecord record = object(task_named(name), 1);
        record.size = size;
        record.stored_at = stored_at;
        record.complete = true;
        index->put_object(record);
        index->put_piece(record.task, 1, whole_piece(size), nullptr);
        return record.task;
    }
    // Another name for the file of `of`.
    TaskId linked(std::string_view name, const TaskId& of, std::int64_t stored_at) {
        index.commit();
        ObjectRecord record = *index->find(of);
        record.task = task_named(name);
        record.stored_at = stored_at;
        index->put_link(record, {whole_piece(record.size)}, nullptr, of, record.generation);
        return record.task;
    }
    static PieceRecord whole_piece(std::uint64_t size) {
        PieceRecord record = piece(0);
        record.length = static_cast<std::uint32_t>(size);
        return record;
    }
    void used(const TaskId& task, std::int64_t at) {
        index.clock.seconds = at;
        index->touch(task);
    }
    std::uint64_t run_with(Evict order, std::uint64_t max_size) {
        limits.evict = order;
        limits.max_size = max_size;
        eviction.set_limits(limits);
        index.commit();
        return eviction.run();
    }
};

TEST_F(EvictionTest, NothingLeavesWhileEveryLimitHolds) {
    stored("a", 100, 1);
    index.commit();
    EXPECT_EQ(eviction.excess(), 0U);
    EXPECT_EQ(run_with(Evict::lru, 100), 0U);
    EXPECT_TRUE(victims.empty());
}

TEST_F(EvictionTest, LeastRecentlyUsedLeaveFirst) {
    const TaskId a = stored("a", 100, 1);
    const TaskId b = stored("b", 100, 2);
    const TaskId c = stored("c", 100, 3);
    used(a, 50);
    EXPECT_EQ(run_with(Evict::lru, 100), 200U);
    EXPECT_EQ(victims, (std::vector<TaskId>{b, c}));
    EXPECT_TRUE(index->find(a));
    EXPECT_FALSE(index->find(b)) << "committed when run() is back";
    EXPECT_EQ(eviction.bytes(), 100U);
    EXPECT_EQ(eviction.evictions(), 2U);
    EXPECT_EQ(eviction.evicted_bytes(), 200U);
}

TEST_F(EvictionTest, FirstInFirstOutLooksAtNoUse) {
    const TaskId a = stored("a", 100, 1);
    const TaskId b = stored("b", 100, 2);
    stored("c", 100, 3);
    used(a, 50);
    run_with(Evict::fifo, 150);
    EXPECT_EQ(victims, (std::vector<TaskId>{a, b}));
}

TEST_F(EvictionTest, LargeOnesLeaveFirst) {
    stored("small", 100, 1);
    const TaskId huge = stored("huge", 10'000, 3);
    const TaskId large = stored("large", 1'000, 2);
    run_with(Evict::large_first, 500);
    EXPECT_EQ(victims, (std::vector<TaskId>{huge, large}));
}

TEST_F(EvictionTest, APartialObjectCountsWhatItHas) {
    ObjectRecord partial = object(task_named("partial"), 1);
    partial.size = 1'000'000;
    index->put_object(partial);
    for (std::uint32_t number = 0; number < 5; ++number)
        index->put_piece(partial.task, 1, piece(number), nullptr);
    const TaskId whole = stored("whole", 100, 9);
    EXPECT_EQ(run_with(Evict::large_first, 60), 100U);
    EXPECT_EQ(victims, (std::vector<TaskId>{whole}));
}

TEST_F(EvictionTest, ItGoesDownToTheLowWatermark) {
    for (int i = 0; i < 10; ++i) stored("task " + std::to_string(i), 100, i);
    limits.low_watermark = 0.5;
    limits.max_size = 1'000;
    eviction.set_limits(limits);
    index.commit();
    EXPECT_EQ(eviction.excess(), 0U) << "full is not over";
    stored("one more", 100, 11);
    index.commit();
    EXPECT_EQ(eviction.excess(), 600U);
    EXPECT_EQ(eviction.run(), 600U);
    EXPECT_EQ(eviction.bytes(), 500U);
    EXPECT_EQ(victims.front(), task_named("task 0"));
}

TEST_F(EvictionTest, WhatIsInUseStaysAndTheNextOneLeaves) {
    const TaskId a = stored("a", 100, 1);
    const TaskId b = stored("b", 100, 2);
    in_use.insert(a);
    EXPECT_EQ(run_with(Evict::lru, 100), 100U);
    EXPECT_EQ(victims, (std::vector<TaskId>{b}));
    EXPECT_EQ(run_with(Evict::lru, 10), 0U) << "everything else is in use: it ends all the same";
}

TEST_F(EvictionTest, MoreInUseThanOnePassRemembersDoNotHideTheRest) {
    for (std::size_t i = 0; i < 5'000; ++i) {
        const TaskId task = stored("busy " + std::to_string(i), 10, 1);
        in_use.insert(task);
    }
    const TaskId idle = stored("idle", 10, 2);
    EXPECT_EQ(run_with(Evict::lru, 5'000 * 10), 10U);
    EXPECT_EQ(victims, (std::vector<TaskId>{idle}));
}

TEST_F(EvictionTest, ManyVictimsLeaveInOrderOverSeveralPasses) {
    for (int i = 0; i < 6'000; ++i) stored("task " + std::to_string(i), 10, i);
    EXPECT_EQ(run_with(Evict::fifo, 5'000), 55'000U);
    ASSERT_EQ(victims.size(), 5'500U);
    EXPECT_EQ(victims.front(), task_named("task 0"));
    EXPECT_EQ(victims.back(), task_named("task 5499"));
}

TEST_F(EvictionTest, ADiskThatIsFullerThanAllowedCallsForMoreThanWeHave) {
    stored("a", 100, 1);
    index.commit();
    limits.min_free = files->space()->total * 2;
    eviction.set_limits(limits);
    EXPECT_GT(eviction.excess(), files->space()->total);
    EXPECT_FALSE(eviction.could_fit(1));
    EXPECT_EQ(eviction.run(), 100U);
    limits.min_free = 0;
    eviction.set_limits(limits);
    EXPECT_EQ(eviction.excess(), 0U);
    limits.max_used_percent = 1e-9;
    eviction.set_limits(limits);
    EXPECT_GT(eviction.excess(), 0U);
    EXPECT_FALSE(eviction.could_fit(1));
    limits.max_used_percent = 100;
    eviction.set_limits(limits);
    EXPECT_EQ(eviction.excess(), 0U);
}

TEST_F(EvictionTest, AnObjectLargerThanTheCacheCannotFit) {
    limits.max_size = 1'000;
    eviction.set_limits(limits);
    stored("a", 900, 1);
    index.commit();
    EXPECT_TRUE(eviction.could_fit(1'000)) << "after evicting";
    EXPECT_FALSE(eviction.could_fit(1'001));
}

TEST_F(EvictionTest, OneOfTwoNamesMakesNoRoomAndTheNextOneLeavesToo) {
    const TaskId first = stored("first", 100, 1);
    linked("second", first, 9);
    const TaskId cold = stored("cold", 100, 2), warm = stored("warm", 100, 3);
    EXPECT_EQ(run_with(Evict::lru, 250), 100U);
    EXPECT_EQ(victims, (std::vector<TaskId>{first, cold}));
    EXPECT_EQ(eviction.bytes(), 200U);
    EXPECT_TRUE(index->find(warm));
    EXPECT_EQ(eviction.evicted_bytes(), 100U);
}

TEST_F(EvictionTest, TheLastNameTakesTheBytesWithIt) {
    const TaskId first = stored("first", 100, 1);
    const TaskId second = linked("second", first, 2);
    const TaskId third = linked("third", second, 3);
    const TaskId other = stored("other", 100, 4);
    EXPECT_EQ(run_with(Evict::lru, 150), 100U);
    EXPECT_EQ(victims, (std::vector<TaskId>{first, second, third}));
    EXPECT_EQ(eviction.bytes(), 100U);
    EXPECT_TRUE(index->find(other));
}

TEST_F(EvictionTest, ANameThatStaysInUseKeepsItsBytesAndTheRunEnds) {
    const TaskId first = stored("first", 100, 1);
    in_use.insert(linked("second", first, 2));
    EXPECT_EQ(run_with(Evict::lru, 50), 0U);
    EXPECT_EQ(victims, (std::vector<TaskId>{first}));
    EXPECT_EQ(eviction.bytes(), 100U);
    EXPECT_EQ(run_with(Evict::lru, 50), 0U) << "nothing else is left to leave";
}

TEST_F(EvictionTest, NamesOfOneFileAreNotTooMuchWhereOneFitsIn) {
    const TaskId first = stored("first", 100, 1);
    for (int i = 0; i < 20; ++i) linked("name " + std::to_string(i), first, 2 + i);
    EXPECT_EQ(run_with(Evict::lru, 100), 0U);
    EXPECT_TRUE(victims.empty());
}

TEST_F(EvictionTest, WhatIsBeingRemovedAnywayIsNotAskedForTwice) {
    const TaskId a = stored("a", 100, 1);
    const TaskId b = stored("b", 100, 2);
    index.commit();
    limits.max_size = 100;
    eviction.set_limits(limits);
    index->remove(b, 1, nullptr);
    EXPECT_EQ(eviction.run(), 0U);
    EXPECT_TRUE(index->find(a));
}

}  // namespace
}  // namespace hawker::cache
