#include "daemon/proxy/idle_order.h"

#include <memory>

#include <gtest/gtest.h>

namespace hawker::proxy {
namespace {

using namespace std::chrono_literals;

class IdleOrderTest : public testing::Test {
protected:
    IdleOrderTest() {
        for (IdleOrder::Member* const each : {&first, &second, &third}) each->join(order, now);
    }
    SteadyTime now = SteadyTime() + 5s;
    IdleOrder order;
    IdleOrder::Member first;
    IdleOrder::Member second;
    IdleOrder::Member third;
};

TEST_F(IdleOrderTest, WhoBeganToWaitFirstIsFirst) {
    EXPECT_EQ(order.longest(), &first);
    first.leave();
    EXPECT_EQ(order.longest(), &second);
}

TEST_F(IdleOrderTest, OneFromTheMiddleLeavesTheOthersInOrder) {
    second.leave();
    first.leave();
    EXPECT_EQ(order.longest(), &third);
    third.leave();
    EXPECT_EQ(order.longest(), nullptr);
}

TEST_F(IdleOrderTest, WhoComesBackIsLast) {
    first.leave();
    first.join(order, now + 1s);
    second.leave();
    third.leave();
    EXPECT_EQ(order.longest(), &first);
    EXPECT_EQ(first.idle_since(), now + 1s);
}

TEST_F(IdleOrderTest, LeavingTwiceIsLeavingOnce) {
    first.leave();
    first.leave();
    EXPECT_EQ(order.longest(), &second);
}

TEST_F(IdleOrderTest, OneThatIsDroppedIsGone) {
    IdleOrder other;
    {
        IdleOrder::Member brief;
        brief.join(other, now);
        EXPECT_EQ(other.longest(), &brief);
    }
    EXPECT_EQ(other.longest(), nullptr);
}

}  // namespace
}  // namespace hawker::proxy
