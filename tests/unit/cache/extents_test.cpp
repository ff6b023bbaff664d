#include "cache/extents.h"

#include <bitset>
#include <random>

#include <gtest/gtest.h>

namespace hawker::cache {
namespace {

TEST(Extents, TouchingStretchesBecomeOne) {
    Extents extents;
    extents.add(ByteRange(0, 10));
    extents.add(ByteRange(20, 30));
    extents.add(ByteRange(10, 20));
    EXPECT_EQ(extents.stretches(), std::vector<ByteRange>{ByteRange(0, 30)});
    EXPECT_EQ(extents.total(), 30U);
}

TEST(Extents, RemovingTheMiddleLeavesTwoEnds) {
    Extents extents;
    extents.add(ByteRange(0, 30));
    extents.remove(ByteRange(10, 20));
    EXPECT_EQ(extents.run_end(0), 10U);
    EXPECT_EQ(extents.run_end(10), 10U);
    EXPECT_EQ(extents.first_gap(ByteRange(5, 25)), ByteRange(10, 20));
    EXPECT_EQ(extents.count(ByteRange(5, 25)), 10U);
}

TEST(Extents, AnEmptyRangeIsAlwaysContained) {
    const Extents extents;
    EXPECT_TRUE(extents.contains(ByteRange(7, 7)));
    EXPECT_FALSE(extents.contains(ByteRange(7, 8)));
}

// Against the plainest thing that could work.
TEST(Extents, AgreesWithABitset) {
    constexpr std::size_t kSize = 64;
    std::mt19937 random(7);  // NOLINT: the same every time
    std::uniform_int_distribution<std::uint64_t> any(0, kSize);
    Extents extents;
    std::bitset<kSize> bits;
    for (int round = 0; round < 20'000; ++round) {
        const std::uint64_t a = any(random), b = any(random);
        const ByteRange range(std::min(a, b), std::max(a, b));
        const bool adds = random() % 2 == 0;
        adds ? extents.add(range) : extents.remove(range);
        for (std::uint64_t i = range.first; i < range.end; ++i) bits.set(i, adds);
        ASSERT_EQ(extents.total(), bits.count());
        for (std::uint64_t i = 0; i < kSize; ++i)
            ASSERT_EQ(extents.contains(ByteRange(i, i + 1)), bits.test(i));
        std::uint64_t last_end = 0;
        for (const ByteRange& stretch : extents.stretches()) {
            ASSERT_FALSE(stretch.empty());
            ASSERT_TRUE(stretch.first > last_end || last_end == 0);
            last_end = stretch.end;
        }
    }
}

}  // namespace
}  // namespace hawker::cache
