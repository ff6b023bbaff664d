#include "cache/index.h"

#include "cache/data_files.h"
#include "cache/foundation.h"
#include "cache/index_tables.h"
#include "cache/records.h"
#include "tests/unit/cache/scratch.h"

#include <atomic>
#include <set>

#include <gtest/gtest.h>

namespace hawker::cache {
namespace {

using namespace test;

class IndexTest : public IndexFixture {
protected:
    AccessRecord access_of(const TaskId& task) {
        AccessRecord found;
        index->each(std::nullopt, [&](const ObjectRecord& record, const AccessRecord& access) {
            if (record.task == task) found = access;
            return record.task != task;
        });
        return found;
    }
};

TEST_F(IndexTest, WhatIsCommittedIsFound) {
    index->put_object(object(a, 1));
    index->put_piece(a, 1, piece(0), nullptr);
    EXPECT_FALSE(index->find(a)) << "queued is not committed";
    index.commit();
    ASSERT_TRUE(index->find(a));
    EXPECT_EQ(index->find(a)->head, object(a, 1).head);
    EXPECT_EQ(piece_numbers(a, 1), (std::vector<std::uint32_t>{0}));
    EXPECT_FALSE(index->find(b));
    EXPECT_EQ(index->objects(), 1U);
}

TEST_F(IndexTest, EverythingSurvivesACleanStop) {
    index->put_object(object(a, 1));
    for (std::uint32_t number : {300U, 2U, 1U}) index->put_piece(a, 1, piece(number), nullptr);
    index->put_inline(small(b, 2, 12), body_of("a small body"));
    index->touch(a);
    index.stop();
    index.open();
    EXPECT_TRUE(index->find(a));
    EXPECT_EQ(piece_numbers(a, 1), (std::vector<std::uint32_t>{1, 2, 300}));
    EXPECT_EQ(small_body(b), "a small body");
    EXPECT_TRUE(index->find(b)->inlined);
    EXPECT_EQ(access_of(a).hits, 1U);
    EXPECT_EQ(index->boot(), 2U);
}

TEST_F(IndexTest, AnUncleanStopLosesOnlyWhatWasNotCommitted) {
    index->put_object(object(a, 1));
    index.commit();
    index->put_object(object(b, 1));
    index.stop_uncleanly();
    index.open();
    EXPECT_TRUE(index->find(a));
    EXPECT_FALSE(index->find(b));
}

TEST_F(IndexTest, GenerationsAreNeverGivenTwice) {
    std::set<std::uint64_t> seen;
    for (int run = 0; run < 3; ++run) {
        ASSERT_TRUE(index->begin_run());
        for (int i = 0; i < 100; ++i) EXPECT_TRUE(seen.insert(index->next_generation()).second);
        index.stop_uncleanly();
        index.open();
    }
    EXPECT_GT(index->next_generation(), *seen.rbegin()) << "later is larger";
}

TEST_F(IndexTest, ASecondHawkerdIsRefusedInWords) {
    const auto second =
        Index::open(Foundation::of_the_system(), index.options, index.clock, *index.log);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::invalid);
    EXPECT_EQ(second.error().what, "another hawkerd (pid " + std::to_string(::getpid()) +
                                       ") uses " + directory.path().string());
}

TEST_F(IndexTest, AFileThatIsNoIndexIsRefusedInWords) {
    index.stop();
    std::filesystem::resize_file(directory.path() / "index" / "data.mdb", 0);
    std::filesystem::resize_file(directory.path() / "index" / "data.mdb", 8192);
    const auto opened =
        Index::open(Foundation::of_the_system(), index.options, index.clock, *index.log);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::invalid) << opened.error().what;
}

TEST_F(IndexTest, ADirectoryThatCannotBeIsRefusedInWords) {
    IndexOptions options = index.options;
    options.directory = "/proc/no/such";
    const auto opened = Index::open(Foundation::of_the_system(), options, index.clock, *index.log);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::invalid);
}

TEST_F(IndexTest, RemovingTakesEveryRowOfTheObject) {
    ObjectRecord record = object(a, 1);
    record.digest = digest_named("content");
    record.digest_verified = true;
    index->put_object(record);
    for (std::uint32_t number = 0; number < 500; ++number)
        index->put_piece(a, 1, piece(number), nullptr);
    index->put_object(object(b, 1));
    index->put_piece(b, 1, piece(0), nullptr);
    index->touch(a);
    index.commit();
    EXPECT_EQ(index->by_digest(*record.digest), a);
    std::atomic<bool> found_when_called = true;
    index->remove(a, 1, [&] { found_when_called = index->find(a).has_value(); });
    index.commit();
    EXPECT_FALSE(found_when_called);
    EXPECT_FALSE(index->find(a));
    EXPECT_TRUE(piece_numbers(a, 1).empty());
    EXPECT_FALSE(index->by_digest(*record.digest));
    EXPECT_EQ(piece_numbers(b, 1).size(), 1U);
    index->put_object(object(a, 2));
    index.commit();
    EXPECT_EQ(access_of(a).hits, 0U) << "the access row went too";
}

TEST_F(IndexTest, RemovingAnOldGenerationLeavesTheNewOne) {
    ObjectRecord newer = object(a, 2);
    newer.digest = digest_named("content");
    newer.digest_verified = true;
    index->put_object(object(a, 1));
    index->put_piece(a, 1, piece(0), nullptr);
    index->put_object(newer);
    index->put_piece(a, 2, piece(7), nullptr);
    index->remove(a, 1, nullptr);
    index.commit();
    ASSERT_TRUE(index->find(a));
    EXPECT_EQ(index->find(a)->generation, 2U);
    EXPECT_TRUE(piece_numbers(a, 1).empty());
    EXPECT_EQ(piece_numbers(a, 2).size(), 1U);
    EXPECT_EQ(index->by_digest(*newer.digest), a);
}

TEST_F(IndexTest, ALateRecordOfAnOldGenerationIsIgnored) {
    index->put_object(object(a, 2));
    index->put_object(object(a, 1));
    index.commit();
    EXPECT_EQ(index->find(a)->generation, 2U);
}

TEST_F(IndexTest, WhatIsStoredIsCountedWithoutReadingIt) {
    index->put_object(object(a, 1));
    for (std::uint32_t number : {0U, 1U, 1U, 2U}) index->put_piece(a, 1, piece(number), nullptr);
    index->forget_piece(a, 1, 2);
    index->forget_piece(a, 1, 9);
    index->put_inline(object(b, 1), body_of("five!"));
    index->put_inline(object(b, 1), body_of("seven!!"));
    const TaskId c = task_named("c"), d = task_named("d");
    index->put_object(object(c, 1));
    index->put_piece(c, 1, piece(0), nullptr);
    index->put_inline(object(c, 2), body_of("replaced"));
    index->put_inline(object(d, 1), body_of("gone"));
    index.commit();
    index->remove(d, 1, nullptr);
    index.stop();
    index.open();
    EXPECT_EQ(index->stored_bytes(), 20U + 7U + 8U);
    index->remove(a, 1, nullptr);
    EXPECT_EQ(index->stored_bytes(), 20U + 7U + 8U) << "as committed";
    index.commit();
    EXPECT_EQ(index->stored_bytes(), 7U + 8U);
    index.stop_uncleanly();
    index.open();
    EXPECT_EQ(index->stored_bytes(), 7U + 8U);
}

TEST_F(IndexTest, MutationsTakeEffectInTheOrderTheyWereQueued) {
    index->put_object(object(a, 1));
    index->put_piece(a, 1, piece(0), nullptr);
    index->remove(a, 1, nullptr);
    index->put_inline(object(b, 1), body_of("one"));
    index->remove(b, 1, nullptr);
    index->put_inline(small(b, 2, 3), body_of("two"));
    index->put_piece(b, 2, piece(4), nullptr);
    index->put_piece(b, 2, piece(5), nullptr);
    index->forget_piece(b, 2, 4);
    index.commit();
    EXPECT_FALSE(index->find(a));
    EXPECT_TRUE(piece_numbers(a, 1).empty());
    EXPECT_EQ(small_body(b), "two");
    EXPECT_EQ(piece_numbers(b, 2), (std::vector<std::uint32_t>{5}));
    index.stop();
    const Foundation foundation = Foundation::of_the_system();
    const auto rows = Environment::open(*foundation.index, directory.path() / "index", 64U << 20U);
    ASSERT_TRUE(rows);
    EXPECT_FALSE((*rows)->read()->get(Table::bodies, RowKey::body(b, 1).view()));
}

TEST_F(IndexTest, ADigestBelongsToTheLastTaskThatVerifiedIt) {
    ObjectRecord first = object(a, 1);
    first.digest = digest_named("content");
    index->put_object(first);
    index.commit();
    EXPECT_FALSE(index->by_digest(*first.digest)) << "expected is not verified";
    first.digest_verified = true;
    ObjectRecord second = first;
    second.task = b;
    index->put_object(first);
    index->put_object(second);
    index.commit();
    EXPECT_EQ(index->by_digest(*first.digest), b);
    index->remove(a, 1, nullptr);
    index.commit();
    EXPECT_EQ(index->by_digest(*first.digest), b) << "the row points at b, not at a";
    second.digest = digest_named("other content");
    index->put_object(second);
    index.commit();
    EXPECT_FALSE(index->by_digest(*first.digest));
    EXPECT_EQ(index->by_digest(*second.digest), b);
}

TEST_F(IndexTest, TouchesAreMergedIntoTheAccessRow) {
    index->put_object(object(a, 1));
    index->touch(a);
    index.clock.seconds = 2'000;
    index->touch(a);
    index->touch(b);  // nothing is stored under b: no row
    index.commit();
    EXPECT_EQ(access_of(a).hits, 2U);
    EXPECT_EQ(access_of(a).used_at, 2'000);
    index.clock.seconds = 1'500;  // a clock set back does not make it older
    index->touch(a);
    index.stop();
    index.open();
    EXPECT_EQ(access_of(a).hits, 3U);
    EXPECT_EQ(access_of(a).used_at, 2'000);
    index->put_object(object(b, 1));
    index.commit();
    EXPECT_EQ(access_of(b).hits, 0U);
}

TEST_F(IndexTest, EachGoesInTaskOrderAndStopsWhenTold) {
    std::set<TaskId> all;
    for (std::size_t i = 0; i < 3'000; ++i) {
        index->put_object(object(task_number(i), 1));
        all.insert(task_number(i));
    }
    index.commit();
    std::vector<TaskId> seen;
    index->each(std::nullopt, [&](const ObjectRecord& record, const AccessRecord&) {
        seen.push_back(record.task);
        return true;
    });
    EXPECT_EQ(seen, (std::vector<TaskId>(all.begin(), all.end())));
    std::vector<TaskId> page;
    index->each(seen[1'500], [&](const ObjectRecord& record, const AccessRecord&) {
        page.push_back(record.task);
        return page.size() < 10;
    });
    EXPECT_EQ(page, (std::vector<TaskId>(seen.begin() + 1'501, seen.begin() + 1'511)));
}

TEST_F(IndexTest, APieceOfWhatIsNotThereIsNotCounted) {
    index->put_piece(a, 1, piece(0), nullptr);  // its object found no room
    index->put_object(object(b, 2));
    index->put_piece(b, 1, piece(0), nullptr);
    index.commit();
    EXPECT_TRUE(piece_numbers(a, 1).empty());
    EXPECT_TRUE(piece_numbers(b, 1).empty());
    EXPECT_EQ(index->stored_bytes(), 0U);
}

TEST_F(IndexTest, AHundredThousandPutsAreAllThere) {
    constexpr std::size_t kMany = 100'000;
    for (std::size_t i = 0; i < 1'000; ++i) index->put_object(object(task_number(i), 1));
    for (std::size_t i = 0; i < kMany; ++i)
        index->put_piece(task_number(i % 1'000), 1, piece(static_cast<std::uint32_t>(i / 1'000)),
                         nullptr);
    index.commit();
    std::size_t found = 0;
    for (std::size_t i = 0; i < 1'000; ++i) found += index->pieces(task_number(i), 1).size();
    EXPECT_EQ(found, kMany);
}

}  // namespace
}  // namespace hawker::cache
