// How records become rows and rows become records: keys are big-endian, so that LMDB's byte order
// is ours; object rows are FlatBuffers, piece and access rows are FlatBuffers structs.
// docs/storage.md has the grammar.
//
// A row that cannot be what it should be (length, identifier, offsets) reads as nullopt: the caller
// treats it as absent.
#pragma once

#include "cache/index.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hawker::cache {

// The key of a row: a task ID, in some tables with a generation, and a piece number.
class RowKey {
public:
    static RowKey object(const TaskId& task) { return RowKey(task.bytes); }
    static RowKey digest(const Digest& digest) { return RowKey(digest.bytes); }
    static RowKey generation(const TaskId& task, std::uint64_t generation);
    // The generation first: bodies that come together lie together, and cost few pages.
    static RowKey body(const TaskId& task, std::uint64_t generation);
    static RowKey piece(const TaskId& task, std::uint64_t generation, std::uint64_t number);

    std::string_view view() const { return {bytes_.data(), size_}; }

private:
    RowKey() = default;
    explicit RowKey(const std::array<std::byte, 32>& hash) { append(hash); }
    void append(const std::array<std::byte, 32>& hash);
    void append(std::uint64_t number);

    std::array<char, 48> bytes_{};
    std::size_t size_ = 0;
};

std::optional<TaskId> task_of(std::string_view key);
// Of the keys of `pieces` and `links`.
std::optional<std::uint64_t> generation_of(std::string_view key);

std::string encode_number(std::uint64_t number);
std::optional<std::uint64_t> decode_number(std::string_view row);

// Always a multiple of eight bytes long. That keeps every row of `objects` aligned inside LMDB's
// pages (its node header is eight bytes, the key 32), so that rows can be read in place.
std::string encode(const ObjectRecord& record);
std::optional<ObjectRecord> decode_object(const TaskId& task, std::string_view row);

std::string encode(const PieceRecord& piece);
std::optional<PieceRecord> decode_piece(std::string_view key, std::string_view row);

std::string encode(const AccessRecord& access);
std::optional<AccessRecord> decode_access(std::string_view row);

// A body with its own XXH3-64 before it, written where the row lies: `row` has row_size_of(body).
std::size_t row_size_of(std::span<const std::byte> body);
std::size_t body_size_of(std::string_view row);
void encode_body(std::span<const std::byte> body, std::span<char> row);
// The bytes within `row`.
std::optional<std::string_view> decode_body(std::string_view row);

}  // namespace hawker::cache
