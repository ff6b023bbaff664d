#include "daemon/headroom.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::daemon {
namespace {

using testing::HasSubstr;

constexpr int kLow = 5;
constexpr int kBeyondEveryLimit = 1 << 30;

std::unique_ptr<Log> quiet() {
    LogOptions options;
    options.level = LogLevel::off;
    return std::move(*Log::open(options));
}

class HeadroomTest : public testing::Test {
protected:
    HeadroomTest() { headroom.set_limits(2, 0); }

    admin::Metrics metrics{"test"};
    std::unique_ptr<Log> log = quiet();
    Headroom headroom{metrics, *log};
};

TEST_F(HeadroomTest, ThereIsRoomUntilThereAreTooManyConnections) {
    metrics.connection_opened();
    EXPECT_EQ(headroom.shortage(kLow), Shortage::none);
    metrics.connection_opened();
    EXPECT_EQ(headroom.shortage(kLow), Shortage::connections);
    metrics.connection_closed();
    EXPECT_EQ(headroom.shortage(), Shortage::none);
}

TEST_F(HeadroomTest, AHighDescriptorMeansThatManyAreOpen) {
    EXPECT_EQ(headroom.shortage(kBeyondEveryLimit), Shortage::descriptors);
}

TEST_F(HeadroomTest, APartOfTheDescriptorsIsHeldBackForThoseWhoAreHere) {
    EXPECT_EQ(descriptors_for_clients(10), 0U);
    EXPECT_EQ(descriptors_for_clients(64), 48U);
    EXPECT_EQ(descriptors_for_clients(1024), 768U);
    EXPECT_EQ(descriptors_for_files(1024), 672U);
    EXPECT_EQ(descriptors_for_clients(262144), 262144U - 8192U);
}

TEST_F(HeadroomTest, MemoryIsMeasuredAndBounded) {
    constexpr std::size_t kMuch = 64U << 20U;
    const std::uint64_t before = own_memory();
    ASSERT_GT(before, 0U);
    headroom.set_limits(2, before + kMuch / 2);
    EXPECT_EQ(headroom.shortage(kLow), Shortage::none);
    std::vector<char> much(kMuch, 'x');
    EXPECT_GE(own_memory(), before + kMuch / 2);
    EXPECT_TRUE(headroom.measure_memory());
    EXPECT_EQ(headroom.shortage(kLow), Shortage::memory);
    headroom.set_limits(2, 0);
    EXPECT_EQ(headroom.shortage(kLow), Shortage::none) << "0 is no bound";
    EXPECT_EQ(much.back(), 'x');
}

TEST_F(HeadroomTest, WhatWasMissingIsCounted) {
    headroom.ran_out(Shortage::memory);
    headroom.refused(Shortage::descriptors);
    headroom.closed_idle(3);
    const std::string text = metrics.text({});
    EXPECT_THAT(text, HasSubstr("hawker_accept_pauses_total{limit=\"memory\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("hawker_connections_refused_total{limit=\"descriptors\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("hawker_connections_shed_total 3\n"));
}

}  // namespace
}  // namespace hawker::daemon
