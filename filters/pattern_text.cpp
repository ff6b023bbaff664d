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

// The only character that an atom matches, in ASCII; 0 when there are several, or none.
char literal_of(std::string_view atom) {
    constexpr std::string_view kSpecial = ".^$|()*+?{[\\";
    const char c = atom.back();
    const bool is_escaped = atom.size() == 2 && atom.front() == '\\';
    if (c <= ' ' || c >= 0x7F || (!is_escaped && (atom.size() > 1 || kSpecial.contains(c))))
        return 0;
    const bool has_meaning =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return is_escaped && has_meaning ? '\0' : c;
}

// \x41, \pN and their like reach further than two characters.
bool is_long_escape(std::string_view atom) {
    return atom.size() == 2 && atom.front() == '\\' && literal_of(atom) == 0 &&
           !std::string_view("dDwWsSbBAz").contains(atom.back());
}

struct Literal {
    std::size_t at;  // in the pattern
    std::string text;
};

// Texts that are in whatever a sequence matches, in their order.
std::vector<Literal> literals_of(std::string_view pattern) {
    std::vector<Literal> literals;
    bool goes_on = false;  // the last one
    for (PatternCursor cursor{pattern}; !cursor.done();) {
        const std::size_t begin = cursor.at;
        const bool is_outside = cursor.depth == 0;
        cursor.step();
        const std::string_view atom = pattern.substr(begin, cursor.at - begin);
        if (is_long_escape(atom)) return {};
        const char literal = is_outside && cursor.depth == 0 ? literal_of(atom) : '\0';
        const std::string_view next = cursor.rest().substr(0, 1);
        const bool is_repeated = next == "+";
        const bool may_be_missing = next == "*" || next == "?" || next == "{";
        if (next == "{") {
            const std::size_t end = pattern.find_first_not_of("0123456789,", cursor.at + 1);
            if (end == std::string_view::npos || pattern[end] != '}') return {};  // not a count
            cursor.at = end + 1;
        }
        if (literal == 0 || may_be_missing) {
            goes_on = false;
            continue;
        }
        if (!goes_on) literals.emplace_back(begin);
        literals.back().text += literal;
        goes_on = !is_repeated;
    }
    return literals;
}

// What follows "http://" or "https://" in a pattern that begins with them.
std::optional<std::string_view> behind_scheme(std::string_view pattern) {
    const auto take = [&pattern](std::string_view start) {
        const bool is_there = pattern.starts_with(start);
        if (is_there) pattern.remove_prefix(start.size());
        return is_there;
    };
    if (!take("^http")) return std::nullopt;
    if (take("s")) (void)take("?");
    if (!take("://") && !take(":\\/\\/")) return std::nullopt;
    return pattern;
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

Hurdles hurdles_of(std::string_view pattern) {
    // Every URL has it: it would let all of them pass.
    constexpr std::string_view kOfEveryUrl = "https://";
    if (!is_one_sequence(pattern)) return {};
    const auto url = behind_scheme(pattern);
    auto literals = literals_of(url.value_or(pattern));
    Hurdles hurdles;
    if (url && !literals.empty() && literals.front().at == 0) {
        hurdles.beginning = std::move(literals.front().text);
        literals.erase(literals.begin());
    }
    for (Literal& literal : literals)
        if (literal.text.size() > hurdles.part.size() && !kOfEveryUrl.contains(literal.text))
            hurdles.part = std::move(literal.text);
    // Whoever looks for it stops at each byte that it could begin with: of these a URL is full.
    hurdles.part.erase(0, hurdles.part.find_first_not_of("/."));
    return hurdles;
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
