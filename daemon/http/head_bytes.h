// Finds one request head in what a client sent and checks its bytes and lines, before anything is
// parsed: line ends, control bytes, folded lines, limits, the version. Not a door: only
// request_parser.cpp includes it.
#pragma once

#include "daemon/http/request_parser.h"

#include <cstddef>
#include <expected>
#include <optional>
#include <string_view>

namespace hawker::http {

struct HeadBytes {
    std::string_view text;  // request line to empty line, both with their CRLF; a view of the input
    std::size_t consumed = 0;  // text and an empty line before it
    char minor_version = '1';  // the digit as received
    std::size_t minor_at = 0;  // its place in text
};

// nullopt: not complete yet. A refusal comes as soon as the offending byte is there and does not
// depend on the bytes behind it.
std::expected<std::optional<HeadBytes>, BadRequest> find_head(std::string_view bytes,
                                                              const HeadLimits& limits);

}  // namespace hawker::http
