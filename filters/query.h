// A query string as the list of its parameters, and the percent-encoding normal form (RFC 3986
// section 6.2.2).
//
// Pure functions. A `Parameter` borrows the query it was split from.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::filters {

// More than this many parameters in one URL is an attack on whoever sorts and compares them; such a
// URL has no key.
inline constexpr std::size_t kMostParameters = 256;
// For split_query()'s `memory`: a list of so many parameters as signers use stays off the heap.
inline constexpr std::size_t kRoomForAQuery = 4096;  // bytes

struct KnownName;  // signed_urls.h

struct Parameter {
    std::string_view raw;              // the whole piece between two '&', as written
    std::string_view value;            // after the first '=', as written
    const KnownName* known = nullptr;  // what we know of its name, in whatever case it is written
    bool has_value = false;            // "a" and "a=" are two things

    // Before the first '=', in percent-encoding normal form.
    std::string_view name() const { return normal_name.empty() ? written_name : normal_name; }

    std::string_view written_name;
    std::string normal_name;  // where that is another one
};

// Every piece between two '&', empty ones too, so that joining them again gives the query back. At
// most kMostParameters + 1. The list is in `memory`.
using Parameters = std::pmr::vector<Parameter>;
Parameters split_query(std::string_view query,
                       std::pmr::memory_resource* memory = std::pmr::get_default_resource());

// Decodes what is percent-encoded without need (unreserved characters), writes the other escapes in
// upper case, touches nothing else. One pass: what it writes, it does not look at again.
std::string percent_normal_form(std::string_view text);
void append_percent_normal_form(std::string& out, std::string_view text);
// Every '%' begins an escape. Without that the normal form of two different texts could be one.
bool is_percent_encoded(std::string_view text);
// As query values are read: escapes decoded, '+' a space.
std::string decode_value(std::string_view text);

// Of ASCII.
constexpr char lower_case(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool equals_ignoring_case(std::string_view a, std::string_view b);
bool starts_ignoring_case(std::string_view text, std::string_view prefix);
std::string lower_case(std::string_view text);
void append_lower_case(std::string& out, std::string_view text);

}  // namespace hawker::filters
