#include "cache/records.h"

#include "tests/unit/cache/scratch.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

namespace hawker::cache {
namespace {

using namespace test;

// Places `row` at an odd address, which LMDB never does.
std::optional<ObjectRecord> decode_misaligned(const TaskId& task, std::string_view row) {
    std::vector<std::uint64_t> words(row.size() / 8 + 2);
    char* odd = reinterpret_cast<char*>(words.data()) + 3;
    std::memcpy(odd, row.data(), row.size());
    return decode_object(task, std::string_view(odd, row.size()));
}

void expect_same(const ObjectRecord& a, const ObjectRecord& b) {
    EXPECT_EQ(a.task, b.task);
    EXPECT_EQ(a.generation, b.generation);
    EXPECT_EQ(a.size, b.size);
    EXPECT_EQ(a.piece_size, b.piece_size);
    EXPECT_EQ(a.validator, b.validator);
    EXPECT_EQ(a.head, b.head);
    EXPECT_EQ(a.digest, b.digest);
    EXPECT_EQ(a.digest_verified, b.digest_verified);
    EXPECT_EQ(a.complete, b.complete);
    EXPECT_EQ(a.inlined, b.inlined);
    EXPECT_EQ(a.stored_at, b.stored_at);
    EXPECT_EQ(a.label, b.label);
    EXPECT_EQ(a.rule, b.rule);
}

TEST(Records, AnObjectComesBackAsItWas) {
    ObjectRecord record = object(task_named("a"), UINT64_MAX);
    record.digest = digest_named("content");
    record.digest_verified = record.complete = record.inlined = true;
    record.stored_at = -5;
    const auto back = decode_object(record.task, encode(record));
    ASSERT_TRUE(back);
    expect_same(*back, record);
}

TEST(Records, AnEmptyObjectComesBackEmpty) {
    const ObjectRecord record;
    const auto back = decode_object(record.task, encode(record));
    ASSERT_TRUE(back);
    expect_same(*back, record);
}

TEST(Records, ObjectRowsAreMultiplesOfEightBytesSoThatTheyStayAligned) {
    for (std::size_t length = 0; length < 20; ++length) {
        ObjectRecord record;
        record.validator.assign(length, 'v');
        record.complete = length % 2 == 0;
        EXPECT_EQ(encode(record).size() % 8, 0U) << length;
    }
}

TEST(Records, AMisalignedRowIsReadAllTheSame) {
    const ObjectRecord record = object(task_named("a"), 7);
    const auto back = decode_misaligned(record.task, encode(record));
    ASSERT_TRUE(back);
    expect_same(*back, record);
}

TEST(Records, ATruncatedObjectRowIsNotARow) {
    const ObjectRecord record = object(task_named("a"), 7);
    const std::string row = encode(record);
    for (const std::size_t length : {0U, 1U, 7U, 8U, 12U})
        EXPECT_FALSE(decode_object(record.task, std::string_view(row).substr(0, length))) << length;
    EXPECT_FALSE(decode_object(record.task, std::string_view(row).substr(0, row.size() / 2)));
}

TEST(Records, NoDamageToARowReadsOutsideIt) {
    const ObjectRecord record = object(task_named("a"), 7);
    const std::string row = encode(record);
    for (std::size_t at = 0; at < row.size(); ++at)
        for (const unsigned mask : {0x01U, 0x80U, 0xFFU}) {
            std::string damaged = row;
            damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ mask);
            static_cast<void>(decode_object(record.task, damaged));  // the sanitizers watch
        }
}

TEST(Records, ARowWithAnotherIdentifierIsNotAnObject) {
    std::string row = encode(object(task_named("a"), 7));
    row[4] = 'X';
    EXPECT_FALSE(decode_object(task_named("a"), row));
}

TEST(Records, PiecesAndAccessHaveFixedRows) {
    const PieceRecord record = piece(3, 9);
    const std::string row = encode(record);
    EXPECT_EQ(row.size(), 24U);
    const RowKey key = RowKey::piece(task_named("a"), 5, 3);
    const auto back = decode_piece(key.view(), row);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->number, 3U);
    EXPECT_EQ(back->length, record.length);
    EXPECT_EQ(back->checksum, record.checksum);
    EXPECT_EQ(back->boot, 9U);
    EXPECT_FALSE(decode_piece(key.view(), row.substr(1)));
    EXPECT_FALSE(decode_piece(RowKey::generation(task_named("a"), 5).view(), row));

    AccessRecord access;
    access.used_at = 77;
    access.hits = 3;
    const auto access_back = decode_access(encode(access));
    ASSERT_TRUE(access_back);
    EXPECT_EQ(access_back->used_at, 77);
    EXPECT_EQ(access_back->hits, 3U);
    EXPECT_FALSE(decode_access("short"));
}

TEST(Records, KeysSortByTaskThenGenerationThenNumber) {
    const TaskId task = task_named("a");
    EXPECT_LT(RowKey::piece(task, 1, 255).view(), RowKey::piece(task, 1, 256).view());
    EXPECT_LT(RowKey::piece(task, 255, 9).view(), RowKey::piece(task, 256, 0).view());
    EXPECT_TRUE(RowKey::piece(task, 1, 2).view().starts_with(RowKey::generation(task, 1).view()));
    const TaskId low = std::min(task, task_named("b"));
    const TaskId high = std::max(task, task_named("b"));
    EXPECT_LT(RowKey::body(high, 255).view(), RowKey::body(low, 256).view());
    EXPECT_LT(RowKey::body(low, 256).view(), RowKey::body(high, 256).view());
    EXPECT_EQ(task_of(RowKey::piece(task, 1, 2).view()), task);
    EXPECT_EQ(generation_of(RowKey::piece(task, 77, 2).view()), 77U);
}

TEST(Records, ABodyWithAFlippedBitIsNotABody) {
    const auto row_of = [](std::string_view body) {
        const auto bytes = std::as_bytes(std::span(body));
        std::string row(row_size_of(bytes), '\0');
        encode_body(bytes, row);
        return row;
    };
    std::string row = row_of("hello");
    EXPECT_EQ(decode_body(row), "hello");
    row.back() ^= 1;
    EXPECT_FALSE(decode_body(row));
    EXPECT_FALSE(decode_body("short"));
    EXPECT_EQ(decode_body(row_of("")), "");
}

}  // namespace
}  // namespace hawker::cache
