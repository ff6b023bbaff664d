#include "cache/reads_under_way.h"

#include <gtest/gtest.h>

namespace hawker::cache {
namespace {

using namespace std::chrono_literals;

constexpr ByteRange kRead{8'000'000, 9'000'000};

class ReadsUnderWayTest : public ::testing::Test {
public:
    ReadsUnderWay reads;
    const ReadsUnderWay::Time now = std::chrono::steady_clock::now();
};

TEST_F(ReadsUnderWayTest, NothingIsOnItsWayAtFirst) {
    EXPECT_FALSE(reads.touch(ByteRange(0, 1), now));
}

TEST_F(ReadsUnderWayTest, OnlyWhatWasAskedForMayBeOnItsWay) {
    reads.add(kRead, now);
    EXPECT_TRUE(reads.touch(ByteRange(8'500'000, 8'500'001), now));
    EXPECT_TRUE(reads.touch(ByteRange(0, 8'000'001), now));
    EXPECT_FALSE(reads.touch(ByteRange(0, 8'000'000), now));
}

TEST_F(ReadsUnderWayTest, TheKernelReadsOnBehindIt) {
    reads.add(kRead, now);
    EXPECT_TRUE(reads.touch(ByteRange(9'000'000, 9'000'001), now));
    EXPECT_FALSE(reads.touch(ByteRange(20'000'000, 20'000'001), now));
}

TEST_F(ReadsUnderWayTest, WhatWasAskedForIsThereAtLast) {
    reads.add(kRead, now);
    EXPECT_TRUE(reads.touch(kRead, now + 10s));
    EXPECT_FALSE(reads.touch(kRead, now + 11s));
}

TEST_F(ReadsUnderWayTest, MoreThanAreRememberedMayBeAnywhere) {
    for (int i = 0; i < 64; ++i) reads.add(kRead, now);
    EXPECT_FALSE(reads.touch(ByteRange(0, 1), now));
    reads.add(kRead, now + 1s);
    EXPECT_TRUE(reads.touch(ByteRange(0, 1), now + 1s));
    // The one that was forgotten is there by then, the others are known.
    EXPECT_FALSE(reads.touch(ByteRange(0, 1), now + 11s));
    EXPECT_TRUE(reads.touch(kRead, now + 11s));
}

}  // namespace
}  // namespace hawker::cache
