#include "daemon/http/grammar.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

namespace hawker::http {

namespace {

constexpr std::array<bool, 256> kTokenChars = [] {
    std::array<bool, 256> is_one{};
    for (std::size_t i = 0; i < 128; ++i) {
        const char c = static_cast<char>(i);
        is_one[i] = is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    std::string_view("!#$%&'*+-.^_`|~").contains(c);
    }
    return is_one;
}();

}  // namespace

bool is_token_char(char c) { return kTokenChars[static_cast<unsigned char>(c)]; }

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_token_char);
}

std::size_t behind_printable_ascii(std::string_view text, std::size_t at) {
    constexpr std::uint64_t kOfEach = 0x0101'0101'0101'0101;
    std::uint64_t word = 0;
    for (; at + sizeof(word) <= text.size(); at += sizeof(word)) {
        std::memcpy(&word, text.data() + at, sizeof(word));
        // A byte below 0x20 borrows, 0x7F grows, into the highest bit; a greater one has it.
        const std::uint64_t others = (word - kOfEach * 0x20) | (word + kOfEach) | word;
        if ((others & kOfEach * 0x80) != 0) break;
    }
    return at;
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::uint64_t> parse_decimal(std::string_view digits) {
    if (digits.empty() || !std::ranges::all_of(digits, is_digit)) return std::nullopt;
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t value = 0;
    for (const char c : digits) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (kMost - digit) / 10) return kMost;
        value = value * 10 + digit;
    }
    return value;
}

namespace {

// Where the quoted string that begins at `open` ends. One that never does is an ordinary character:
// it must not hide the members behind it.
std::size_t end_of_quoted(std::string_view list, std::size_t open) {
    for (std::size_t i = open + 1; i < list.size(); ++i) {
        if (list[i] == '"') return i;
        if (list[i] == '\\') ++i;
    }
    return open;
}

}  // namespace

std::vector<std::string_view> list_members(std::string_view list, char separator) {
    std::vector<std::string_view> members;
    const auto add = [&members](std::string_view member) {
        if (const auto trimmed = trim(member); !trimmed.empty()) members.push_back(trimmed);
    };
    std::size_t begin = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i] == '"') i = end_of_quoted(list, i);
        if (list[i] != separator) continue;
        add(list.substr(begin, i - begin));
        begin = i + 1;
    }
    add(list.substr(begin));
    return members;
}

std::string_view unquoted(std::string_view text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        return text.substr(1, text.size() - 2);
    return text;
}

}  // namespace hawker::http
