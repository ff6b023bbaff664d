// What somebody may have meant who wrote a word that nobody knows.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hawker {

// How many insertions, deletions and replacements of one byte lead from `a` to `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

// "; did you mean 'cache.max_size'?", or nothing when no word comes near.
std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace hawker
