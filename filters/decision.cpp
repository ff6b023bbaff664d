#include "filters/decision.h"

#include <fmt/format.h>

namespace hawker::filters {

namespace {

// Length before content: no two lists of fields are the same bytes.
void add_field(fmt::memory_buffer& key, std::string_view field) {
    for (int shift = 56; shift >= 0; shift -= 8)
        key.push_back(static_cast<char>(field.size() >> static_cast<unsigned>(shift) & 0xFFU));
    key.append(field.data(), field.data() + field.size());
}

}  // namespace

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

}  // namespace hawker::filters
