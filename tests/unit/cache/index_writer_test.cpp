// When the index commits, whom it calls back, and what threads may do meanwhile.
#include "cache/index.h"
#include "tests/unit/cache/scratch.h"

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hawker::cache {
namespace {

using namespace test;

class IndexWriterTest : public testing::Test {
protected:
    ScratchDirectory directory;
    OpenIndex index{directory.path()};
    const TaskId a = task_named("a");
    const TaskId b = task_named("b");
};

TEST_F(IndexWriterTest, AFlushInTurnIsAnsweredWithTheBatchItBelongsTo) {
    std::atomic<int> order = 0;
    int in_turn = 0;
    int now = 0;
    index->flush([&] { in_turn = ++order; });
    index->put_object(object(a, 1));
    EXPECT_EQ(order, 0) << "the interval is an hour";
    index->flush([&] { now = ++order; }, Index::When::now);
    index.commit();
    EXPECT_EQ(in_turn, 1);
    EXPECT_EQ(now, 2);
}

TEST_F(IndexWriterTest, ClosingAnswersWhatIsQueued) {
    bool flushed = false;
    bool removed = false;
    index->put_object(object(a, 1));
    index->remove(a, 1, [&] { removed = true; });
    index->flush([&] { flushed = true; });
    index->close();
    EXPECT_TRUE(removed);
    EXPECT_TRUE(flushed);
}

TEST_F(IndexWriterTest, BatchesAreCommittedByThemselvesAfterTheInterval) {
    index.stop();
    index.options.commit_interval = std::chrono::milliseconds(1);
    index.open();
    std::promise<bool> there;
    index->put_object(object(a, 1));
    index->flush([&] { there.set_value(index->find(a).has_value()); });
    EXPECT_TRUE(there.get_future().get());
}

TEST_F(IndexWriterTest, ACallbackAndWhatItHoldsMayQueueMore) {
    const auto last_words = [this](const int*) { index->put_object(object(b, 1)); };
    static constexpr int kSomething = 0;
    std::shared_ptr<const int> held(&kSomething, last_words);
    index->remove(a, 1, [this, kept = std::move(held)] { index->put_object(object(a, 2)); });
    index.commit();
    index.commit();
    EXPECT_TRUE(index->find(a));
    EXPECT_TRUE(index->find(b)) << "what a callback holds is let go before the next is called";
}

TEST_F(IndexWriterTest, WhoeverAsksHearsThatTheDiskIsBehindAndWhenItIsNot) {
    index.stop();
    index.options.map_size = 1ULL << 30U;
    index.open();
    std::promise<void> working;
    std::promise<void> may_go_on;
    index->flush(
        [&] {
            working.set_value();
            may_go_on.get_future().wait();
        },
        Index::When::now);
    working.get_future().wait();
    const auto body = std::make_shared<Body>(100'000);
    std::uint64_t number = 0;
    while (!index->is_behind() && number < 10'000) {
        ++number;
        index->put_inline(object(task_number(number), number), body);
    }
    EXPECT_GT(number, 100U);
    EXPECT_LT(number, 10'000U);
    EXPECT_GE(index->waiting_bytes(), number * body->size());
    may_go_on.set_value();
    index.commit();
    EXPECT_EQ(index->waiting_bytes(), 0U);
    EXPECT_FALSE(index->is_behind());
    EXPECT_EQ(index->dropped(), 0U);
    EXPECT_EQ(index->objects(), number) << "nothing was dropped";
}

TEST_F(IndexWriterTest, AfterCloseReadsFindNothingAndAFlushIsAnswered) {
    index->put_object(object(a, 1));
    index->close();
    EXPECT_FALSE(index->find(a));
    EXPECT_EQ(index->objects(), 0U);
    index->put_object(object(b, 1));
    index->touch(b);
    index.commit();
    index->close();
}

TEST_F(IndexWriterTest, ManyThreadsReadWhileOneWrites) {
    std::atomic<bool> writing = true;
    std::vector<std::thread> readers;
    for (int i = 0; i < 4; ++i)
        readers.emplace_back([&] {
            while (writing)
                for (std::size_t n = 0; n < 50; ++n) {
                    const auto record = index->find(task_number(n));
                    EXPECT_TRUE(!record || record->validator == "\"etag\"");
                }
        });
    for (int round = 1; round <= 20; ++round) {
        for (std::size_t n = 0; n < 50; ++n) {
            index->put_object(object(task_number(n), static_cast<std::uint64_t>(round)));
            index->touch(task_number(n));
        }
        index.commit();
    }
    writing = false;
    for (std::thread& reader : readers) reader.join();
    EXPECT_EQ(index->find(task_number(7))->generation, 20U);
}

}  // namespace
}  // namespace hawker::cache
