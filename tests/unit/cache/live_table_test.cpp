#include "cache/live_table.h"

#include "tests/unit/cache/fakes.h"

#include <gtest/gtest.h>

namespace hawker::cache {
namespace {

// All in one part of the table, which has room for three of them.
class LiveTableTest : public ::testing::Test {
protected:
    static TaskId neighbour(std::size_t number) {
        TaskId task = testing::task_named(std::to_string(number));
        task.bytes.back() = std::byte{0};
        return task;
    }
    void sweep_over(const TaskId& task) { table.put_last(*table.enter(task)); }
    bool has(std::size_t number) const { return table.find(neighbour(number)) != nullptr; }

    LiveTable table{16 * 3 * 4_KiB};
};

TEST_F(LiveTableTest, TheLeastRecentlyUsedGoesFirst) {
    for (std::size_t number = 0; number < 3; ++number) table.enter(neighbour(number));
    table.use(neighbour(0));
    table.enter(neighbour(3));
    EXPECT_TRUE(has(0));
    EXPECT_FALSE(has(1));
}

TEST_F(LiveTableTest, ASweepOverManyLeavesWhatIsHot) {
    table.enter(neighbour(0));
    table.enter(neighbour(1));
    for (std::size_t number = 2; number < 30; ++number) {
        sweep_over(neighbour(number));
        EXPECT_TRUE(has(number));
    }
    EXPECT_TRUE(has(0));
    EXPECT_TRUE(has(1));
}

TEST_F(LiveTableTest, WhatIsUsedOnceMoreIsNotTheFirstToGo) {
    table.enter(neighbour(0));
    table.enter(neighbour(1));
    sweep_over(neighbour(2));
    table.use(neighbour(2));
    table.enter(neighbour(3));
    EXPECT_TRUE(has(2));
    EXPECT_FALSE(has(0));
}

TEST_F(LiveTableTest, WhatHasBecomeHotFindsItsWayIn) {
    for (std::size_t number = 0; number < 3; ++number) table.enter(neighbour(number));
    std::size_t stayed = 0;
    for (std::size_t number = 10; number < 110; ++number) {
        sweep_over(neighbour(number));
        sweep_over(neighbour(1'000));
        if (has(number)) ++stayed;
    }
    EXPECT_GT(stayed, 0U);
    EXPECT_FALSE(has(0)) << "what nobody uses has made room";
}

TEST_F(LiveTableTest, DescriptorsComeFromIdleFilesUsedLongestAgo) {
    LiveTable roomy{1_MiB};
    for (std::size_t number = 0; number < 4; ++number)
        roomy.weigh(*roomy.enter(neighbour(number)), nullptr);
    const Body body;
    roomy.weigh(*roomy.enter(neighbour(4)), &body);
    const auto in_use = roomy.use(neighbour(0));
    roomy.use(neighbour(1));

    EXPECT_EQ(roomy.close_idle_files(1), 1U);
    EXPECT_FALSE(roomy.find(neighbour(2)));
    EXPECT_EQ(roomy.close_idle_files(100), 2U);
    EXPECT_FALSE(roomy.find(neighbour(1)));
    EXPECT_TRUE(roomy.find(neighbour(0))) << "somebody reads it";
    EXPECT_TRUE(roomy.find(neighbour(4))) << "it has no file";
    EXPECT_EQ(roomy.close_idle_files(100), 0U);
}

}  // namespace
}  // namespace hawker::cache
