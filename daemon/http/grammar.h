// The small grammar of RFC 9110 section 5.6 that every file of this room reads by. Not a door: only
// http/ includes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace hawker::http {

bool is_token_char(char c);
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
// 1*tchar.
bool is_token(std::string_view text);
// What may stand in one (RFC 9110 section 5.5; obs-text is let through).
constexpr bool is_field_byte(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7F) || c == '\t';
}

// From `at` on over SP and visible ASCII, several bytes at a time: a place up to which there is
// nothing else, at most 7 bytes before the first that is.
std::size_t behind_printable_ascii(std::string_view text, std::size_t at);

// Without SP and HTAB at both ends.
std::string_view trim(std::string_view text);

// 1*DIGIT and nothing else; a number beyond 64 bits becomes the largest one (RFC 9110 section 8.6
// warns of overflow: the caller decides whether that is an error).
std::optional<std::uint64_t> parse_decimal(std::string_view digits);

// The non-empty members of a comma-separated list, trimmed. Commas inside quoted strings do not
// count. Views into `list`.
std::vector<std::string_view> list_members(std::string_view list, char separator = ',');

// The text of a quoted-string, or of a token as it stands.
std::string_view unquoted(std::string_view text);

}  // namespace hawker::http
