#include "filters/decision.h"

#include <string>

namespace hawker::filters {

namespace {

// Length before content: no two lists of fields are the same bytes.
void add_field(std::string& key, std::string_view field) {
    for (int shift = 56; shift >= 0; shift -= 8)
        key += static_cast<char>(field.size() >> static_cast<unsigned>(shift) & 0xFFU);
    key += field;
}

}  // namespace

TaskId task_id_of(std::string_view canonical_url, std::string_view tag,
                  std::string_view application) {
    std::string key;
    key.reserve(64 + canonical_url.size() + tag.size() + application.size());
    for (const std::string_view field :
         {std::string_view("hawker task v1"), canonical_url, tag, application})
        add_field(key, field);
    TaskId id;
    id.bytes = sha256_of(key);
    return id;
}

}  // namespace hawker::filters
