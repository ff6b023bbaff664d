// What is there after a kill -9, a crash, or a power cut, and what of it is believed.
#include "tests/unit/cache/world.h"

#include <fcntl.h>

namespace hawker::cache {
namespace {

using std::chrono::seconds;
using testing::Behaviour;
using testing::Client;

class UncleanStopTest : public testing::World {
protected:
    // What is committed now, as a kill -9 would leave it; the next start finds that.
    void crash() {
        const std::filesystem::path copy = elsewhere.path() / "copy";
        commit();
        std::filesystem::copy(directory.path(), copy, std::filesystem::copy_options::recursive);
        close();
        cache = nullptr;
        crank();
        std::filesystem::remove_all(directory.path());
        std::filesystem::copy(copy, directory.path(), std::filesystem::copy_options::recursive);
        start();
    }
    void damage(std::uint64_t offset) {
        const int fd = ::open(data_file().c_str(), O_WRONLY);  // NOLINT: a test
        ASSERT_GE(fd, 0);
        ASSERT_EQ(::pwrite(fd, "damaged", 7, static_cast<off_t>(offset)), 7);
        ::close(fd);
    }
    testing::TemporaryDirectory elsewhere;
};

TEST_F(UncleanStopTest, SoundPiecesAreCheckedAndServed) {
    visit();
    crash();
    Client& second = visit();
    expect_whole(second);
    EXPECT_EQ(second.origin, Origin::hit);
    EXPECT_EQ(origin.bytes_sent(), whole());
    EXPECT_EQ(cache->usage().corrupt_pieces, 0U);
}

TEST_F(UncleanStopTest, ADamagedPieceIsFetchedAgainAndNeverServed) {
    visit();
    crash();
    damage(1_MiB + 5);
    Client& second = visit();
    expect_whole(second);
    EXPECT_EQ(origin.bytes_sent(), whole() + options.piece_size);
    EXPECT_EQ(cache->usage().corrupt_pieces, 1U);
    expect_whole(visit());
    EXPECT_EQ(origin.bytes_sent(), whole() + options.piece_size);
}

TEST_F(UncleanStopTest, ADamagedPieceThatNobodyReadsSpoilsNoDigest) {
    digest = testing::digest_of(origin.content);
    options.connections = 1;
    visit_range(ByteRange(0, 2_MiB));
    crash();
    damage(5);
    Client& tail = visit_range(ByteRange(2_MiB, whole()));
    EXPECT_FALSE(tail.error) << tail.error->what;
    EXPECT_TRUE(tail.received == slice(*tail.range));
    EXPECT_EQ(cache->usage().corrupt_pieces, 1U);
    EXPECT_EQ(origin.bytes_sent(), whole() + options.piece_size);
    expect_whole(visit());
    EXPECT_EQ(origin.bytes_sent(), whole() + options.piece_size);
}

TEST_F(UncleanStopTest, ADamagedPieceDoesNotReleaseTheTailBeforeTheDigestAgrees) {
    digest = testing::digest_of(origin.content);
    options.connections = 1;
    visit_range(ByteRange(0, 2_MiB));
    crash();
    damage(5);
    origin.content.back() = static_cast<char>(origin.content.back() + 1);
    Client& tail = visit_range(ByteRange(2_MiB, whole()));
    EXPECT_EQ(tail.code(), Errc::corrupt);
    EXPECT_LT(tail.received.size(), tail.range->length());
}

TEST_F(UncleanStopTest, PiecesThatCameBeforeTheSizeWasKnownAreKeptToo) {
    options.connections = 1;
    Behaviour without_a_size;
    without_a_size.bytes = 2_MiB + 1000;
    without_a_size.edit = [](Arrival& arrival) {
        arrival.size = std::nullopt;
        arrival.length = std::nullopt;
        arrival.ranged = false;
    };
    origin.script.push_back(without_a_size);
    Client& client = visit();
    pass(seconds(1));
    expect_whole(client);
    const std::uint64_t before = origin.bytes_sent();
    crash();
    expect_whole(visit());
    EXPECT_EQ(origin.bytes_sent(), before);
}

TEST_F(UncleanStopTest, InMidFetchOnlyWhatWasCommittedIsThere) {
    options.connections = 1;
    origin.by_hand = true;
    visit();
    origin.deliver(0, 1_MiB + 1000);
    crank();
    crash();
    origin.by_hand = false;
    Client& second = visit();
    expect_whole(second);
    EXPECT_EQ(origin.bytes_sent(), whole() + 1000);
}

TEST_F(UncleanStopTest, UnderTwoValidatorsNoPieceIsKeptBeforeTheDigestAgrees) {
    digest = testing::digest_of(origin.content);
    options.connections = 1;
    Behaviour breaking;
    breaking.bytes = 1_MiB + 1000;
    origin.script.push_back(breaking);
    visit();
    origin.validator = "\"v2\"";
    origin.by_hand = true;
    pass(seconds(1));
    origin.deliver(1, 1_MiB);
    crank();
    crash();
    const std::uint64_t before = origin.bytes_sent();
    origin.by_hand = false;
    expect_whole(visit());
    EXPECT_EQ(origin.bytes_sent(), before + whole() - 1_MiB) << "one piece was of one validator";
    restart();
    Client& later = visit();
    expect_whole(later);
    EXPECT_EQ(later.origin, Origin::hit);
    EXPECT_EQ(origin.bytes_sent(), before + whole() - 1_MiB);
}

}  // namespace
}  // namespace hawker::cache
