// Names for secrets: a hash under a random key that is made with the object and ends with it. Who
// reads our memory cannot test a guessed secret against it without the key.
//
// Thread: immutable; any.
#pragma once

#include "base/digest.h"

#include <array>
#include <initializer_list>
#include <string_view>

namespace hawker {

class KeyedHash {
public:
    KeyedHash();
    // Of the parts, each with its length: ("ab", "c") is another than ("a", "bc").
    Digest of(std::initializer_list<std::string_view> parts) const;

private:
    std::array<char, 64> key_{};
};

// In a time that depends on the lengths only.
bool equal_in_constant_time(std::string_view left, std::string_view right);

}  // namespace hawker
