#include "base/strand.h"

#include "base/thread_pool.h"

#include <atomic>
#include <latch>
#include <vector>

#include <gtest/gtest.h>

namespace hawker {
namespace {

TEST(Strand, JobsNeverOverlapAndKeepTheirOrder) {
    std::vector<int> order;
    std::atomic<int> inside = 0;
    std::atomic<bool> overlapped = false;
    {
        ThreadPool pool(4);
        Strand strand(pool);
        for (int i = 0; i < 1000; ++i)
            strand.post([&, i] {
                if (++inside > 1) overlapped = true;
                order.push_back(i);
                --inside;
            });
    }
    EXPECT_FALSE(overlapped);
    std::vector<int> expected(1000);
    for (int i = 0; i < 1000; ++i) expected[static_cast<std::size_t>(i)] = i;
    EXPECT_EQ(order, expected);
}

TEST(Strand, OneStrandDoesNotWaitForAnother) {
    ThreadPool pool(2);
    Strand first(pool), second(pool);
    std::latch both(2);
    first.post([&both] { both.arrive_and_wait(); });
    second.post([&both] { both.arrive_and_wait(); });
}

TEST(Strand, ADelayedJobKeepsTheOrderToo) {
    ThreadPool pool(2);
    Strand strand(pool);
    std::latch ran(1);
    strand.post_after(std::chrono::milliseconds(1), [&ran] { ran.count_down(); });
    ran.wait();
}

}  // namespace
}  // namespace hawker
