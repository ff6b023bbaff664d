// The cache as a whole: what is found again, what is not, and what an operator sees.
#include "tests/unit/cache/world.h"

#include <fstream>

#include <gtest/gtest.h>

namespace hawker::cache {
namespace {

using std::chrono::seconds;
using testing::Client;
using testing::some_content;
using testing::task_named;

class CacheTest : public testing::World {
protected:
    std::optional<Representation> find() {
        auto finding = cache->find(task, loop);
        crank();
        return finding.take();
    }
    bool remove(std::optional<std::uint64_t> generation = std::nullopt) {
        auto removing = generation ? cache->remove_generation(task, *generation, loop)
                                   : cache->remove(task, loop);
        crank();
        return removing.take();
    }
    // Another object, of one mebibyte, stored.
    TaskId store(const std::string& name) {
        clock.advance(seconds(1));
        origin.content = some_content(1_MiB, std::hash<std::string>()(name));
        task = task_named(name);
        EXPECT_TRUE(visit().finished);
        commit();
        return task;
    }
    bool is_stored(const TaskId& which) {
        task = which;
        return find().has_value();
    }
};

TEST_F(CacheTest, TheSecondVisitIsAHitAndCostsTheOriginNothing) {
    Client& first = visit("alice");
    EXPECT_EQ(first.received, origin.content);
    EXPECT_EQ(first.origin, Origin::led);
    const auto sent = origin.bytes_sent();
    Client& second = visit("bob");
    EXPECT_EQ(second.received, origin.content);
    EXPECT_EQ(second.origin, Origin::hit);
    EXPECT_EQ(origin.bytes_sent(), sent);
    EXPECT_EQ(sent, origin.content.size());
}

TEST_F(CacheTest, WhatTookThePlaceOfAnotherGenerationIsNotRemovedForIt) {
    visit();
    const std::uint64_t generation = find().value().generation;
    EXPECT_FALSE(remove(generation - 1));
    EXPECT_TRUE(find());
    EXPECT_TRUE(remove(generation) && !find());
}

TEST_F(CacheTest, AHitOfSomethingHotNeedsNoPool) {
    visit();
    Client& second = arrive(request());
    while (loop.turn()) {
    }
    EXPECT_TRUE(second.finished);
}

// A content whose digest the source tells, stored and known under it.
class ToldDigestTest : public CacheTest {
protected:
    ToldDigestTest() {
        origin.content = some_content(1_MiB);
        origin.digest = testing::digest_of(origin.content);
        EXPECT_TRUE(visit().finished);
        commit();
        before = origin.bytes_sent();
    }
    // The same content under another name.
    Client& visit_other(bool links) {
        OpenRequest other = request();
        other.task = task_named("other");
        other.source = std::make_shared<testing::FakeSource>(origin, "alice");
        other.links_by_digest = links;
        other.label = "the other name";
        Client& client = arrive(other);
        crank();
        return client;
    }

    std::uint64_t before = 0;
};

TEST_F(ToldDigestTest, LinksToWhatIsHereWhereTheSourceIsTrusted) {
    const Client& client = visit_other(true);
    EXPECT_TRUE(client.finished);
    EXPECT_EQ(client.received, origin.content);
    EXPECT_LT(origin.bytes_sent() - before, origin.content.size() / 2);
    EXPECT_TRUE(is_stored(task_named("other")));
    commit();
    const auto entries = cache->list(std::nullopt, 10);
    EXPECT_TRUE(std::ranges::any_of(
        entries, [](const Entry& entry) { return entry.label == "the other name"; }));
}

TEST_F(ToldDigestTest, TwoNamesOfOneFileCountOnceUntilBothAreGone) {
    const TaskId first = task, second = task_named("other");
    for (const auto& [earlier, later] : {std::pair(first, second), std::pair(second, first)}) {
        task = first;
        visit();
        commit();
        visit_other(true);
        commit();
        EXPECT_EQ(cache->usage().objects, 2U);
        EXPECT_EQ(cache->usage().bytes, 1_MiB);
        auto entries = cache->list(std::nullopt, 10);
        ASSERT_EQ(entries.size(), 2U);
        EXPECT_TRUE(entries[0].shared_file);
        EXPECT_EQ(entries[0].shared_file, entries[1].shared_file);
        restart();
        EXPECT_EQ(cache->usage().bytes, 1_MiB);
        task = earlier;
        EXPECT_TRUE(remove());
        commit();
        EXPECT_EQ(cache->usage().bytes, 1_MiB);
        entries = cache->list(std::nullopt, 10);
        ASSERT_EQ(entries.size(), 1U);
        EXPECT_FALSE(entries[0].shared_file) << "its own by now";
        restart();
        task = later;
        EXPECT_EQ(visit().origin, Origin::hit);
        EXPECT_TRUE(remove());
        commit();
        EXPECT_EQ(cache->usage().bytes, 0U);
        EXPECT_EQ(data_file(), "");
    }
}

TEST_F(ToldDigestTest, TwoNamesOfOneFileAreNotTooMuchWhereOneFits) {
    limits.max_size = 1_MiB + 200'000;  // and what commit() stores for a moment
    cache->set_limits(limits);
    visit_other(true);
    commit();
    pass(seconds(11));
    EXPECT_EQ(cache->usage().evictions, 0U);
    limits.max_size = 1_MiB - 1;
    cache->set_limits(limits);
    pass(seconds(11));
    EXPECT_EQ(cache->usage().evictions, 2U);
    EXPECT_EQ(cache->usage().evicted_bytes, 1_MiB);
    EXPECT_EQ(cache->usage().bytes, 0U);
}

TEST_F(ToldDigestTest, OpensNothingToWhoeverOnlyKnowsIt) {
    origin.script.push_back({});
    origin.content =
        some_content(1_MiB, 99);  // another server, with the digest of something secret
    const Client& client = visit_other(false);
    EXPECT_FALSE(client.finished) << "what it sends is not what it said";
    EXPECT_EQ(client.error->code, Errc::corrupt);
}

TEST_F(ToldDigestTest, OfAnotherSizeIsNotTheSameContent) {
    origin.content += "more";
    EXPECT_FALSE(visit_other(true).finished);
}

TEST_F(CacheTest, AReaderKeepsTheHeadThatItHasSeenAndOthersGetTheRefreshedOne) {
    visit();
    const auto reader = cache->open_at_hand(task, {}, loop);
    ASSERT_NE(reader, nullptr);
    const auto seen = reader->representation().head;
    cache->refresh(task, reader->representation().generation, "a newer head");
    EXPECT_EQ(reader->representation().head, seen);
    const auto later = cache->open_at_hand(task, {}, loop);
    ASSERT_NE(later, nullptr);
    EXPECT_NE(later->representation().head, seen);
}

TEST(DerivedSlotTest, TheFirstIsKeptAndACopyBeginsEmpty) {
    const DerivedSlot slot;
    EXPECT_EQ(slot.get(), nullptr);
    const Derived& first = slot.keep(std::make_unique<Derived>());
    const Derived& second = slot.keep(std::make_unique<Derived>());
    EXPECT_EQ(&first, &second);
    EXPECT_EQ(slot.get(), &first);
    const DerivedSlot copy(slot);  // NOLINT(performance-unnecessary-copy-initialization)
    EXPECT_EQ(copy.get(), nullptr);
}

TEST_F(CacheTest, FindTellsWhatIsStoredWithoutAskingAnybody) {
    EXPECT_FALSE(find());
    visit();
    for (int restarts = 0; restarts < 2; ++restarts) {
        const auto found = find();
        ASSERT_TRUE(found);
        EXPECT_EQ(found->size, origin.content.size());
        EXPECT_EQ(found->validator, "\"v1\"");
        EXPECT_EQ(found->head, "head of \"v1\"");
        EXPECT_EQ(found->stored_at, 1'700'000'000);
        EXPECT_TRUE(found->complete);
        restart();
    }
    EXPECT_EQ(origin.bytes_sent(), origin.content.size());
}

TEST_F(CacheTest, WhatIsRemovedIsGoneAtOnceAndStaysGone) {
    EXPECT_FALSE(remove());
    visit();
    EXPECT_TRUE(remove());
    EXPECT_FALSE(find());
    EXPECT_FALSE(remove());
    restart();
    EXPECT_FALSE(find());
    EXPECT_EQ(data_file(), "");
    EXPECT_EQ(cache->usage().bytes, 0U);
}

TEST_F(CacheTest, WhatIsRemovedBeforeItsFirstByteLeavesNoFile) {
    origin.by_hand = true;
    options.connections = 1;
    Client& client = visit();
    origin.answer(0);
    crank();
    EXPECT_EQ(data_file(), "") << "made with the first bytes";
    EXPECT_TRUE(remove());
    commit();
    origin.deliver(0, whole());
    crank();
    expect_whole(client);
    EXPECT_EQ(data_file(), "");
}

TEST_F(CacheTest, ARefreshedHeadIsRemembered) {
    visit();
    const auto before = find();
    cache->refresh(task, before->generation + 1, "of another generation");
    EXPECT_EQ(find()->head, before->head);
    cache->refresh(task, before->generation, "fresh");
    EXPECT_EQ(find()->head, "fresh");
    restart();
    EXPECT_EQ(find()->head, "fresh");
}

TEST_F(CacheTest, ARefreshOfSomethingColdIsRememberedToo) {
    visit();
    restart();
    cache->refresh(task, find()->generation, "fresh");
    restart();
    EXPECT_EQ(find()->head, "fresh");
    EXPECT_TRUE(visit().origin == Origin::hit);
}

TEST_F(CacheTest, AnOperatorSeesWhatIsStored) {
    visit();
    commit();
    const auto entries = cache->list(std::nullopt, 10);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].task, task);
    EXPECT_EQ(entries[0].label, "http://origin/object");
    EXPECT_EQ(entries[0].rule, "test");
    EXPECT_EQ(entries[0].stored, origin.content.size());
    EXPECT_TRUE(entries[0].complete);
    EXPECT_FALSE(entries[0].fetching);
    EXPECT_TRUE(cache->list(task, 10).empty());
    const Usage usage = cache->usage();
    EXPECT_EQ(usage.bytes, origin.content.size());
    EXPECT_EQ(usage.objects, 1U);
    EXPECT_EQ(usage.running_fetches, 0U);
}

TEST_F(CacheTest, AnOperatorSeesWhatIsBeingFetched) {
    origin.by_hand = true;
    options.connections = 1;
    visit();
    origin.deliver(0, 1_MiB);
    crank();
    commit();
    const auto entries = cache->list(std::nullopt, 10);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_TRUE(entries[0].fetching);
    EXPECT_EQ(entries[0].stored, 1_MiB);
    EXPECT_EQ(cache->usage().running_fetches, 1U);
}

TEST_F(CacheTest, TheLeastRecentlyUsedLeavesWhenThereIsTooMuch) {
    const TaskId one = store("one"), two = store("two");
    task = one;
    clock.advance(seconds(1));
    visit();
    limits.max_size = 3_MiB - 1;
    limits.low_watermark = 0.99;
    cache->set_limits(limits);
    const TaskId three = store("three");
    EXPECT_TRUE(is_stored(one));
    EXPECT_FALSE(is_stored(two));
    EXPECT_TRUE(is_stored(three));
    EXPECT_EQ(cache->usage().evictions, 1U);
    EXPECT_EQ(cache->usage().bytes, 2_MiB);
}

TEST_F(CacheTest, WhatIsBeingReadDoesNotLeave) {
    const TaskId one = store("one");
    auto opening = cache->open(request(), loop);
    crank();
    auto reader = std::move(*opening.take());
    limits.max_size = 2_MiB - 1;
    cache->set_limits(limits);
    store("two");
    EXPECT_TRUE(is_stored(one));
}

TEST_F(CacheTest, LimitsThatWereTightenedAreKeptSoonAfter) {
    store("one");
    store("two");
    limits.max_size = 1_MiB + 1;
    limits.low_watermark = 1;
    cache->set_limits(limits);
    pass(seconds(11));
    EXPECT_LE(cache->usage().bytes, 1_MiB + 1);
    EXPECT_EQ(cache->usage().evictions, 1U);
}

TEST_F(CacheTest, WhatIsStoredIsCountedAfterARestart) {
    store("one");
    restart();
    crank();
    EXPECT_GE(cache->usage().bytes, 1_MiB);
    EXPECT_LE(cache->usage().bytes, 1_MiB + 64_KiB);
}

TEST_F(CacheTest, FilesThatBelongToNobodyAreSweptAfterTheStart) {
    visit();
    const auto kept = data_file();
    close();
    auto name = kept.filename().string();
    name[0] = name[0] == 'a' ? 'b' : 'a';
    const auto orphan = kept.parent_path().parent_path() / name.substr(0, 2) / name;
    std::filesystem::create_directories(orphan.parent_path());
    std::ofstream(orphan) << "left behind";
    restart();
    crank();
    EXPECT_FALSE(std::filesystem::exists(orphan));
    EXPECT_TRUE(std::filesystem::exists(kept));
}

TEST_F(CacheTest, ManyObjectsComeAndGoThroughTheLiveTable) {
    options.connections = 1;
    origin.content = some_content(100'000);
    for (int i = 0; i < 1'100; ++i) {
        task = task_named(std::to_string(i));
        ASSERT_TRUE(visit().finished);
        clients.clear();
    }
    const auto sent = origin.bytes_sent();
    for (int i = 0; i < 1'100; i += 37) {
        task = task_named(std::to_string(i));
        EXPECT_EQ(visit().origin, Origin::hit) << i;
    }
    EXPECT_EQ(origin.bytes_sent(), sent);
}

TEST_F(CacheTest, AFullIndexMakesRoomForWhatComes) {
    map_size = 1_MiB;
    restart();
    origin.content = some_content(30'000);
    for (int i = 0; i < 1'000 && cache->usage().evictions == 0; ++i) {
        task = task_named(std::to_string(i));
        expect_whole(visit());
        clients.clear();
        // However slow the disk is: what waits for it must not grow until openings wait as well.
        if (i % 10 == 0) commit();
    }
    ASSERT_GT(cache->usage().evictions, 0U);
    commit();
    task = task_named("late");
    ASSERT_TRUE(visit().finished);
    restart();
    EXPECT_EQ(visit().origin, Origin::hit);
}

TEST_F(CacheTest, ADirectoryThatIsInUseIsRefused) {
    CacheOptions again;
    again.directory = directory.path();
    again.map_size = 64_MiB;
    const auto second = Cache::open(again, pool, clock, *log, nullptr);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::invalid);
}

TEST_F(CacheTest, NobodyOpensAnythingOnceItIsClosed) {
    close();
    EXPECT_EQ(visit().code(), Errc::shutting_down);
}

}  // namespace
}  // namespace hawker::cache
