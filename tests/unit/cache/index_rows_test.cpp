// Rows as they stand on the disk: an older hawkerd's, an unknown version's, damaged ones.
#include "cache/data_files.h"
#include "cache/foundation.h"
#include "cache/index.h"
#include "cache/index_tables.h"
#include "cache/records.h"
#include "tests/unit/cache/scratch.h"

#include <optional>
#include <span>

#include <gtest/gtest.h>
#include <lmdb.h>

namespace hawker::cache {
namespace {

using namespace test;

class IndexRowsTest : public IndexFixture {
protected:
    const TaskId c = task_named("c");

    // Change one row behind the index's back, while it is closed.
    void erase_row(const char* table, std::string_view key) const {
        change_row(table, key, std::nullopt);
    }
    void overwrite_row(const char* table, std::string_view key, std::string_view row) const {
        change_row(table, key, row);
    }
    void change_row(const char* table, std::string_view key,
                    std::optional<std::string_view> row) const {
        MDB_env* env = nullptr;
        MDB_txn* txn = nullptr;
        MDB_dbi dbi = 0;
        mdb_env_create(&env);
        mdb_env_set_maxdbs(env, 8);
        mdb_env_set_mapsize(env, 64U << 20U);
        ASSERT_EQ(mdb_env_open(env, (directory.path() / "index").c_str(), 0, 0600), 0);
        ASSERT_EQ(mdb_txn_begin(env, nullptr, 0, &txn), 0);
        ASSERT_EQ(mdb_dbi_open(txn, table, MDB_CREATE, &dbi), 0);
        std::string key_copy(key);
        std::string row_copy(row.value_or(""));
        MDB_val name{key_copy.size(), key_copy.data()};
        MDB_val value{row_copy.size(), row_copy.data()};
        ASSERT_EQ(row ? mdb_put(txn, dbi, &name, &value, 0) : mdb_del(txn, dbi, &name, nullptr), 0);
        ASSERT_EQ(mdb_txn_commit(txn), 0);
        mdb_env_close(env);
    }
};

TEST_F(IndexRowsTest, AnUnknownFormatVersionIsRefusedAndLeftAlone) {
    index.stop();
    overwrite_row("meta", "version", encode_number(99));
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto opened =
            Index::open(Foundation::of_the_system(), index.options, index.clock, *index.log);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, Errc::invalid);
        EXPECT_NE(opened.error().what.find("format version 99"), std::string::npos)
            << opened.error().what;
    }
}

TEST_F(IndexRowsTest, ASmallBodyOfAnOlderHawkerdIsReadReplacedAndRemoved) {
    const auto bytes = [](std::string_view text) { return std::as_bytes(std::span(text)); };
    const std::string_view older = "what was kept before";
    for (const TaskId& task : {a, b, c})
        index->put_inline(small(task, 1, older.size()), body_of(""));
    index.stop();
    std::string row(row_size_of(bytes(older)), '\0');
    encode_body(bytes(older), row);
    for (const TaskId& task : {a, b, c}) {
        overwrite_row("inline", RowKey::generation(task, 1).view(), row);
        erase_row("bodies", RowKey::body(task, 1).view());
    }
    overwrite_row("meta", "version", encode_number(1));
    overwrite_row("meta", "stored", encode_number(3 * older.size()));
    for (int opened = 0; opened < 2; ++opened) {
        index.open();
        EXPECT_EQ(small_body(a), older);
        index.stop();
    }
    index.open();
    index->put_inline(small(b, 2, 3), body_of("new"));
    index->put_inline(small(c, 1, 5), body_of("again"));
    index.commit();
    EXPECT_EQ(small_body(a), older);
    EXPECT_EQ(small_body(b), "new");
    EXPECT_EQ(small_body(c), "again");
    EXPECT_EQ(index->stored_bytes(), older.size() + 3 + 5);
    for (const TaskId& task : {a, b, c}) index->remove(task, task == b ? 2 : 1, nullptr);
    index.commit();
    EXPECT_FALSE(small_body(a));
    EXPECT_EQ(index->stored_bytes(), 0U);
    index.stop();
    const Foundation foundation = Foundation::of_the_system();
    const auto rows = Environment::open(*foundation.index, directory.path() / "index", 64U << 20U);
    ASSERT_TRUE(rows);
    EXPECT_EQ((*rows)->read()->rows(Table::older_bodies), 0U);
    EXPECT_EQ((*rows)->read()->rows(Table::bodies), 0U);
}

TEST_F(IndexRowsTest, ADamagedRowIsNotFoundAndCanBeReplaced) {
    index->put_object(object(a, 1));
    index->put_object(object(b, 1));
    index->put_piece(a, 1, piece(0), nullptr);
    index->put_piece(a, 1, piece(1), nullptr);
    index->put_inline(small(c, 1, 4), body_of("body"));
    index.stop();
    overwrite_row("objects", RowKey::object(a).view(), "this is not a FlatBuffer at all, is it?!");
    overwrite_row("pieces", RowKey::piece(a, 1, 0).view(), "short");
    overwrite_row("bodies", RowKey::body(c, 1).view(), "12345678body");
    index.open();
    EXPECT_FALSE(index->find(a));
    EXPECT_EQ(piece_numbers(a, 1), (std::vector<std::uint32_t>{1}));
    EXPECT_FALSE(small_body(c));
    std::size_t seen = 0;
    index->each(std::nullopt, [&](const ObjectRecord&, const AccessRecord&) { return ++seen > 0; });
    EXPECT_EQ(seen, 2U);
    index->put_object(object(a, 2));
    index.commit();
    EXPECT_EQ(index->find(a)->generation, 2U);
}

TEST_F(IndexRowsTest, ADamagedRowCanBeRemoved) {
    index.stop();
    overwrite_row("objects", RowKey::object(a).view(), "damaged");
    index.open();
    EXPECT_EQ(index->objects(), 1U);
    index->remove(a, 1, nullptr);
    index.commit();
    EXPECT_EQ(index->objects(), 0U);
}

}  // namespace
}  // namespace hawker::cache
