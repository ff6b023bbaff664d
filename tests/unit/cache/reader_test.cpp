// Readers: ranges, partly cached objects, restarts, damage, leaving.
#include "tests/unit/cache/world.h"

#include <csignal>
#include <fstream>

#include <fcntl.h>
#include <sys/resource.h>

namespace hawker::cache {
namespace {

using std::chrono::seconds;
using testing::Behaviour;
using testing::Client;
using testing::some_content;
using testing::task_named;

class ReaderTest : public testing::World {
protected:
    // The file is cut there: those bytes are neither in memory nor on the disk.
    void forget_pages_from(std::uint64_t offset) const {
        ASSERT_EQ(::truncate(data_file().c_str(), static_cast<off_t>(offset)), 0);
    }
    std::unique_ptr<Reader> open_reader() {
        auto opening = cache->open(request(), loop);
        crank();
        return std::move(*opening.take());
    }
    cache::Run run_of(Reader& reader, std::uint64_t most) {
        auto next = reader.next(most);
        crank();
        auto run = next.take();
        EXPECT_TRUE(run) << run.error().what;
        return run ? *run : cache::Run();
    }
};

TEST_F(ReaderTest, RangesOfAFullObjectAreCutOutOfIt) {
    visit();
    for (const ByteRange& range :
         {ByteRange(0, 1), ByteRange(1_MiB - 3, 1_MiB + 3), ByteRange(whole() - 1, whole())}) {
        Client& client = visit_range(range);
        EXPECT_TRUE(client.received == slice(range));
        EXPECT_EQ(client.origin, Origin::hit);
    }
    EXPECT_EQ(origin.bytes_sent(), whole());
}

TEST_F(ReaderTest, OnlyWhatIsMissingOfAPartlyCachedObjectIsFetched) {
    visit_range(ByteRange(1_MiB, 2_MiB));
    EXPECT_EQ(origin.bytes_sent(), 1_MiB);
    Client& all = visit();
    EXPECT_EQ(all.origin, Origin::partial);
    expect_whole(all);
    EXPECT_EQ(origin.bytes_sent(), whole());
}

TEST_F(ReaderTest, ASuffixIsAskedForAsOne) {
    clients.emplace_back(request());
    Client& client = clients.back();
    client.request.wanted = RangeSpec::suffix(100);
    client.range = ByteRange(whole() - 100, whole());
    group.spawn(live(*cache, client, loop));
    crank();
    EXPECT_EQ(client.received, slice(*client.range));
    EXPECT_EQ(origin.line(0).asked, RangeSpec::suffix(100));
    expect_whole(visit());
    EXPECT_EQ(origin.bytes_sent(), whole());
}

TEST_F(ReaderTest, ARangeReadWhileTheObjectIsBeingFilled) {
    origin.by_hand = true;
    options.connections = 1;
    Client& all = visit();
    origin.deliver(0, 1_MiB);
    crank();
    Client& range = visit_range(ByteRange(1_MiB - 10, 1_MiB + 10));
    EXPECT_EQ(range.received.size(), 10U);
    origin.deliver(0, whole());
    crank();
    EXPECT_EQ(range.received, slice(*range.range));
    expect_whole(all);
}

TEST_F(ReaderTest, NoRunIsLongerThanWasAskedFor) {
    visit();
    auto opening = cache->open(request(), loop);
    crank();
    auto reader = std::move(*opening.take());
    auto next = reader->next(1000);
    crank();
    auto run = next.take();
    ASSERT_TRUE(run);
    EXPECT_EQ(run->length, 1000U);
    EXPECT_EQ(reader->position(), 1000U);
    EXPECT_FALSE(reader->waited());
}

TEST_F(ReaderTest, ACancelledReaderStopsWaiting) {
    origin.by_hand = true;
    Client& client = visit();
    origin.answer(0);
    crank();
    client.reader->cancel();
    crank();
    EXPECT_EQ(client.code(), Errc::cancelled);
    EXPECT_TRUE(client.gone);
}

TEST_F(ReaderTest, ARestartServesEverythingThatWasStored) {
    visit();
    restart();
    Client& second = visit();
    expect_whole(second);
    EXPECT_EQ(second.origin, Origin::hit);
    EXPECT_EQ(origin.bytes_sent(), whole());
    EXPECT_EQ(second.request.label, "http://origin/object");
}

TEST_F(ReaderTest, ARestartInMidFetchKeepsWholePieces) {
    options.connections = 1;
    origin.by_hand = true;
    Client& client = visit();
    origin.deliver(0, 1_MiB + 1000);
    crank();
    restart();
    EXPECT_EQ(client.code(), Errc::shutting_down);
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].error->code, Errc::shutting_down);
    origin.by_hand = false;
    Client& second = visit();
    EXPECT_EQ(second.origin, Origin::partial);
    expect_whole(second);
    EXPECT_EQ(origin.bytes_sent(), whole() + 1000);
}

TEST_F(ReaderTest, AFileThatIsGoneIsFetchedAgain) {
    visit();
    close();
    std::filesystem::remove(data_file());
    restart();
    expect_whole(visit());
    EXPECT_EQ(origin.bytes_sent(), 2 * whole());
}

TEST_F(ReaderTest, AFileThatIsTooShortIsFetchedAgainWhereItIs) {
    visit();
    close();
    forget_pages_from(1_MiB);
    restart();
    expect_whole(visit());
}

TEST_F(ReaderTest, TheDigestIsCheckedAndTheTailHeldBackUntilThen) {
    digest = testing::digest_of(origin.content);
    options.connections = 1;
    origin.by_hand = true;
    Client& client = visit();
    origin.deliver(0, whole() - 1);
    crank();
    EXPECT_EQ(client.received.size(), whole() - 64_KiB);
    origin.deliver(0, 1);
    crank();
    expect_whole(client);
    commit();
    EXPECT_EQ(cache->list(std::nullopt, 1).size(), 1U);
}

TEST_F(ReaderTest, WrongBytesUnderAKnownDigestAreNeverCompleteAndNeverKept) {
    digest = testing::digest_of(origin.content);
    const std::string right = origin.content;
    origin.content[5] = static_cast<char>(~origin.content[5]);
    Client& first = arrive(request());
    Client& range = arrive(request(), ByteRange(whole() - 10, whole()));
    crank();
    EXPECT_EQ(first.code(), Errc::corrupt);
    EXPECT_LE(first.received.size(), whole() - 64_KiB);
    EXPECT_EQ(range.code(), Errc::corrupt);
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].error->code, Errc::corrupt);
    origin.content = right;
    expect_whole(visit());
    EXPECT_EQ(origin.bytes_sent(), 2 * whole());
}

TEST_F(ReaderTest, WrongBytesOfASmallBodyAreNotKeptEither) {
    origin.content = some_content(1'000);
    digest = testing::digest_of("something else");
    EXPECT_EQ(visit().code(), Errc::corrupt);
    digest = testing::digest_of(origin.content);
    expect_whole(visit());
    expect_whole(visit());
    EXPECT_EQ(origin.bytes_sent(), 2'000U);
}

TEST_F(ReaderTest, ARangeThatNeverBecomesAWholeIsNotHeldBack) {
    digest = testing::digest_of(origin.content);
    Client& client = visit_range(ByteRange(whole() - 10, whole()));
    EXPECT_EQ(client.received, slice(*client.range));
}

TEST_F(ReaderTest, AnObjectThatBecomesWholeByRangesIsVerifiedToo) {
    digest = testing::digest_of(origin.content);
    visit_range(ByteRange(1_MiB, whole()));
    expect_whole(visit());
    EXPECT_TRUE(reports.back().complete);
    EXPECT_EQ(origin.bytes_sent(), whole());
}

TEST_F(ReaderTest, AnotherUrlWithTheSameDigestIsAHit) {
    digest = testing::digest_of(origin.content);
    visit();
    commit();
    const TaskId first = task;
    task = task_named("another URL");
    Client& second = visit();
    expect_whole(second);
    EXPECT_EQ(second.origin, Origin::hit);
    EXPECT_EQ(origin.transfers(), origin.lines.size());
    EXPECT_EQ(origin.bytes_sent(), whole());
    auto removing = cache->remove(first, loop);
    crank();
    EXPECT_TRUE(removing.take());
    restart();
    Client& third = visit();
    expect_whole(third);
    EXPECT_EQ(third.origin, Origin::hit);
    EXPECT_EQ(origin.bytes_sent(), whole());
}

TEST_F(ReaderTest, AnotherUrlWithTheSameDigestIsAHitForSmallBodiesToo) {
    origin.content = some_content(1'000);
    digest = testing::digest_of(origin.content);
    visit();
    commit();
    task = task_named("another URL");
    EXPECT_EQ(visit().origin, Origin::hit);
    EXPECT_EQ(origin.bytes_sent(), 1'000U);
}

TEST_F(ReaderTest, ADigestThatIsLearntLaterIsCheckedBeforeTheTailIsServed) {
    visit();
    digest = testing::digest_of(origin.content);
    expect_whole(visit());
    EXPECT_EQ(origin.bytes_sent(), whole());
    EXPECT_TRUE(reports.back().complete);
}

TEST_F(ReaderTest, AReaderKeepsItsBytesWhenTheTaskIsRemoved) {
    visit();
    auto opening = cache->open(request(), loop);
    crank();
    auto reader = std::move(*opening.take());
    auto removing = cache->remove(task, loop);
    crank();
    EXPECT_TRUE(removing.take());
    auto next = reader->next(10);
    crank();
    auto run = next.take();
    ASSERT_TRUE(run);
    EXPECT_EQ(testing::bytes_of(*run), slice(ByteRange(0, 10)));
    reader = nullptr;
    Client& again = visit();
    EXPECT_EQ(again.origin, Origin::led);
    expect_whole(again);
}

TEST_F(ReaderTest, AReaderKeepsItsFetchWhenTheTaskIsRemoved) {
    origin.by_hand = true;
    options.connections = 1;
    Client& client = visit();
    origin.deliver(0, 1_MiB);
    crank();
    auto removing = cache->remove(task, loop);
    crank();
    EXPECT_TRUE(removing.take());
    origin.deliver(0, whole());
    crank();
    expect_whole(client);
    commit();
    EXPECT_EQ(data_file(), "");
}

TEST_F(ReaderTest, AFullDiskLeavesTheRestToTheClientAndKeepsWholePieces) {
    options.connections = 1;
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    const rlimit tight{1_MiB + 100'000, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &tight);
    Client& client = visit();
    ::setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_EQ(client.code(), Errc::exhausted);
    EXPECT_TRUE(client.received == slice(ByteRange(0, client.received.size())));
    EXPECT_GE(client.received.size(), 1_MiB);
    restart();
    Client& second = visit();
    expect_whole(second);
    EXPECT_EQ(second.origin, Origin::partial);
}

TEST_F(ReaderTest, WhatIsNotInMemoryIsHandedOutAsCold) {
    visit();
    forget_pages_from(1_MiB);
    auto reader = open_reader();
    const auto first = run_of(*reader, 1_MiB);
    EXPECT_FALSE(first.is_cold);
    const auto second = run_of(*reader, 8_MiB);
    EXPECT_TRUE(second.is_cold);
    EXPECT_EQ(second.length + second.ahead, std::min(whole() - 1_MiB, 2_MiB));
    reader->take_back(second.offset + 10);
    EXPECT_EQ(reader->position(), 1_MiB + 10);
}

TEST_F(ReaderTest, WhatCannotBeReadIsFetchedAgainOnceItIsTakenBack) {
    visit();
    forget_pages_from(1_MiB);
    auto reader = open_reader();
    std::string received = testing::bytes_of(run_of(*reader, 1_MiB));
    while (received.size() < whole()) {
        const auto run = run_of(*reader, 8_MiB);
        ASSERT_EQ(run.offset, received.size());
        if (run.is_cold)
            reader->take_back(run.offset);
        else
            received += testing::bytes_of(run);
    }
    EXPECT_TRUE(received == slice(ByteRange(0, whole())));
    EXPECT_GT(origin.bytes_sent(), whole());
}

TEST_F(ReaderTest, ASlowReaderDoesNotHoldAFastOne) {
    visit_range(ByteRange(0, 10));
    auto opening = cache->open(request("slow"), loop);
    crank();
    auto slow = std::move(*opening.take());
    expect_whole(visit("fast"));
    EXPECT_EQ(slow->position(), 0U);
    auto next = slow->next(10);
    crank();
    EXPECT_EQ(testing::bytes_of(*next.take()), slice(ByteRange(0, 10)));
}

}  // namespace
}  // namespace hawker::cache
