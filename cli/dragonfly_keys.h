// What becomes of a dfdaemon's keys: a sentence for each that is not translated, or whose value
// cannot be.
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
    std::string_view why;  // of a translated one: what to do when its value says nothing to us
};

// Of a key like "proxy.rules.regex" (members of lists have their list's name).
KeyFate fate_of(Era era, std::string_view key);

}  // namespace hawker::cli
