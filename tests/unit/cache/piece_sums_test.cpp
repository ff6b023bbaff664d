#include "cache/piece_sums.h"

#include "cache/holdings.h"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace hawker::cache {
namespace {

class PieceSumsTest : public ::testing::Test {
protected:
    static constexpr std::uint64_t kPiece = 1000;
    std::string content = std::string(2500, '\0');
    std::uint64_t size = content.size();
    PieceSums sums;
    std::vector<PieceSum> whole;

    PieceSumsTest() {
        for (std::size_t i = 0; i < content.size(); ++i)
            content[i] = static_cast<char>(i * 7 % 251);
    }
    void write(std::uint64_t first, std::uint64_t end) {
        const auto bytes = std::as_bytes(std::span(content)).subspan(first, end - first);
        sums.add(first, bytes, kPiece, size, whole);
    }
    // Where the pieces begin that were summed up, each rightly.
    std::vector<std::uint64_t> summed() const {
        std::vector<std::uint64_t> firsts;
        for (const auto& [piece, sum] : whole) {
            firsts.push_back(piece.first);
            EXPECT_EQ(sum, XXH3_64bits(content.data() + piece.first, piece.length()));
        }
        return firsts;
    }
    using Firsts = std::vector<std::uint64_t>;
};

TEST_F(PieceSumsTest, OneStretchGivesAllPieces) {
    write(0, 2500);
    EXPECT_EQ(summed(), (Firsts{0, 1000, 2000}));
}

TEST_F(PieceSumsTest, PortionsOfSegmentsSideBySide) {
    write(0, 300);
    write(1000, 1001);
    write(300, 999);
    write(1001, 2100);
    write(999, 1000);
    write(2100, 2500);
    EXPECT_EQ(summed(), (Firsts{1000, 0, 2000}));
}

TEST_F(PieceSumsTest, APieceThatSomethingIsMissingFromIsLeftOut) {
    write(1, 1000);
    write(1000, 1400);
    write(1500, 2000);
    write(1400, 1500);
    write(2000, 2500);
    EXPECT_EQ(summed(), Firsts{2000});
}

TEST_F(PieceSumsTest, WhatIsWrittenAgainBeginsAgain) {
    write(0, 400);
    content[10] = 'x';
    write(0, 400);
    write(400, 1000);
    EXPECT_EQ(summed(), Firsts{0});
}

TEST_F(PieceSumsTest, TheLastPieceEndsWithTheSizeOnceThatIsKnown) {
    size = kNoEnd;
    write(0, 2500);
    EXPECT_EQ(summed(), (Firsts{0, 1000}));
}

TEST_F(PieceSumsTest, ThoseThatWereBrokenOffDoNotPileUp) {
    std::vector<PieceSum> none;
    const std::byte one{};
    for (std::uint64_t piece = 0; piece < 1000; ++piece)
        sums.add((piece + 10) * kPiece, std::span(&one, 1), kPiece, kNoEnd, none);
    EXPECT_TRUE(none.empty());
    write(0, 1000);
    EXPECT_EQ(summed(), Firsts{0});
}

}  // namespace
}  // namespace hawker::cache
