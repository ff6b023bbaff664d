// One fetch, however many clients: joining, sharing, refusals, leaving.
#include "tests/unit/cache/world.h"

namespace hawker::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Behaviour;
using testing::Client;
using testing::some_content;

class FetchTest : public testing::World {};

TEST_F(FetchTest, ASecondMissJoinsTheFirstInsteadOfFetchingAgain) {
    origin.by_hand = true;
    options.connections = 1;
    Client& first = visit("alice");
    Client& second = visit("bob");
    EXPECT_EQ(origin.transfers(), 1U);
    origin.deliver(0, 4_KiB);
    crank();
    EXPECT_EQ(first.received.size(), 4_KiB);
    EXPECT_EQ(second.received.size(), 4_KiB);
    EXPECT_EQ(first.origin, Origin::led);
    EXPECT_EQ(second.origin, Origin::joined);
    EXPECT_EQ(origin.transfers(), 1U);
    origin.deliver(0, whole());
    crank();
    expect_whole(first);
    expect_whole(second);
}

TEST_F(FetchTest, AByteIsHandedOnWithoutWaitingForItsPiece) {
    origin.by_hand = true;
    Client& client = visit();
    origin.deliver(0, 1);
    crank();
    EXPECT_EQ(client.received.size(), 1U);
}

TEST_F(FetchTest, FiftyClientsCostOneRepresentation) {
    for (int i = 0; i < 50; ++i) arrive(request("client " + std::to_string(i)));
    crank();
    for (const Client& client : clients) expect_whole(client);
    EXPECT_EQ(origin.bytes_sent(), whole());
}

TEST_F(FetchTest, FiftyClientsWithFiftyRangesCostOneRepresentation) {
    const std::uint64_t step = whole() / 50;
    for (std::uint64_t i = 0; i < 50; ++i)
        arrive(request(), ByteRange(i * step, std::min((i + 2) * step, whole())));
    crank();
    for (const Client& client : clients) EXPECT_TRUE(client.received == slice(*client.range));
    EXPECT_LE(origin.bytes_sent(), whole());
}

TEST_F(FetchTest, SegmentsRunBesideEachOther) {
    origin.by_hand = true;
    Client& client = visit();
    origin.answer(0);
    crank();
    EXPECT_EQ(origin.transfers(), 4U);
    for (std::size_t i = 4; i-- > 0;) {
        origin.deliver(i, whole());
        crank();
    }
    for (std::size_t i = 4; i < origin.transfers(); ++i) {
        origin.deliver(i, whole());
        crank();
    }
    expect_whole(client);
    EXPECT_EQ(origin.bytes_sent(), whole());
}

TEST_F(FetchTest, TheFirstClientMayLeaveWithoutDisturbingTheOthers) {
    Client& first = arrive(request("alice"), std::nullopt, 1_MiB);
    Client& second = arrive(request("bob"));
    crank();
    EXPECT_TRUE(first.gone);
    expect_whole(second);
    EXPECT_EQ(origin.bytes_sent(), whole());
}

TEST_F(FetchTest, ASignatureThatExpiresHalfWayIsReplacedByAnother) {
    options.connections = 1;
    origin.script.push_back(breaking_after(1_MiB));
    Client& first = arrive(request("alice"));
    Client& second = arrive(request("bob"));
    origin.on_ask = [this](const testing::FakeOrigin::Line&) {
        if (origin.lines.size() == 2) origin.refused.insert("alice");
    };
    crank();
    pass(seconds(1));
    expect_whole(first);
    expect_whole(second);
    EXPECT_EQ(origin.line(origin.transfers() - 1).principal, "bob");
    EXPECT_EQ(origin.bytes_sent(), whole());
}

TEST_F(FetchTest, WhenNoCredentialsWorkTheRefusalReachesEveryReader) {
    options.connections = 1;
    origin.script.push_back(breaking_after(1_MiB));
    Client& first = arrive(request("alice"));
    Client& second = arrive(request("bob"));
    origin.on_ask = [this](const testing::FakeOrigin::Line&) {
        if (origin.lines.size() == 2) origin.refused = {"alice", "bob"};
    };
    crank();
    pass(seconds(1));
    EXPECT_EQ(first.code(), Errc::refused);
    EXPECT_EQ(second.code(), Errc::refused);
    EXPECT_EQ(first.received, slice(ByteRange(0, 1_MiB)));
}

TEST_F(FetchTest, ALeaderThatIsRefusedFailsAlone) {
    origin.refused = {"mallory"};
    origin.by_hand = true;
    Client& mallory = visit("mallory");
    Client& bob = visit("bob");
    Client& carol = visit("carol");
    origin.by_hand = false;
    origin.answer(0);
    crank();
    EXPECT_EQ(mallory.code(), Errc::refused);
    EXPECT_TRUE(mallory.received.empty());
    expect_whole(bob);
    expect_whole(carol);
    EXPECT_EQ(bob.origin, Origin::led);
    EXPECT_EQ(carol.origin, Origin::joined);
    EXPECT_EQ(origin.bytes_sent(), whole());
}

TEST_F(FetchTest, NotFoundIsAskedOnceForAllWhoWait) {
    origin.script.push_back(refusal(Errc::not_found));
    for (int i = 0; i < 10; ++i) arrive(request());
    crank();
    for (const Client& client : clients) EXPECT_EQ(client.code(), Errc::not_found);
    EXPECT_EQ(origin.transfers(), 1U);
    expect_whole(visit());
}

TEST_F(FetchTest, AnAnswerThatIsNotForStoringIsTakenInTurnByAFewOnly) {
    for (int i = 0; i < 20; ++i) origin.script.push_back(refusal(Errc::unsupported));
    for (int i = 0; i < 10; ++i) arrive(request());
    crank();
    for (const Client& client : clients) EXPECT_EQ(client.code(), Errc::unsupported);
    EXPECT_LE(origin.transfers(), 3U);
}

TEST_F(FetchTest, AnEmptyObjectIsAnObject) {
    origin.content.clear();
    Client& first = visit();
    EXPECT_TRUE(first.finished);
    Client& second = visit();
    EXPECT_TRUE(second.finished);
    EXPECT_EQ(second.origin, Origin::hit);
}

TEST_F(FetchTest, ASmallBodyNeedsNoFile) {
    origin.content = some_content(10'000);
    expect_whole(visit());
    EXPECT_EQ(data_file(), "");
    restart();
    Client& second = visit();
    expect_whole(second);
    EXPECT_EQ(second.origin, Origin::hit);
}

TEST_F(FetchTest, TheMiddleOfASmallBodyBringsItWhole) {
    origin.content = some_content(10'000);
    EXPECT_EQ(visit_range(ByteRange(4'000, 5'000)).received, slice(ByteRange(4'000, 5'000)));
    Client& all = visit();
    expect_whole(all);
    EXPECT_EQ(all.origin, Origin::hit);
    EXPECT_EQ(origin.bytes_sent(), whole());
}

TEST_F(FetchTest, TheReportIsMadeOnce) {
    visit();
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].bytes, whole());
    EXPECT_TRUE(reports[0].complete);
    EXPECT_EQ(reports[0].rule, "test");
    EXPECT_FALSE(reports[0].error);
    visit();
    EXPECT_EQ(reports.size(), 1U);
}

TEST_F(FetchTest, WhenTheLastReaderLeavesItIsFinished) {
    arrive(request(), std::nullopt, 64_KiB);
    crank();
    expect_whole(visit());
    EXPECT_EQ(origin.bytes_sent(), whole());
    EXPECT_TRUE(reports.at(0).complete);
}

TEST_F(FetchTest, OrItStops) {
    options.on_abandon = OnAbandon::stop;
    arrive(request(), std::nullopt, 64_KiB);
    crank();
    EXPECT_LT(origin.bytes_sent(), whole());
    EXPECT_EQ(origin.open_lines(), 0U);
    EXPECT_EQ(cache->usage().running_fetches, 0U);
    expect_whole(visit());
    EXPECT_LE(origin.bytes_sent(), whole() + 512_KiB);
}

TEST_F(FetchTest, OrItIsFinishedWhenMostOfItIsHere) {
    options.on_abandon = OnAbandon::finish_if;
    options.finish_if_percent = 50;
    options.connections = 1;
    origin.by_hand = true;
    Client& early = arrive(request(), std::nullopt, 64_KiB);
    crank();
    origin.deliver(0, 64_KiB);
    crank();
    EXPECT_TRUE(early.gone);
    EXPECT_EQ(origin.open_lines(), 0U);
    Client& late = arrive(request(), std::nullopt, 2_MiB);
    crank();
    origin.deliver(1, whole() - 1_MiB);
    crank();
    EXPECT_TRUE(late.gone);
    EXPECT_EQ(origin.open_lines(), 1U);
    origin.deliver(1, whole());
    crank();
    EXPECT_TRUE(reports.back().complete);
}

TEST_F(FetchTest, ARangeThatWasReadIsNotGrownToTheWholeObject) {
    visit_range(ByteRange(10, 20));
    EXPECT_EQ(origin.bytes_sent(), options.piece_size);
}

TEST_F(FetchTest, AReaderThatWaitsIsNotKeptWaitingByWhatNobodyReadsAnyMore) {
    origin.by_hand = true;
    options.connections = 2;
    Client& gone = arrive(request(), std::nullopt, 1);
    crank();
    origin.deliver(0, 1);
    crank();
    EXPECT_TRUE(gone.gone);
    EXPECT_EQ(origin.open_lines(), 2U);
    Client& late = visit_range(ByteRange(3_MiB, 3_MiB + 10));
    ASSERT_EQ(origin.transfers(), 3U);
    EXPECT_EQ(origin.open_lines(), 2U);
    EXPECT_EQ(origin.line(2).asked.first, 3_MiB);
    origin.deliver(2, whole());
    crank();
    EXPECT_TRUE(late.finished);
}

TEST_F(FetchTest, NothingIsKeptWhenTheRuleSaysSo) {
    options.store = false;
    for (int i = 0; i < 5; ++i) arrive(request());
    crank();
    for (const Client& client : clients) expect_whole(client);
    EXPECT_EQ(origin.bytes_sent(), whole());
    EXPECT_EQ(data_file(), "");
    visit();
    EXPECT_EQ(origin.bytes_sent(), 2 * whole());
    EXPECT_EQ(cache->usage().bytes, 0U);
}

TEST_F(FetchTest, AnObjectLargerThanTheCacheIsLeftToTheClient) {
    limits.max_size = 1_MiB;
    cache->set_limits(limits);
    Client& client = visit();
    EXPECT_EQ(client.code(), Errc::exhausted);
    EXPECT_TRUE(client.received.empty());
    EXPECT_EQ(origin.open_lines(), 0U);
}

TEST_F(FetchTest, APartOfALargerObjectOpensNoWayToAllOfIt) {
    limits.max_size = 1_MiB;
    cache->set_limits(limits);
    EXPECT_TRUE(visit_range(ByteRange(0, 1000)).finished);
    const std::uint64_t sent = origin.bytes_sent();
    Client& whole_of_it = visit();
    EXPECT_EQ(whole_of_it.code(), Errc::exhausted);
    EXPECT_TRUE(whole_of_it.received.empty());
    EXPECT_EQ(origin.bytes_sent(), sent);
    EXPECT_TRUE(visit_range(ByteRange(10, 20)).finished);
}

TEST_F(FetchTest, AnObjectOfMorePiecesThanThereAreNumbersForIsLeftToTheClient) {
    Behaviour boast;
    boast.edit = [](Arrival& arrival) { arrival.size = std::uint64_t{1} << 63U; };
    origin.script.push_back(boast);
    EXPECT_EQ(visit_range(ByteRange(0, 1000)).code(), Errc::exhausted);
    EXPECT_EQ(origin.open_lines(), 0U);
}

}  // namespace
}  // namespace hawker::cache
