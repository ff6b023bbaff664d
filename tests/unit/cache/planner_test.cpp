#include "cache/planner.h"

#include "cache/holdings.h"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace hawker::cache {
namespace {

constexpr std::uint64_t kPiece = 4_MiB;
constexpr std::uint64_t kSize = 256_MiB;

class Planner : public ::testing::Test {
protected:
    std::optional<ByteRange> next(std::uint64_t size = kSize) {
        const Situation now{.size = size,
                            .piece_size = kPiece,
                            .connections = connections,
                            .begun = begun,
                            .per_wait = per_wait,
                            .present = present,
                            .flying = flying,
                            .goal = goal,
                            .needs = needs};
        return plan_segment(now);
    }
    void want(std::uint64_t position, std::uint64_t end, bool waiting = true) {
        needs.emplace_back(position, end, waiting);
        goal.add(in_whole_pieces(ByteRange(position, end), kPiece, kSize));
    }

    unsigned connections = 4, begun = 0;
    std::uint64_t per_wait = 0;
    Extents present, goal;
    std::vector<ByteRange> flying;
    std::vector<Need> needs;
};

TEST_F(Planner, NothingIsAskedForWhenNothingIsWanted) { EXPECT_EQ(next(), std::nullopt); }

TEST_F(Planner, ASegmentBeginsAtTheByteThatAReaderWaitsFor) {
    want(10_MiB + 5, 200_MiB);
    const auto segment = next();
    ASSERT_TRUE(segment);
    EXPECT_EQ(segment->first, 10_MiB + 5);
    EXPECT_EQ(segment->end % kPiece, 0U);
}

TEST_F(Planner, TheLastSegmentsAreShortButWorthTheirWait) {
    want(0, kSize);
    begun = 20;
    present.add(ByteRange(0, kSize - 32_MiB));
    EXPECT_EQ(next()->length(), 8_MiB);
    per_wait = 5_MiB;
    EXPECT_EQ(next()->length(), 12_MiB);
    per_wait = 100_MiB;
    EXPECT_EQ(next()->length(), 32_MiB);
}

TEST_F(Planner, WhatFliesOrIsPresentIsNotAskedForAgain) {
    want(0, kSize);
    present.add(ByteRange(0, 8_MiB));
    flying.emplace_back(8_MiB, 16_MiB);
    present.add(ByteRange(20_MiB, 24_MiB));
    EXPECT_EQ(next(), ByteRange(16_MiB, 20_MiB));
}

TEST_F(Planner, TheReaderThatIsNearestToItsHoleComesFirst) {
    want(0, kSize);
    flying.emplace_back(0, 64_MiB);
    want(100_MiB, 110_MiB);
    EXPECT_EQ(next()->first, 100_MiB);
}

TEST_F(Planner, AReaderThatWaitsComesBeforeOneThatHasPlenty) {
    want(50_MiB, 60_MiB, false);
    want(0, kSize, true);
    flying.emplace_back(0, 16_MiB);
    EXPECT_EQ(next()->first, 16_MiB);
}

TEST_F(Planner, ARangeGrowsToTheEndOfItsPiece) {
    want(1_MiB, 2_MiB);
    EXPECT_EQ(next(), ByteRange(1_MiB, 4_MiB));
    flying.emplace_back(1_MiB, 4_MiB);
    EXPECT_EQ(next(), ByteRange(0, 1_MiB));
    flying.emplace_back(0, 1_MiB);
    EXPECT_EQ(next(), std::nullopt);
}

TEST_F(Planner, WhatReadersLeftBehindIsFinishedLast) {
    goal.add(ByteRange(0, 8_MiB));
    want(32_MiB, 36_MiB);
    EXPECT_EQ(next()->first, 32_MiB);
    flying.emplace_back(32_MiB, 36_MiB);
    EXPECT_EQ(next()->first, 0U);
}

TEST_F(Planner, LaterSegmentsAreLongerButNeverAbove64MiB) {
    constexpr std::uint64_t kLarge = 100_GiB;
    needs.emplace_back(0, kLarge, true);
    goal.add(ByteRange(0, kLarge));
    EXPECT_EQ(next(kLarge)->length(), 16_MiB);
    begun = 4;
    EXPECT_EQ(next(kLarge)->length(), 32_MiB);
    begun = 4000;
    EXPECT_EQ(next(kLarge)->length(), 64_MiB);
}

TEST_F(Planner, TheTailIsSharedAmongTheConnections) {
    want(kSize - 16_MiB, kSize);
    EXPECT_EQ(next()->length(), 4_MiB);
}

TEST_F(Planner, OneConnectionTakesEverythingInOneTransfer) {
    connections = 1;
    want(4_MiB, kSize);
    const auto segment = next();
    EXPECT_EQ(segment, ByteRange(4_MiB, kSize));
    EXPECT_EQ(request_for(*segment, kSize, 1), RangeSpec(4_MiB, std::nullopt));
}

TEST_F(Planner, EverythingIsAskedForExactlyOnce) {
    want(77, kSize);
    want(130_MiB, 140_MiB);
    Extents asked;
    while (const auto segment = next()) {
        ASSERT_EQ(asked.count(*segment), 0U);
        asked.add(*segment);
        flying.push_back(*segment);
        ++begun;
    }
    EXPECT_EQ(asked.total(), kSize);
}

TEST(FirstRequest, IsBoundedSoThatOthersMayBeginWhereItEnds) {
    EXPECT_EQ(first_request(RangeSpec::whole(), 0, 4), RangeSpec(0, 16_MiB - 1));
    EXPECT_EQ(first_request(RangeSpec(5_MiB + 1, std::nullopt), 0, 4),
              RangeSpec(5_MiB + 1, 20_MiB - 1));
}

TEST(FirstRequest, OfASmallRangeEndsWithItsPiece) {
    EXPECT_EQ(first_request(RangeSpec(0, 0), 0, 4), RangeSpec(0, 4_MiB - 1));
    EXPECT_EQ(first_request(RangeSpec(5_MiB, 5_MiB + 9), 0, 4), RangeSpec(5_MiB, 8_MiB - 1));
}

TEST(FirstRequest, OfASuffixStaysOne) {
    EXPECT_EQ(first_request(RangeSpec::suffix(10), 0, 4), RangeSpec::suffix(10));
}

TEST(FirstRequest, OnOneConnectionIsOpenEnded) {
    EXPECT_TRUE(first_request(RangeSpec::whole(), 0, 1).is_whole());
    EXPECT_EQ(first_request(RangeSpec(7, std::nullopt), 0, 1), RangeSpec(7, std::nullopt));
}

TEST(FirstRequest, SurvivesTheLargestNumbers) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(first_request(RangeSpec(kMost, kMost), 0, 4), RangeSpec(kMost, kMost));
    EXPECT_EQ(first_request(RangeSpec(0, kMost), 0, 4), RangeSpec(0, 16_MiB - 1));
}

TEST(PieceSize, GrowsSoThatAnObjectHasAFewHundred) {
    EXPECT_EQ(choose_piece_size(std::nullopt, 0), 4_MiB);
    EXPECT_EQ(choose_piece_size(2_GiB, 0), 4_MiB);
    EXPECT_EQ(choose_piece_size(20_GiB, 0), 64_MiB);
    EXPECT_EQ(choose_piece_size(20_GiB, 1_MiB), 1_MiB);
    EXPECT_EQ(choose_piece_size(20_GiB, 1), 4_KiB);
    EXPECT_EQ(choose_piece_size(20_GiB, 20_GiB), 1_GiB);
}

TEST(Holdings, ThePieceWithTheLastNumberIsOne) {
    constexpr std::uint32_t kLast = std::numeric_limits<std::uint32_t>::max();
    Holdings held;
    held.piece_size = 4_KiB;
    held.size = (std::uint64_t{kLast} + 1) * held.piece_size;
    const ByteRange last = held.piece_range(kLast);
    held.present.add(last);
    EXPECT_EQ(held.whole_pieces(last), std::vector<std::uint32_t>{kLast});
    EXPECT_FALSE(Holdings::can_be_cut(*held.size, held.piece_size));
    EXPECT_TRUE(Holdings::can_be_cut(last.first - 1, held.piece_size));
}

}  // namespace
}  // namespace hawker::cache
