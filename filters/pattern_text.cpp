#include "filters/pattern_text.h"

#include <algorithm>

namespace hawker::filters {

namespace {

// One sequence of atoms, of which each means the same wherever it stands: no alternatives but in
// groups, no flags, no quoting.
bool is_one_sequence(std::string_view pattern) {
    for (std::size_t at = pattern.find("(?"); at != std::string_view::npos;
         at = pattern.find("(?", at + 1)) {
        const std::string_view rest = pattern.substr(at + 2);
        if (!rest.starts_with(':') && !rest.starts_with("P<")) return false;
    }
    return !pattern.contains("\\Q") && alternatives_of(pattern).size() == 1;
}

}  // namespace

void PatternCursor::step() {
    const char c = text[at];
    if (c == '\\') {
        at = std::min(at + 2, text.size());
    } else if (c == '[') {
        ++at;
        if (!done() && text[at] == '^') ++at;
        if (!done() && text[at] == ']') ++at;  // a first ']' is a member
        while (!done() && text[at] != ']') {
            const std::size_t name = rest().starts_with("[:") ? rest().find(":]") : rest().npos;
            at += name != rest().npos ? name + 2 : text[at] == '\\' ? 2U : 1U;
        }
        at = std::min(at + 1, text.size());
    } else {
        if (c == '(') ++depth;
        if (c == ')') --depth;
        ++at;
    }
}

std::vector<std::string_view> alternatives_of(std::string_view pattern) {
    std::vector<std::string_view> parts;
    std::size_t begin = 0;
    for (PatternCursor cursor{pattern}; !cursor.done(); cursor.step()) {
        if (cursor.depth != 0 || pattern[cursor.at] != '|') continue;
        parts.push_back(pattern.substr(begin, cursor.at - begin));
        begin = cursor.at + 1;
    }
    parts.push_back(pattern.substr(begin));
    return parts;
}

std::optional<std::size_t> cut_before_names(std::string_view pattern) {
    if (!is_one_sequence(pattern)) return std::nullopt;
    std::size_t group = 0;
    for (PatternCursor cursor{pattern}; !cursor.done(); cursor.step()) {
        if (cursor.depth == 0) group = cursor.at;
        if (!cursor.rest().starts_with("(?P<")) continue;
        if (group == 0) return std::nullopt;
        return group;
    }
    return std::nullopt;
}

}  // namespace hawker::filters
