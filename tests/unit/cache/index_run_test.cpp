#include "cache/index.h"
#include "tests/unit/cache/scratch.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace hawker::cache {
namespace {

using namespace test;

class IndexRunTest : public testing::Test {
protected:
    ScratchDirectory directory;
    OpenIndex index{directory.path()};
    const TaskId a = task_named("a");
};

TEST_F(IndexRunTest, PiecesStayTrustedOverACleanStopAndNotOverAnUncleanOne) {
    EXPECT_EQ(index->trusted_boot(), 1U);
    index.stop();
    index.open();
    index.stop();
    index.open();
    EXPECT_EQ(index->boot(), 3U);
    EXPECT_EQ(index->trusted_boot(), 1U);
    ASSERT_TRUE(index->begin_run());
    index.stop_uncleanly();
    index.open();
    EXPECT_EQ(index->boot(), 4U);
    EXPECT_EQ(index->trusted_boot(), 4U);
    index.stop();
    index.open();
    EXPECT_EQ(index->boot(), 5U);
    EXPECT_EQ(index->trusted_boot(), 4U);
}

TEST_F(IndexRunTest, ARunThatHasChangedNothingLeavesNoTraceWhenItIsKilled) {
    index.stop();
    index.open();
    index.stop_uncleanly();
    index.open();
    EXPECT_EQ(index->boot(), 2U) << "its number is on nothing";
    EXPECT_EQ(index->trusted_boot(), 1U) << "and what it has read was clean";
}

TEST_F(IndexRunTest, ARunThatIsEnteredWhileItEndsDoesOneAfterTheOther) {
    std::atomic<bool> ends = false;
    std::thread entering([this, &ends] {
        while (!ends) std::this_thread::yield();
        const auto begun = index->begin_run();
        EXPECT_TRUE(begun || begun.error().code == Errc::shutting_down);
    });
    ends = true;
    index->close();
    entering.join();
}

TEST_F(IndexRunTest, ARunThatHasEndedIsNotEntered) {
    index->close();
    const auto begun = index->begin_run();
    ASSERT_FALSE(begun);
    EXPECT_EQ(begun.error().code, Errc::shutting_down);
}

TEST_F(IndexRunTest, ARunIsEnteredBeforeItsFirstChange) {
    index.stop();
    index.open();
    index->touch(a);
    index->flush([] {}, Index::When::now);
    index.stop();
    index.open();
    index->put_object(object(a, 1));
    index.commit();
    index.stop_uncleanly();
    index.open();
    EXPECT_EQ(index->boot(), 4U);
    EXPECT_EQ(index->trusted_boot(), 4U);
}

}  // namespace
}  // namespace hawker::cache
