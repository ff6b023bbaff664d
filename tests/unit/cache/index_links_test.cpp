// A data file with several names: its bytes are on the disk once, and counted once, until its last
// name goes.
#include "cache/index.h"
#include "cache/records.h"
#include "tests/unit/cache/scratch.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <lmdb.h>

namespace hawker::cache {
namespace {

using namespace test;

constexpr std::uint64_t kSize = 30;

class IndexLinksTest : public testing::Test {
protected:
    ScratchDirectory directory;
    OpenIndex index{directory.path()};
    const TaskId a = task_named("a"), b = task_named("b"), c = task_named("c");

    static ObjectRecord whole(const TaskId& task, std::uint64_t generation) {
        ObjectRecord record = object(task, generation);
        record.size = kSize;
        record.complete = true;
        return record;
    }
    static std::vector<PieceRecord> all_pieces() { return {piece(0), piece(1), piece(2)}; }
    void store(const TaskId& task, std::uint64_t generation) {
        index->put_object(whole(task, generation));
        for (const PieceRecord& each : all_pieces())
            index->put_piece(task, generation, each, nullptr);
    }
    void link(const TaskId& of, std::uint64_t of_generation, const TaskId& task,
              std::uint64_t generation) {
        index->put_link(whole(task, generation), all_pieces(), nullptr, of, of_generation);
    }
    // As committed, now and by the next run.
    std::uint64_t stored() {
        index.commit();
        const std::uint64_t before = index->stored_bytes();
        index.stop_uncleanly();
        index.open();
        EXPECT_EQ(index->stored_bytes(), before);
        return before;
    }
    std::uint64_t after_removing(const TaskId& task, std::uint64_t generation) {
        index->remove(task, generation, nullptr);
        return stored();
    }

    // What an older hawkerd does, that knows nothing of links: it removes `gone`, and counts
    // `bytes`.
    void run_an_older_one(const TaskId* gone, std::uint64_t bytes) {
        index.stop();
        MDB_env* env = nullptr;
        MDB_txn* txn = nullptr;
        mdb_env_create(&env);
        mdb_env_set_maxdbs(env, 6);
        ASSERT_EQ(mdb_env_open(env, (directory.path() / "index").c_str(), 0, 0600), 0);
        ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
        MDB_dbi meta = 0, objects = 0;
        ASSERT_EQ(mdb_dbi_open(txn, "meta", 0, &meta), 0);
        ASSERT_EQ(mdb_dbi_open(txn, "objects", 0, &objects), 0);
        std::string name = "bytes", row = encode_number(bytes);
        MDB_val key{name.size(), name.data()}, value{row.size(), row.data()};
        ASSERT_EQ(mdb_put(txn, meta, &key, &value, 0), 0);
        if (gone != nullptr) {
            std::string task(RowKey::object(*gone).view());
            MDB_val removed{task.size(), task.data()};
            ASSERT_EQ(mdb_del(txn, objects, &removed, nullptr), 0);
        }
        ASSERT_EQ(mdb_txn_commit(txn), 0);
        mdb_env_close(env);
        index.open();
    }
};

TEST_F(IndexLinksTest, AFileWithTwoNamesCountsOnce) {
    store(a, 1);
    link(a, 1, b, 2);
    EXPECT_EQ(stored(), kSize);
    EXPECT_TRUE(index->find(b)->complete);
    EXPECT_EQ(index->pieces(b, 2).size(), 3U);
    EXPECT_EQ(index->shared_file(a, 1)->names, 2U);
    EXPECT_EQ(index->shared_file(b, 2)->file, index->shared_file(a, 1)->file);
    EXPECT_FALSE(index->shared_file(c, 1));
}

TEST_F(IndexLinksTest, TheFirstNameMayGoFirst) {
    store(a, 1);
    link(a, 1, b, 2);
    EXPECT_EQ(after_removing(a, 1), kSize);
    EXPECT_EQ(after_removing(b, 2), 0U);
    EXPECT_FALSE(index->shared_file(b, 2));
}

TEST_F(IndexLinksTest, TheSecondNameMayGoFirst) {
    store(a, 1);
    link(a, 1, b, 2);
    EXPECT_EQ(after_removing(b, 2), kSize);
    EXPECT_EQ(after_removing(a, 1), 0U);
}

TEST_F(IndexLinksTest, ALinkToALinkIsANameOfTheSameFile) {
    store(a, 1);
    link(a, 1, b, 2);
    EXPECT_EQ(after_removing(a, 1), kSize);
    link(b, 2, c, 3);
    EXPECT_EQ(stored(), kSize);
    EXPECT_EQ(after_removing(b, 2), kSize);
    EXPECT_EQ(after_removing(c, 3), 0U);
}

TEST_F(IndexLinksTest, RemovingTwiceIsRemovingOnce) {
    store(a, 1);
    link(a, 1, b, 2);
    EXPECT_EQ(after_removing(b, 2), kSize);
    EXPECT_EQ(after_removing(b, 2), kSize);
    EXPECT_EQ(index->shared_file(a, 1)->names, 1U);
}

TEST_F(IndexLinksTest, BothNamesMayGoInOneBatch) {
    store(a, 1);
    link(a, 1, b, 2);
    index->remove(a, 1, nullptr);
    index->remove(b, 2, nullptr);
    EXPECT_EQ(stored(), 0U);
}

TEST_F(IndexLinksTest, ANameWhoseFirstHasGoneMeanwhileHasTheFileForItself) {
    store(a, 1);
    index->remove(a, 1, nullptr);
    link(a, 1, b, 2);
    EXPECT_EQ(stored(), kSize);
    EXPECT_FALSE(index->shared_file(b, 2));
    EXPECT_EQ(after_removing(b, 2), 0U);
}

TEST_F(IndexLinksTest, ANewGenerationLeavesTheFileToTheOtherName) {
    store(a, 1);
    link(a, 1, b, 2);
    index->put_inline(object(a, 3), body_of("five!"));
    EXPECT_EQ(stored(), kSize + 5);
    EXPECT_EQ(after_removing(b, 2), 5U);
    EXPECT_EQ(after_removing(a, 3), 0U);
}

TEST_F(IndexLinksTest, ALinkThatComesLateChangesNothing) {
    store(a, 1);
    store(b, 3);
    link(a, 1, b, 2);
    EXPECT_EQ(stored(), 2 * kSize);
    EXPECT_TRUE(index->pieces(b, 2).empty());
    EXPECT_FALSE(index->shared_file(a, 1));
}

TEST_F(IndexLinksTest, APieceThatIsForgottenAndFetchedAgainLeavesNoTrace) {
    for (const bool is_fetched_again : {false, true}) {
        store(a, 1);
        link(a, 1, b, 2);
        index->forget_piece(b, 2, 1);
        EXPECT_EQ(stored(), kSize - piece(1).length);
        if (is_fetched_again) index->put_piece(b, 2, piece(1), nullptr);
        EXPECT_EQ(after_removing(b, 2), kSize);
        EXPECT_EQ(after_removing(a, 1), 0U);
    }
}

TEST_F(IndexLinksTest, PiecesThatAreForgottenUnderEachNameNeverCountBelowNothing) {
    store(a, 1);
    link(a, 1, b, 2);
    for (const PieceRecord& each : all_pieces()) {
        index->forget_piece(a, 1, each.number);
        index->forget_piece(b, 2, each.number);
    }
    EXPECT_EQ(stored(), 0U);
    for (const PieceRecord& each : all_pieces()) {
        index->put_piece(a, 1, each, nullptr);
        index->put_piece(b, 2, each, nullptr);
    }
    EXPECT_EQ(stored(), kSize);
    EXPECT_EQ(after_removing(a, 1), kSize);
    EXPECT_EQ(after_removing(b, 2), 0U);
}

TEST_F(IndexLinksTest, ALinkWhoseFileCannotBeSyncedIsNone) {
    SystemDisk disk;
    store(a, 1);
    index->put_link(whole(b, 2), all_pieces(),
                    std::make_shared<DataFile>(disk, UniqueFd()),  // EBADF: a broken disk
                    a, 1);
    EXPECT_EQ(stored(), kSize);
    EXPECT_FALSE(index->find(b));
    EXPECT_FALSE(index->shared_file(a, 1));
}

TEST_F(IndexLinksTest, SmallBodiesAreCopies) {
    index->put_inline(object(a, 1), body_of("five!"));
    index->put_inline(object(b, 1), body_of("five!"));
    EXPECT_EQ(stored(), 10U);
}

TEST_F(IndexLinksTest, AnOlderIndexIsOpenedAndCountsAsItDid) {
    store(a, 1);
    store(b, 2);
    index.commit();
    run_an_older_one(nullptr, 2 * kSize);
    EXPECT_EQ(stored(), 2 * kSize);
    EXPECT_EQ(after_removing(a, 1), kSize);
}

TEST_F(IndexLinksTest, WhatAnOlderHawkerdHasRemovedMeanwhileIsNoNameAnyMore) {
    store(a, 1);
    link(a, 1, b, 2);
    link(a, 1, c, 3);
    index.commit();
    run_an_older_one(&a, 2 * kSize);
    EXPECT_EQ(stored(), kSize);
    EXPECT_EQ(index->shared_file(b, 2)->names, 2U);
    EXPECT_EQ(after_removing(b, 2), kSize);
    EXPECT_EQ(after_removing(c, 3), 0U);
}

}  // namespace
}  // namespace hawker::cache
