// What the text of a regular expression tells by itself: where it can be cut, and what every text
// that it matches must hold.
//
// Pure functions of patterns that compile as RE2. They may give up, never say what is not so.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::filters {

// Goes over a pattern without falling into an escape, a class or a group.
struct PatternCursor {
    std::string_view text;
    std::size_t at = 0;
    int depth = 0;

    bool done() const { return at >= text.size(); }
    std::string_view rest() const { return text.substr(at); }
    // Over one atom's worth of text: an escape, a whole class, or one character.
    void step();
};

std::vector<std::string_view> alternatives_of(std::string_view pattern);

// Texts that every match has; empty ones say nothing.
struct Hurdles {
    std::string beginning;  // right behind the scheme of a URL: the text is one
    std::string part;       // somewhere, besides `beginning`

    bool empty() const { return beginning.empty() && part.empty(); }
    // False: the pattern does not match `text`, whose part behind the scheme is `behind_scheme`.
    bool pass(std::string_view text, std::string_view behind_scheme) const {
        return behind_scheme.starts_with(beginning) && (part.empty() || text.contains(part));
    }
};
Hurdles hurdles_of(std::string_view pattern);

// Two patterns one after the other match what this one matches when it is cut here: before the
// outermost group that has a name, or a group with a name inside. nullopt: it has none, begins with
// it, or cannot be cut.
std::optional<std::size_t> cut_before_names(std::string_view pattern);

}  // namespace hawker::filters
