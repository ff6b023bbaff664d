#include "cache/records.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <records_generated.h>
#include <xxhash.h>

namespace hawker::cache {

namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kNumberBytes = 8;

std::array<char, kNumberBytes> big_endian(std::uint64_t number) {
    std::array<char, kNumberBytes> bytes{};
    for (std::size_t i = kNumberBytes; i-- > 0; number >>= 8U)
        bytes[i] = static_cast<char>(number & 0xFFU);
    return bytes;
}

// A structure of fixed layout as a row, and back. Rows may lie anywhere in a page, so it is copied
// out.
template <typename Row>
std::string to_row(const Row& row) {
    std::string bytes(sizeof(Row), '\0');
    std::memcpy(bytes.data(), &row, sizeof(Row));
    return bytes;
}

template <typename Row>
std::optional<Row> from_row(std::string_view bytes) {
    if (bytes.size() != sizeof(Row)) return std::nullopt;
    Row row;
    std::memcpy(&row, bytes.data(), sizeof(Row));
    return row;
}

std::string text_of(const flatbuffers::String* text) { return text ? text->str() : std::string(); }

bool is_aligned(const void* address) {
    return reinterpret_cast<std::uintptr_t>(address) % alignof(std::uint64_t) ==
           0;  // NOLINT: it is about the address
}

}  // namespace

void RowKey::append(const std::array<std::byte, 32>& hash) {
    std::memcpy(bytes_.data() + size_, hash.data(), hash.size());
    size_ += hash.size();
}

void RowKey::append(std::uint64_t number) {
    const auto bytes = big_endian(number);
    std::memcpy(bytes_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
}

RowKey RowKey::generation(const TaskId& task, std::uint64_t generation) {
    RowKey key(task.bytes);
    key.append(generation);
    return key;
}

RowKey RowKey::body(const TaskId& task, std::uint64_t generation) {
    RowKey key;
    key.append(generation);
    key.append(task.bytes);
    return key;
}

RowKey RowKey::piece(const TaskId& task, std::uint64_t generation, std::uint64_t number) {
    RowKey key = RowKey::generation(task, generation);
    key.append(number);
    return key;
}

std::optional<TaskId> task_of(std::string_view key) {
    if (key.size() < kHashBytes) return std::nullopt;
    TaskId task;
    std::memcpy(task.bytes.data(), key.data(), kHashBytes);
    return task;
}

std::optional<std::uint64_t> generation_of(std::string_view key) {
    if (key.size() < kHashBytes + kNumberBytes) return std::nullopt;
    return decode_number(key.substr(kHashBytes, kNumberBytes));
}

std::string encode_number(std::uint64_t number) {
    const auto bytes = big_endian(number);
    return {bytes.begin(), bytes.end()};
}

std::optional<std::uint64_t> decode_number(std::string_view row) {
    if (row.size() != kNumberBytes) return std::nullopt;
    std::uint64_t number = 0;
    for (const char byte : row) number = (number << 8U) | static_cast<unsigned char>(byte);
    return number;
}

std::string encode(const ObjectRecord& record) {
    flatbuffers::FlatBufferBuilder builder(512);
    const auto text = [&builder](const std::string& value) {
        return value.empty() ? flatbuffers::Offset<flatbuffers::String>()
                             : builder.CreateString(value);
    };
    const auto validator = text(record.validator);
    const auto head = text(record.head);
    const auto label = text(record.label);
    const auto rule = text(record.rule);
    flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> digest;
    if (record.digest) {
        std::array<std::uint8_t, kHashBytes> bytes{};
        std::memcpy(bytes.data(), record.digest->bytes.data(), bytes.size());
        digest = builder.CreateVector(bytes.data(), bytes.size());
    }
    rows::ObjectBuilder object(builder);
    // Never left out, even when zero: an eight-byte field is what makes the buffer a multiple of
    // eight bytes long.
    builder.ForceDefaults(true);
    object.add_generation(record.generation);
    builder.ForceDefaults(false);
    object.add_size(record.size);
    object.add_piece_size(record.piece_size);
    object.add_stored_at(record.stored_at);
    object.add_validator(validator);
    object.add_head(head);
    object.add_label(label);
    object.add_rule(rule);
    object.add_digest(digest);
    object.add_digest_verified(record.digest_verified);
    object.add_complete(record.complete);
    object.add_inlined(record.inlined);
    rows::FinishObjectBuffer(builder, object.Finish());
    return {reinterpret_cast<const char*>(builder.GetBufferPointer()),
            builder.GetSize()};  // NOLINT: bytes as bytes
}

std::optional<ObjectRecord> decode_object(const TaskId& task, std::string_view row) {
    // FlatBuffers reads the identifier before it looks at the length.
    if (row.size() < 2 * sizeof(flatbuffers::uoffset_t)) return std::nullopt;
    std::vector<std::uint64_t> aligned;
    if (!is_aligned(row.data())) {  // never a row that we wrote
        aligned.resize(row.size() / sizeof(std::uint64_t) + 1);
        std::memcpy(aligned.data(), row.data(), row.size());
        row = {reinterpret_cast<const char*>(aligned.data()),
               row.size()};  // NOLINT: bytes as bytes
    }
    const auto* bytes =
        reinterpret_cast<const std::uint8_t*>(row.data());  // NOLINT: bytes as bytes
    flatbuffers::Verifier verifier(bytes, row.size());
    if (!rows::VerifyObjectBuffer(verifier)) return std::nullopt;
    const rows::Object& object = *rows::GetObject(bytes);

    ObjectRecord record;
    record.task = task;
    record.generation = object.generation();
    record.size = object.size();
    record.piece_size = object.piece_size();
    record.stored_at = object.stored_at();
    record.validator = text_of(object.validator());
    record.head = text_of(object.head());
    record.label = text_of(object.label());
    record.rule = text_of(object.rule());
    if (const auto* digest = object.digest()) {
        if (digest->size() != kHashBytes) return std::nullopt;
        std::memcpy(record.digest.emplace().bytes.data(), digest->data(), kHashBytes);
    }
    record.digest_verified = object.digest_verified();
    record.complete = object.complete();
    record.inlined = object.inlined();
    return record;
}

std::string encode(const PieceRecord& piece) {
    return to_row(rows::Piece(piece.checksum, piece.boot, piece.length));
}

std::optional<PieceRecord> decode_piece(std::string_view key, std::string_view row) {
    if (key.size() != kHashBytes + 2 * kNumberBytes) return std::nullopt;
    const auto number = decode_number(key.substr(kHashBytes + kNumberBytes));
    const auto stored = from_row<rows::Piece>(row);
    if (!stored || *number > UINT32_MAX) return std::nullopt;
    PieceRecord piece;
    piece.number = static_cast<std::uint32_t>(*number);
    piece.length = stored->length();
    piece.checksum = stored->checksum();
    piece.boot = stored->boot();
    return piece;
}

std::string encode(const AccessRecord& access) {
    return to_row(rows::Access(access.used_at, access.hits));
}

std::optional<AccessRecord> decode_access(std::string_view row) {
    const auto stored = from_row<rows::Access>(row);
    if (!stored) return std::nullopt;
    AccessRecord access;
    access.used_at = stored->used_at();
    access.hits = stored->hits();
    return access;
}

std::size_t row_size_of(std::span<const std::byte> body) { return kNumberBytes + body.size(); }

std::size_t body_size_of(std::string_view row) {
    return row.size() - std::min(row.size(), kNumberBytes);
}

void encode_body(std::span<const std::byte> body, std::span<char> row) {
    const auto sum = big_endian(XXH3_64bits(body.data(), body.size()));
    std::memcpy(row.data(), sum.data(), sum.size());
    if (!body.empty()) std::memcpy(row.data() + sum.size(), body.data(), body.size());
}

std::optional<std::string_view> decode_body(std::string_view row) {
    if (row.size() < kNumberBytes) return std::nullopt;
    const std::string_view body = row.substr(kNumberBytes);
    if (decode_number(row.substr(0, kNumberBytes)) != XXH3_64bits(body.data(), body.size()))
        return std::nullopt;
    return body;
}

}  // namespace hawker::cache
