#include "filters/query.h"

#include "filters/signed_urls.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace hawker::filters {

namespace {

constexpr std::string_view kUpperHex = "0123456789ABCDEF";

int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

// The byte that an escape at `i` stands for; -1 when there is none.
int escaped_byte(std::string_view text, std::size_t i) {
    if (text[i] != '%' || i + 2 >= text.size()) return -1;
    const int high = nibble(text[i + 1]);
    const int low = nibble(text[i + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Eight letters at once, what is no ASCII letter untouched.
using Word = std::uint64_t;
constexpr Word kOfEach = 0x0101'0101'0101'0101;

Word lower_word(const char* text) {
    Word word = 0;
    std::memcpy(&word, text, sizeof(word));
    const Word low_bits = word & kOfEach * 0x7F;
    const Word from_a = low_bits + kOfEach * (0x80 - 'A');
    const Word beyond_z = low_bits + kOfEach * (0x7F - 'Z');
    const Word capitals = (from_a ^ beyond_z) & ~word & kOfEach * 0x80;
    return word | capitals >> 2U;
}

}  // namespace

Parameters split_query(std::string_view query, std::pmr::memory_resource* memory) {
    Parameters parameters(memory);
    parameters.reserve(8);
    for (std::size_t begin = 0; begin <= query.size() && parameters.size() <= kMostParameters;) {
        const std::size_t end = std::min(query.find('&', begin), query.size());
        Parameter& parameter = parameters.emplace_back();
        parameter.raw = query.substr(begin, end - begin);
        const std::size_t equals = parameter.raw.find('=');
        parameter.has_value = equals != std::string_view::npos;
        if (parameter.has_value) parameter.value = parameter.raw.substr(equals + 1);
        parameter.written_name = parameter.raw.substr(0, equals);
        if (parameter.written_name.contains('%'))
            parameter.normal_name = percent_normal_form(parameter.written_name);
        parameter.known = find_known_name(parameter.name());
        begin = end + 1;
    }
    return parameters;
}

void append_percent_normal_form(std::string& out, std::string_view text) {
    for (std::size_t begin = 0;;) {
        const std::size_t i = text.find('%', begin);
        out += text.substr(begin, i - begin);
        if (i == std::string_view::npos) return;
        const int byte = escaped_byte(text, i);
        begin = i + (byte < 0 ? 1 : 3);
        if (byte >= 0 && is_unreserved(static_cast<char>(byte))) {
            out += static_cast<char>(byte);
            continue;
        }
        out += '%';
        if (byte < 0) continue;
        out += kUpperHex[static_cast<std::size_t>(byte / 16)];
        out += kUpperHex[static_cast<std::size_t>(byte % 16)];
    }
}

std::string percent_normal_form(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    append_percent_normal_form(out, text);
    return out;
}

bool is_percent_encoded(std::string_view text) {
    for (std::size_t i = text.find('%'); i != std::string_view::npos; i = text.find('%', i + 1))
        if (escaped_byte(text, i) < 0) return false;
    return true;
}

std::string decode_value(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t begin = 0;;) {
        const std::size_t i = text.find_first_of("%+", begin);
        out += text.substr(begin, i - begin);
        if (i == std::string_view::npos) return out;
        const int byte = escaped_byte(text, i);
        begin = i + (byte < 0 ? 1 : 3);
        out += byte >= 0 ? static_cast<char>(byte) : text[i] == '+' ? ' ' : '%';
    }
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    std::size_t i = 0;
    for (; i + sizeof(Word) <= a.size(); i += sizeof(Word))
        if (lower_word(a.data() + i) != lower_word(b.data() + i)) return false;
    for (; i < a.size(); ++i)
        if (lower_case(a[i]) != lower_case(b[i])) return false;
    return true;
}

bool starts_ignoring_case(std::string_view text, std::string_view prefix) {
    return equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

std::string lower_case(std::string_view text) {
    std::string out;
    append_lower_case(out, text);
    return out;
}

void append_lower_case(std::string& out, std::string_view text) {
    const auto begin = static_cast<std::ptrdiff_t>(out.size());
    out += text;
    std::transform(out.begin() + begin, out.end(), out.begin() + begin,
                   [](char c) { return lower_case(c); });
}

}  // namespace hawker::filters
