#include "filters/decision.h"

#include <array>
#include <cstddef>

namespace hawker::filters {

namespace {

// Length before content: no two lists of fields are the same bytes.
void add_field(Sha256& hash, std::string_view field) {
    std::array<std::byte, 8> length{};
    for (std::size_t i = 0; i < length.size(); ++i)
        length[i] = static_cast<std::byte>(field.size() >> (8 * (length.size() - 1 - i)) & 0xFFU);
    hash.update(length);
    hash.update(field);
}

}  // namespace

TaskId task_id_of(std::string_view canonical_url, std::string_view tag,
                  std::string_view application) {
    Sha256 hash;
    add_field(hash, "hawker task v1");
    add_field(hash, canonical_url);
    add_field(hash, tag);
    add_field(hash, application);
    TaskId id;
    id.bytes = hash.value();
    return id;
}

}  // namespace hawker::filters
