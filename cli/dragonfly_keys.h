// What becomes of a dfdaemon's keys that are not translated: a sentence for each.
//
// Thread: any; tables.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hawker::cli {

enum class Era : std::uint8_t { go, rust };

enum class Weight : std::uint8_t {
    translated,  // elsewhere
    moot,        // hawker does the same, or has no need of it
    lost,        // something happens otherwise than it did
};

struct KeyFate {
    Weight weight = Weight::lost;
    std::string_view why;
};

// Of a key like "proxy.rules.regex" (members of lists have their list's name).
KeyFate fate_of(Era era, std::string_view key);

}  // namespace hawker::cli
