#include "daemon/admission/bandwidth.h"

#include <gtest/gtest.h>

namespace hawker::admission {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMiB = 1ULL << 20U;

class BucketTest : public testing::Test {
protected:
    // Takes `bytes` in quanta, waiting as told; when the last one goes.
    SteadyTime send(Bucket& bucket, std::uint64_t bytes, SteadyTime from) {
        while (bytes > 0) {
            const std::uint64_t next = std::min(bytes, bucket.quantum());
            from += bucket.reserve(next, from);
            bytes -= next;
        }
        return from;
    }
    const SteadyTime start = SteadyTime() + 1h;
};

TEST_F(BucketTest, ATransferTakesAsLongAsTheRateSays) {
    Bucket bucket(10 * kMiB);
    const auto taken = send(bucket, 100 * kMiB, start) - start;
    EXPECT_GT(taken, 9600ms);
    EXPECT_LT(taken, 10'000ms);
}

TEST_F(BucketTest, TwoThatTakeTurnsHaveHalfEach) {
    Bucket bucket(8 * kMiB);
    SteadyTime first = start;
    SteadyTime second = start;
    for (int i = 0; i < 200; ++i) {
        first += bucket.reserve(bucket.quantum(), first);
        second += bucket.reserve(bucket.quantum(), second);
    }
    const auto apart = first > second ? first - second : second - first;
    EXPECT_LT(apart, 200ms);
    EXPECT_GT(first - start, 9s);  // 400 quanta of a twentieth of a second, less the burst
}

TEST_F(BucketTest, APauseEarnsAQuarterOfASecondAndNoMore) {
    Bucket bucket(4 * kMiB);
    send(bucket, 20 * kMiB, start);
    const SteadyTime later = start + 1h;
    EXPECT_EQ(bucket.reserve(1 * kMiB, later), 0ns);
    EXPECT_LE(bucket.reserve(1, later), 1us);
    bucket.reserve(4 * kMiB, later);
    EXPECT_GT(bucket.reserve(1, later), 900ms);
}

TEST_F(BucketTest, AnotherRateHoldsFromTheNextQuantumOn) {
    Bucket bucket(1 * kMiB);
    send(bucket, 2 * kMiB, start);
    bucket.set_rate(100 * kMiB);
    const SteadyTime now = start + 10s;
    EXPECT_LT(send(bucket, 50 * kMiB, now) - now, 500ms);
}

TEST(Buckets, OnePurposeIsOneBucketForAsLongAsSomebodyUsesIt) {
    Buckets buckets;
    const auto first = buckets.get("rule models", kMiB);
    EXPECT_EQ(buckets.get("rule models", 20 * kMiB), first);
    EXPECT_EQ(first->quantum(), 256U * 1024);  // the new rate is the old bucket's too
    EXPECT_NE(buckets.get("user alice", kMiB), first);
}

TEST(Buckets, ThoseThatNobodyUsesAreForgotten) {
    Buckets buckets;
    const auto kept = buckets.get("user kept", kMiB);
    for (int i = 0; i < 10'000; ++i) buckets.get("user " + std::to_string(i), kMiB);
    EXPECT_LE(buckets.size(), 65U);
    EXPECT_EQ(buckets.get("user kept", kMiB), kept);
}

}  // namespace
}  // namespace hawker::admission
