#include "daemon/admission/recent_keys.h"

#include <gtest/gtest.h>

namespace hawker::admission {
namespace {

using namespace std::chrono_literals;

Digest key(std::uint8_t number) {
    Digest digest;
    digest.bytes[0] = std::byte{number};
    return digest;
}

SteadyTime after(std::chrono::milliseconds time) { return SteadyTime() + time; }

TEST(RecentKeys, AKeyLivesForItsTime) {
    RecentKeys keys(4);
    keys.add(key(1), after(0s), 10s);
    EXPECT_TRUE(keys.contains(key(1), after(9s)));
    EXPECT_FALSE(keys.contains(key(1), after(10s)));
    EXPECT_FALSE(keys.contains(key(2), after(0s)));
}

TEST(RecentKeys, ATouchBeginsItsTimeAnewAndALookDoesNot) {
    RecentKeys keys(4);
    keys.add(key(1), after(0s), 10s);
    keys.add(key(2), after(0s), 10s);
    EXPECT_TRUE(keys.touch(key(1), after(9s)));
    EXPECT_TRUE(keys.contains(key(2), after(9s)));
    EXPECT_TRUE(keys.contains(key(1), after(18s)));
    EXPECT_FALSE(keys.contains(key(2), after(18s)));
}

TEST(RecentKeys, WhatHasEndedCannotBeTouched) {
    RecentKeys keys(4);
    keys.add(key(1), after(0s), 10s);
    EXPECT_FALSE(keys.touch(key(1), after(10s)));
    EXPECT_FALSE(keys.contains(key(1), after(10s)));
}

TEST(RecentKeys, WhenThereAreTooManyTheLongestUntouchedLeaves) {
    RecentKeys keys(2);
    keys.add(key(1), after(0s), 10s);
    keys.add(key(2), after(0s), 10s);
    EXPECT_TRUE(keys.touch(key(1), after(1s)));
    keys.add(key(3), after(2s), 10s);
    EXPECT_TRUE(keys.contains(key(1), after(2s)));
    EXPECT_FALSE(keys.contains(key(2), after(2s)));
    EXPECT_EQ(keys.size(), 2U);
}

TEST(RecentKeys, AKeyThatIsAddedAgainIsThereOnce) {
    RecentKeys keys(2);
    keys.add(key(1), after(0s), 1s);
    keys.add(key(1), after(0s), 10s);
    EXPECT_EQ(keys.size(), 1U);
    EXPECT_TRUE(keys.contains(key(1), after(5s)));
}

}  // namespace
}  // namespace hawker::admission
