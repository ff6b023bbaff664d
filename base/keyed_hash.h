// Names for secrets: a hash under a random key. Who reads the names alone cannot test a guessed
// secret against them. The key is made with the object and ends with it, unless its owner keeps it.
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
    using Key = std::array<char, 64>;
    static Key random_key();

    KeyedHash() : key_(random_key()) {}
    explicit KeyedHash(const Key& key) : key_(key) {}
    // Of the parts, each with its length: ("ab", "c") is another than ("a", "bc").
    Digest of(std::initializer_list<std::string_view> parts) const;

private:
    Key key_{};
};

// In a time that depends on the lengths only.
bool equal_in_constant_time(std::string_view left, std::string_view right);

}  // namespace hawker
