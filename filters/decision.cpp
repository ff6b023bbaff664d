#include "filters/decision.h"

#include "base/spares.h"
#include "filters/query.h"

#include <algorithm>

#include <fmt/format.h>

namespace hawker::filters {

namespace {

// Length before content: no two lists of fields are the same bytes.
void add_field(fmt::memory_buffer& key, std::string_view field) {
    for (int shift = 56; shift >= 0; shift -= 8)
        key.push_back(static_cast<char>(field.size() >> static_cast<unsigned>(shift) & 0xFFU));
    key.append(field.data(), field.data() + field.size());
}

// Of a part's name.
constexpr std::size_t kFirstAt = 20;
constexpr std::size_t kLastAt = 26;
constexpr std::size_t kOffsetBytes = 6;

void write_offset(TaskId& id, std::size_t at, std::uint64_t offset) {
    for (std::size_t i = kOffsetBytes; i-- > 0; offset >>= 8U)
        id.bytes[at + i] = static_cast<std::byte>(offset & 0xFFU);
}

std::uint64_t read_offset(const TaskId& id, std::size_t at) {
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < kOffsetBytes; ++i)
        offset = offset << 8U | std::to_integer<std::uint64_t>(id.bytes[at + i]);
    return offset;
}

}  // namespace

void Decision::clear() {
    Decision room;
    for (const auto text :
         {&Decision::canonical_url, &Decision::credentials, &Decision::signed_field,
          &Decision::normal_form, &Decision::origin_url, &Decision::reason}) {
        (room.*text).swap(this->*text);
        clear_text(room.*text);
    }
    *this = std::move(room);
}

std::vector<std::string> stripped_names(const Decision& decision) {
    std::vector<std::string> names;
    if (decision.credentials.empty()) return names;
    for (const Parameter& parameter : split_query(decision.credentials))
        names.emplace_back(parameter.name());
    return names;
}

TaskId task_id_of(std::string_view canonical_url, std::string_view tag,
                  std::string_view application) {
    fmt::memory_buffer key;  // of an ordinary URL, without the heap
    for (const std::string_view field :
         {std::string_view("hawker task v1"), canonical_url, tag, application})
        add_field(key, field);
    TaskId id;
    id.bytes = sha256_of(std::string_view(key.data(), key.size()));
    return id;
}

TaskId task_id_of(const TaskId& whole, ByteRange part) {
    TaskId id = whole;
    write_offset(id, kFirstAt, part.first);
    write_offset(id, kLastAt, part.end - 1);
    return id;
}

std::optional<ByteRange> sibling_part(const TaskId& id, const TaskId& sibling) {
    if (!std::equal(id.bytes.begin(), id.bytes.begin() + kFirstAt, sibling.bytes.begin()))
        return std::nullopt;
    const ByteRange part(read_offset(id, kFirstAt), read_offset(id, kLastAt) + 1);
    if (part.empty()) return std::nullopt;
    return part;
}

}  // namespace hawker::filters
