#include "daemon/origin/upstreams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::origin {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class UpstreamsTest : public testing::Test {
protected:
    std::vector<std::size_t> order() { return upstreams.order(now); }
    void fails(std::size_t which) { upstreams.failed(which, now); }

    Upstreams upstreams{3};
    SteadyTime now{1h};
};

TEST_F(UpstreamsTest, HealthyOnesAreAskedAsConfigured) {
    EXPECT_THAT(order(), ElementsAre(0, 1, 2));
    EXPECT_THAT(order(), ElementsAre(0, 1, 2));
}

TEST_F(UpstreamsTest, WhatFailedIsAskedLast) {
    fails(0);
    EXPECT_THAT(order(), ElementsAre(1, 2, 0));
    now += 10ms;
    fails(1);
    EXPECT_THAT(order(), ElementsAre(2, 0, 1));
}

TEST_F(UpstreamsTest, AfterItsRestOneRequestTriesItAndOthersGoOnWithoutIt) {
    fails(0);
    now += 1s;
    EXPECT_THAT(order(), ElementsAre(0, 1, 2));
    EXPECT_THAT(order(), ElementsAre(1, 2, 0));
    upstreams.worked(0);
    EXPECT_THAT(order(), ElementsAre(0, 1, 2));
    EXPECT_THAT(order(), ElementsAre(0, 1, 2));
}

TEST_F(UpstreamsTest, EveryFailureInARowDoublesTheRestUpToThirtySeconds) {
    for (int i = 0; i < 10; ++i) {
        now += 30s;
        order();
        fails(0);
    }
    now += 29s;
    EXPECT_THAT(order(), ElementsAre(1, 2, 0));
    now += 1s;
    EXPECT_THAT(order(), ElementsAre(0, 1, 2));
}

TEST_F(UpstreamsTest, AllThatWasUnderWayFailsWithItAndIsOneFailure) {
    for (int i = 0; i < 10; ++i) fails(0);
    now += 1s;
    EXPECT_THAT(order(), ElementsAre(0, 1, 2));
}

TEST_F(UpstreamsTest, WhereAllFailedTheOneWhoseRestEndsFirstIsAskedFirst) {
    fails(1);
    now += 10ms;
    fails(0);
    now += 10ms;
    fails(2);
    EXPECT_THAT(order(), ElementsAre(1, 0, 2));
}

TEST_F(UpstreamsTest, ARestIsNoShorterThanTheTrialThatFailed) {
    upstreams.failed(0, now, 4s);
    now += 3s;
    EXPECT_THAT(order(), ElementsAre(1, 2, 0));
    now += 1s;
    EXPECT_THAT(order(), ElementsAre(0, 1, 2));
    upstreams.failed(0, now, 60s);
    now += 59s;
    EXPECT_THAT(order(), ElementsAre(1, 2, 0));
}

TEST_F(UpstreamsTest, WhoHoldsSomethingAsksNoneThatRests) {
    fails(0);
    EXPECT_THAT(upstreams.order(now, Otherwise::something), ElementsAre(1, 2));
    fails(1);
    fails(2);
    EXPECT_THAT(upstreams.order(now, Otherwise::something), ElementsAre());
    now += 1s;
    EXPECT_THAT(upstreams.order(now, Otherwise::something), ElementsAre(0, 1, 2));
}

TEST_F(UpstreamsTest, OnlyTheLastOneThatIsWellIsWaitedForAsLongAsItTakes) {
    EXPECT_EQ(upstreams.patience(0, now, Otherwise::nothing), Upstreams::kPatience);
    fails(1);
    EXPECT_EQ(upstreams.patience(0, now, Otherwise::nothing), Upstreams::kPatience);
    fails(2);
    EXPECT_EQ(upstreams.patience(0, now, Otherwise::nothing), std::nullopt);
    EXPECT_EQ(upstreams.patience(0, now, Otherwise::something), Upstreams::kPatience);
    EXPECT_EQ(upstreams.patience(1, now, Otherwise::nothing), Upstreams::kPatience);
}

TEST_F(UpstreamsTest, NoneIsWellWhileAllRest) {
    fails(0);
    fails(1);
    EXPECT_TRUE(upstreams.is_any_well(now));
    fails(2);
    EXPECT_FALSE(upstreams.is_any_well(now));
    EXPECT_TRUE(upstreams.is_any_well(now + 1s));
}

TEST(NoUpstreams, HaveNoOrder) {
    Upstreams none(0);
    EXPECT_TRUE(none.order(SteadyTime()).empty());
}

}  // namespace
}  // namespace hawker::origin
