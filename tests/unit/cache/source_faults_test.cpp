// What a source may do wrong in the middle of a fetch, and what becomes of the bytes.
#include "tests/unit/cache/world.h"

namespace hawker::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Behaviour;
using testing::Client;
using testing::some_content;

class SourceFaultsTest : public testing::World {};

TEST_F(SourceFaultsTest, ATruncatedTransferResumesAtTheExactByte) {
    options.connections = 1;
    origin.script.push_back(breaking_after(1'000'003));
    Client& client = visit();
    EXPECT_EQ(client.received.size(), 1'000'003U);
    pass(seconds(1));
    expect_whole(client);
    EXPECT_EQ(origin.line(1).asked, RangeSpec(1'000'003, std::nullopt));
    EXPECT_EQ(origin.bytes_sent(), whole());
}

TEST_F(SourceFaultsTest, EachOfManySegmentsMayBreak) {
    for (int i = 0; i < 12; ++i) origin.script.push_back(breaking_after(100'001, Errc::timed_out));
    Client& client = visit();
    for (int i = 0; i < 20; ++i) pass(seconds(5));
    expect_whole(client);
    EXPECT_EQ(origin.bytes_sent(), whole());
    EXPECT_GE(reports.at(0).retries, 10U);
}

TEST_F(SourceFaultsTest, ASourceThatIsDownForAMomentIsAskedAgain) {
    for (int i = 0; i < 3; ++i) origin.script.push_back(refusal(Errc::unavailable));
    Client& client = visit();
    EXPECT_EQ(origin.transfers(), 1U);
    for (int i = 0; i < 10; ++i) pass(seconds(1));
    expect_whole(client);
}

TEST_F(SourceFaultsTest, RetryAfterIsHonoured) {
    origin.script.push_back(refusal(Errc::unavailable, seconds(4)));
    Client& client = visit();
    pass(seconds(3));
    EXPECT_EQ(origin.transfers(), 1U);
    pass(seconds(2));
    expect_whole(client);
}

TEST_F(SourceFaultsTest, ARetryAfterBeyondPatienceIsForTheClientToDecide) {
    origin.script.push_back(refusal(Errc::unavailable, seconds(20)));
    Client& client = visit();
    EXPECT_EQ(client.code(), Errc::unavailable);
    EXPECT_EQ(client.error->retry_after, seconds(20));
}

TEST_F(SourceFaultsTest, RetryAfterIsHonouredHalfWay) {
    options.connections = 1;
    origin.script.push_back(breaking_after(1_MiB));
    origin.script.push_back(refusal(Errc::unavailable, seconds(20)));
    Client& client = visit();
    pass(seconds(1));
    EXPECT_EQ(origin.transfers(), 2U);
    pass(seconds(18));
    EXPECT_EQ(origin.transfers(), 2U);
    pass(seconds(2));
    expect_whole(client);
}

TEST_F(SourceFaultsTest, ASourceThatStaysDownIsGivenUp) {
    for (int i = 0; i < 100; ++i) origin.script.push_back(refusal(Errc::unavailable));
    Client& first = arrive(request());
    Client& second = arrive(request());
    for (int i = 0; i < 20; ++i) pass(seconds(5));
    EXPECT_EQ(first.code(), Errc::unavailable);
    EXPECT_EQ(second.code(), Errc::unavailable);
    EXPECT_EQ(origin.transfers(), 5U);
}

TEST_F(SourceFaultsTest, ATransferThatNeverBringsANewByteIsGivenUp) {
    options.connections = 1;
    origin.script.push_back(breaking_after(1_MiB));
    for (int i = 0; i < 100; ++i) origin.script.push_back(breaking_after(0));
    Client& client = visit();
    for (int i = 0; i < 40; ++i) pass(seconds(5));
    EXPECT_EQ(client.code(), Errc::closed);
    EXPECT_EQ(client.received, slice(ByteRange(0, 1_MiB)));
    EXPECT_EQ(origin.transfers(), 5U);
}

TEST_F(SourceFaultsTest, ASourceThatServesFewerAtOnceIsAskedByFewer) {
    origin.on_ask = [this](const testing::FakeOrigin::Line&) {
        const auto others = origin.open_lines() - 1;
        if (others >= 2) origin.lines.back()->behaviour = refusal(Errc::unavailable);
    };
    expect_whole(visit());
    EXPECT_EQ(origin.bytes_sent(), whole());
}

TEST_F(SourceFaultsTest, WithoutRangesThereIsOneStream) {
    origin.ranged = false;
    Client& last = arrive(request(), ByteRange(whole() - 10, whole()));
    Client& all = arrive(request());
    crank();
    expect_whole(all);
    EXPECT_EQ(last.received, slice(*last.range));
    EXPECT_EQ(origin.transfers(), 1U);
    expect_whole(visit());
    EXPECT_EQ(origin.transfers(), 1U);
}

TEST_F(SourceFaultsTest, WithoutRangesABrokenStreamBeginsAgainAndSkipsWhatIsHere) {
    origin.ranged = false;
    origin.script.push_back(breaking_after(1'000'003));
    Client& client = visit();
    pass(seconds(1));
    expect_whole(client);
    EXPECT_EQ(origin.bytes_sent(), whole() + 1'000'003);
}

TEST_F(SourceFaultsTest, RangesThatStopWorkingHalfWayTurnIntoOneStream) {
    origin.on_ask = [this](const testing::FakeOrigin::Line&) {
        origin.ranged = origin.lines.size() < 2;
    };
    expect_whole(visit());
    EXPECT_EQ(origin.open_lines(), 0U);
}

TEST_F(SourceFaultsTest, ABodyOfUnknownLengthIsFollowedAndStored) {
    origin.ranged = origin.knows_size = false;
    origin.by_hand = true;
    Client& client = visit();
    origin.deliver(0, 100'000);
    crank();
    EXPECT_EQ(client.received.size(), 100'000U);
    EXPECT_FALSE(client.reader->representation().size);
    origin.deliver(0, whole());
    crank();
    expect_whole(client);
    Client& second = visit();
    expect_whole(second);
    EXPECT_EQ(second.origin, Origin::hit);
    EXPECT_EQ(origin.transfers(), 1U);
}

TEST_F(SourceFaultsTest, ABodyWhoseEndIsUncertainIsPassedOnButNotStored) {
    origin.ranged = origin.knows_size = origin.end_is_certain = false;
    expect_whole(visit());
    EXPECT_EQ(data_file(), "");
    Client& second = visit();
    expect_whole(second);
    EXPECT_EQ(second.origin, Origin::led);
    EXPECT_EQ(origin.transfers(), 2U);
}

TEST_F(SourceFaultsTest, ABodyOfUnknownLengthThatBreaksIsAFailureAndNotStored) {
    origin.ranged = origin.knows_size = false;
    origin.validator = "";
    origin.script.push_back(breaking_after(1_MiB));
    Client& client = visit();
    EXPECT_EQ(client.code(), Errc::closed);
    EXPECT_EQ(client.received, slice(ByteRange(0, 1_MiB)));
    expect_whole(visit());
}

Task<void> open_only(Cache& cache, OpenRequest request, Executor& home,
                     std::unique_ptr<Reader>& reader) {
    auto opened = co_await cache.open(std::move(request), home);
    if (opened) reader = std::move(*opened);
}

// Who has not waited for the fetch yet when it ends hears of it all the same.
TEST_F(SourceFaultsTest, ABodyOfUnknownLengthThatBreaksEndsThoseWhoWereStillReadingItsBeginning) {
    origin.ranged = origin.knows_size = false;
    origin.by_hand = true;
    Client& first = visit();
    origin.deliver(0, 1_MiB);
    crank();
    std::unique_ptr<Reader> reader;
    group.spawn(open_only(*cache, request("bob"), loop, reader));
    crank();
    ASSERT_TRUE(reader);
    origin.break_off(0, Errc::exhausted);
    crank();
    EXPECT_EQ(first.code(), Errc::exhausted);
    std::uint64_t got = 0;
    std::optional<Error> error;
    while (!error && got < whole()) {
        auto reading = reader->next(whole());
        crank();
        ASSERT_TRUE(reading.done());
        const auto run = reading.take();
        if (run)
            got += run->length;
        else
            error = run.error();
    }
    EXPECT_EQ(got, 1_MiB);
    EXPECT_TRUE(error);
    reader.reset();
    crank();
}

TEST_F(SourceFaultsTest, ABodyOfUnknownLengthIsHeldBackForItsDigestToo) {
    origin.ranged = origin.knows_size = false;
    origin.by_hand = true;
    digest = testing::digest_of(origin.content);
    Client& client = visit();
    origin.deliver(0, 100'000);
    crank();
    EXPECT_EQ(client.received.size(), 100'000 - 64_KiB);
    origin.deliver(0, whole() - 100'001);
    crank();
    EXPECT_EQ(client.received.size(), whole() - 1 - 64_KiB);
    origin.deliver(0, 1);
    crank();
    expect_whole(client);
    EXPECT_EQ(visit().origin, Origin::hit);
}

TEST_F(SourceFaultsTest, WrongBytesOfUnknownLengthAreNeverComplete) {
    origin.ranged = origin.knows_size = false;
    digest = testing::digest_of("something else");
    Client& client = visit();
    EXPECT_EQ(client.code(), Errc::corrupt);
    EXPECT_LE(client.received.size(), whole() - 64_KiB);
}

TEST_F(SourceFaultsTest, AnEmptyBodyIsHeldAgainstItsDigestToo) {
    origin.content.clear();
    digest = testing::digest_of("something");
    Client& client = visit();
    EXPECT_FALSE(client.finished);
    EXPECT_EQ(client.code(), Errc::corrupt);
}

TEST_F(SourceFaultsTest, ADamagedPieceOfABodyWithoutAValidatorIsNotPatched) {
    origin.validator = "";
    origin.ranged = false;
    visit();
    close();
    std::filesystem::resize_file(data_file(), 1_MiB);
    restart();
    origin.content = some_content(whole(), 99);
    Client& client = arrive(request(), ByteRange(2_MiB, 2_MiB + 10));
    crank();
    EXPECT_EQ(client.code(), Errc::changed);
    expect_whole(visit());
}

TEST_F(SourceFaultsTest, AnAnswerForAnotherPlaceIsNotUsed) {
    options.connections = 1;
    origin.script.push_back(breaking_after(1_MiB));
    Behaviour elsewhere;
    elsewhere.edit = [](Arrival& arrival) { arrival.offset += 1; };
    origin.script.push_back(elsewhere);
    Client& client = visit();
    for (int i = 0; i < 5; ++i) pass(seconds(5));
    expect_whole(client);
}

TEST_F(SourceFaultsTest, AValidatorThatChangesHalfWayCutsTheReadersAndMixesNothing) {
    options.connections = 1;
    const std::string before = origin.content;
    origin.script.push_back(breaking_after(1_MiB));
    Client& client = visit();
    origin.content = some_content(before.size(), 99);
    origin.validator = "\"v2\"";
    pass(seconds(1));
    EXPECT_EQ(client.code(), Errc::changed);
    EXPECT_TRUE(client.received == before.substr(0, 1_MiB));
    expect_whole(visit());
}

// What the source said of the whole cannot be checked by a part.
TEST_F(SourceFaultsTest, APartOfAnotherContentIsNoMoreOfItForADigestThatWasOnlyTold) {
    for (const bool tells_the_next : {true, false}) {
        options.connections = 1;
        origin.validator = "\"v1\"";
        origin.digest = testing::digest_of(origin.content);
        EXPECT_TRUE(visit_range(ByteRange(0, 1_MiB)).finished);
        origin.content = some_content(origin.content.size(), 99);
        origin.validator = "\"v2\"";
        origin.digest.reset();
        if (tells_the_next) origin.digest = testing::digest_of(origin.content);
        const Client& part = visit_range(ByteRange(1_MiB, 2_MiB));
        EXPECT_EQ(part.code(), Errc::changed);
        EXPECT_TRUE(part.received.empty());
        const Client& both = visit_range(ByteRange(0, 2_MiB));
        EXPECT_TRUE(both.received == origin.content.substr(0, 2_MiB)) << tells_the_next;
        task = testing::task_named("another");
    }
}

TEST_F(SourceFaultsTest, AnotherSizeUnderTheSameValidatorIsAnotherRepresentation) {
    options.connections = 1;
    origin.script.push_back(breaking_after(1_MiB));
    Client& client = visit();
    origin.content.resize(2_MiB);
    pass(seconds(1));
    EXPECT_EQ(client.code(), Errc::changed);
    expect_whole(visit());
}

TEST_F(SourceFaultsTest, ARangeThatCannotBeSatisfiedAnyMoreIsAnotherRepresentation) {
    options.connections = 1;
    origin.script.push_back(breaking_after(1_MiB));
    origin.script.push_back(refusal(Errc::changed));
    Client& client = visit();
    pass(seconds(1));
    EXPECT_EQ(client.code(), Errc::changed);
    expect_whole(visit());
}

TEST_F(SourceFaultsTest, WithoutAValidatorNothingIsCombined) {
    origin.validator = "";
    Client& client = visit();
    expect_whole(client);
    EXPECT_TRUE(origin.line(origin.transfers() - 1).asked.is_whole());
    EXPECT_EQ(origin.transfers(), 2U);  // the first one asked for a range
    EXPECT_EQ(origin.bytes_sent(), whole());
}

TEST_F(SourceFaultsTest, WithoutAValidatorNothingIsResumed) {
    origin.validator = "";
    origin.ranged = false;
    origin.script.push_back(breaking_after(1_MiB));
    Client& client = visit();
    EXPECT_EQ(client.code(), Errc::closed);
    commit();
    EXPECT_EQ(data_file(), "");
    expect_whole(visit());
}

}  // namespace
}  // namespace hawker::cache
