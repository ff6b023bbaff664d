#include "cli/dragonfly_pattern.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

namespace hawker::cli {

namespace {

// What matches no character: a `?` that the pattern asks for was never there.
constexpr std::string_view kNever = R"([^\x00-\x{10FFFF}])";
// Where the URL ends, and where its query begins; what follows then matches at the very end.
constexpr std::string_view kEnd = R"((?:(?:\?.*)?$))";
constexpr std::uint32_t kQuestionMark = 0x3F;
constexpr std::uint32_t kLast = 0x10FFFF;

struct Class {
    std::string_view name;
    std::string_view without_question_mark;
};
// Those that hold a `?`, without it.
constexpr std::array kWide = {
    Class{"D", R"(\x00-\x2f\x3a-\x3e\x40-\x{10FFFF})"},
    Class{"S", R"(\x00-\x08\x0b\x0e-\x1f\x21-\x3e\x40-\x{10FFFF})"},
    Class{"W", R"(\x00-\x2f\x3a-\x3e\x40\x5b-\x5e\x60\x7b-\x{10FFFF})"},
    Class{"punct", R"(\x21-\x2f\x3a-\x3e\x40\x5b-\x60\x7b-\x7e)"},
    Class{"graph", R"(\x21-\x3e\x40-\x7e)"},
    Class{"print", R"(\x20-\x3e\x40-\x7e)"},
    Class{"ascii", R"(\x00-\x3e\x40-\x7f)"},
};
constexpr std::array<std::string_view, 10> kNarrow = {"alnum", "alpha", "blank", "cntrl", "digit",
                                                      "lower", "space", "upper", "word",  "xdigit"};

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string literal(std::uint32_t code) {
    if (code < 0x80 && is_word(static_cast<char>(code)))
        return std::string(1, static_cast<char>(code));
    return fmt::format("\\x{{{:x}}}", code);
}

std::unexpected<Error> cannot(std::string what) { return fail(Errc::unsupported, std::move(what)); }

Expected<void> check_characters(std::string_view pattern) {
    if (std::ranges::all_of(pattern, [](char c) { return c >= ' ' && c < 0x7F; })) return {};
    return cannot("it holds characters that no URL has: write them percent-encoded");
}

class RustPattern {
public:
    explicit RustPattern(std::string_view text) : text_(text) {}

    Expected<std::string> translate() {
        if (auto ok = check_characters(text_); !ok) return fail(std::move(ok).error());
        while (!at_end())
            if (auto ok = piece(); !ok) return fail(std::move(ok).error());
        // Anchored patterns keep the host in front, where interception looks for it.
        if (text_.starts_with('^') && !has_top_level_choice_) return out_;
        return fmt::format("^[^?]*(?:{})", out_);
    }

private:
    bool at_end() const { return at_ == text_.size(); }
    bool ahead(std::string_view word) const { return text_.substr(at_).starts_with(word); }

    Expected<void> piece() {
        const char c = text_[at_];
        if (c == '\\') return escape();
        if (c == '[') return character_class();
        if (c == '(') return group();
        ++at_;
        if (c == ')') --depth_;
        if (c == '|' && depth_ == 0) has_top_level_choice_ = true;
        if (c == '.')
            out_ += "[^?]";
        else if (c == '$')
            out_ += kEnd;
        else
            out_ += c;
        // {,n} is a literal to RE2.
        if (c == '{' && ahead(",")) out_ += '0';
        return {};
    }

    Expected<void> group() {
        ++at_;
        ++depth_;
        if (!ahead("?")) {
            out_ += '(';
            return {};
        }
        if (ahead("?P<") || ahead("?<")) {  // a name; looking behind is not in this language
            const std::size_t close = text_.find('>', at_);
            if (ahead("?<=") || ahead("?<!") || close == std::string_view::npos)
                return cannot("it looks behind");
            at_ = close + 1;
            out_ += '(';
            return {};
        }
        const std::size_t end = text_.find_first_not_of("imsU-", at_ + 1);
        if (end == std::string_view::npos || (text_[end] != ':' && text_[end] != ')'))
            return cannot("RE2 knows the flags i, m, s and U only");
        out_.append("(").append(text_.substr(at_, end + 1 - at_));
        if (text_[end] == ')') --depth_;
        at_ = end + 1;
        return {};
    }

    // \x41, \x{41}, A, \U00000041; `at_` is behind the letter.
    Expected<std::uint32_t> hexadecimal(char letter) {
        std::size_t length = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
        std::size_t skip = 0;
        if (ahead("{")) {
            const std::size_t close = text_.find('}', at_);
            if (close == std::string_view::npos) return cannot("a '}' is missing");
            ++at_;
            length = close - at_;
            skip = 1;
        }
        const std::string_view digits = text_.substr(at_, length);
        std::uint32_t code = 0;
        const auto [rest, problem] =
            std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
        if (problem != std::errc() || rest != digits.data() + digits.size() || code > kLast)
            return cannot("a character's number is not hexadecimal");
        at_ += digits.size() + skip;
        return code;
    }

    // The character that an escape stands for; nullopt for those that are more than a character.
    // `at_` is behind the backslash, and then behind all of it.
    Expected<std::optional<std::uint32_t>> escaped_character() {
        if (at_end()) return cannot("it ends with a backslash");
        const char c = text_[at_];
        if (c == 'x' || c == 'u' || c == 'U') {
            ++at_;
            auto code = hexadecimal(c);
            if (!code) return fail(std::move(code).error());
            return std::optional(*code);
        }
        constexpr std::string_view kLetters = "afnrtv";
        constexpr std::string_view kMeant = "\a\f\n\r\t\v";
        if (const std::size_t known = kLetters.find(c); known != std::string_view::npos) {
            ++at_;
            return std::optional(static_cast<std::uint32_t>(kMeant[known]));
        }
        if (is_word(c)) return std::optional<std::uint32_t>();
        if (c == '<' || c == '>') return cannot(fmt::format("RE2 has no \\{}", c));
        ++at_;
        return std::optional(static_cast<std::uint32_t>(c));
    }

    Expected<void> escape() {
        ++at_;
        const auto character = escaped_character();
        if (!character) return fail(character.error());
        if (*character) {
            out_ += **character == kQuestionMark ? std::string(kNever) : literal(**character);
            return {};
        }
        const char c = text_[at_++];
        if (c == 'z') {
            out_ += kEnd;
        } else if (c == 'D' || c == 'W' || c == 'S') {
            out_ += fmt::format("[^\\{}?]", static_cast<char>(c - 'A' + 'a'));
        } else if (std::string_view("AbBdws").contains(c) && !(c == 'b' && ahead("{"))) {
            out_.append("\\").append(1, c);
        } else {
            return cannot(
                fmt::format("RE2 has no \\{}{} of this meaning", c, ahead("{") ? "{" : ""));
        }
        return {};
    }

    void add_range(std::string& members, std::uint32_t first, std::uint32_t last) const {
        const auto add = [&members](std::uint32_t from, std::uint32_t to) {
            if (from <= to) members += fmt::format("{}-{}", literal(from), literal(to));
        };
        if (first > kQuestionMark || last < kQuestionMark) return add(first, last);
        if (first < kQuestionMark) add(first, kQuestionMark - 1);
        if (last > kQuestionMark) add(kQuestionMark + 1, last);
    }

    Expected<void> named_members(std::string& members) {
        const std::size_t close = text_.find(":]", at_);
        if (close == std::string_view::npos) return cannot("RE2 has no class inside a class");
        const std::string_view name = text_.substr(at_ + 2, close - at_ - 2);
        const auto* const wide = std::ranges::find(kWide, name, &Class::name);
        const bool is_wide = wide != kWide.end() && name.size() > 1;
        if (!is_wide && std::ranges::find(kNarrow, name) == kNarrow.end())
            return cannot(
                fmt::format("the class [:{}:] cannot be written without the query", name));
        members += is_wide ? std::string(wide->without_question_mark) : fmt::format("[:{}:]", name);
        at_ = close + 2;
        return {};
    }

    // A single character; nullopt when it was a class and is among the members by now.
    Expected<std::optional<std::uint32_t>> member(std::string& members) {
        if (text_[at_] != '\\') return std::optional(static_cast<std::uint32_t>(text_[at_++]));
        ++at_;
        auto character = escaped_character();
        if (!character || *character) return character;
        const char c = text_[at_++];
        if (c == 'd' || c == 'w' || c == 's')
            members.append("\\").append(1, c);
        else if (const auto* wide = std::ranges::find(kWide, std::string_view(&c, 1), &Class::name);
                 wide != kWide.end())
            members += wide->without_question_mark;
        else
            return cannot(fmt::format("RE2 has no \\{} of this meaning in a class", c));
        return std::optional<std::uint32_t>();
    }

    Expected<void> members_of_class(std::string& members) {
        // In front a `]` is a member.
        for (bool is_first = true; is_first || !ahead("]"); is_first = false) {
            if (at_end()) return cannot("a ']' is missing");
            if (ahead("&&") || ahead("--") || ahead("~~"))
                return cannot("RE2 cannot intersect or subtract classes");
            if (ahead("[:")) {
                if (auto ok = named_members(members); !ok) return ok;
                continue;
            }
            if (ahead("[")) return cannot("RE2 has no class inside a class");
            const auto first = member(members);
            if (!first) return fail(first.error());
            if (!*first) continue;
            std::uint32_t last = **first;
            if (ahead("-") && !ahead("-]") && !ahead("--")) {
                ++at_;
                if (at_end()) return cannot("a ']' is missing");
                const auto end = member(members);
                if (!end) return fail(end.error());
                if (!*end) return cannot("a range ends with a class");
                last = **end;
            }
            if (last < **first) return cannot("a range ends before it begins");
            add_range(members, **first, last);
        }
        ++at_;
        return {};
    }

    Expected<void> character_class() {
        ++at_;
        const bool negated = ahead("^");
        if (negated) ++at_;
        std::string members;
        if (auto ok = members_of_class(members); !ok) return ok;
        if (negated)
            out_ += fmt::format("[^{}?]", members);
        else
            out_ += members.empty() ? std::string(kNever) : fmt::format("[{}]", members);
        return {};
    }

    std::string_view text_;
    std::size_t at_ = 0;
    int depth_ = 0;
    bool has_top_level_choice_ = false;
    std::string out_;
};

}  // namespace

Expected<std::string> pattern_of_go(std::string_view pattern) {
    if (auto ok = check_characters(pattern); !ok) return fail(std::move(ok).error());
    std::string out;
    bool in_class = false;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
        const char c = pattern[at];
        out += c;
        if (c == '[' || c == ']') in_class = c == '[';
        if (c == '\\' && at + 1 < pattern.size())
            out += pattern[++at];
        else if (!in_class && pattern.substr(at).starts_with("(?<")) {
            out += "?P";  // RE2 wants (?P<name>
            ++at;
        }
    }
    return out;
}

Expected<std::string> pattern_of_rust(std::string_view pattern) {
    return RustPattern(pattern).translate();
}

}  // namespace hawker::cli
