// Finds one request head in what a client sent and checks its bytes and lines, before its fields
// are parsed: line ends, control bytes, folded lines, limits, the request line. Not a door: only
// request_parser.cpp includes it.
#pragma once

#include "daemon/http/request_parser.h"

#include <cstddef>
#include <expected>
#include <optional>
#include <string_view>

namespace hawker::http {

struct HeadBytes {
    // Views of the input.
    std::string_view method;
    std::string_view target;   // not empty, without a space
    std::string_view fields;   // behind the request line, with the empty line and its CRLF
    char minor_version = '1';  // the digit as received
    std::size_t consumed = 0;  // all of it, and an empty line before it
};

// nullopt: not complete yet. A refusal comes as soon as the offending byte is there and does not
// depend on the bytes behind it.
std::expected<std::optional<HeadBytes>, BadRequest> find_head(std::string_view bytes,
                                                              const HeadLimits& limits);

}  // namespace hawker::http
