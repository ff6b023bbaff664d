// Bytes of a client in, one request head out: the strict gate. Wire parsing is Boost.Beast's
// basic_parser; what it would let through and facts F1-F24, T1-T8 do not, is refused here.
//
// Thread: one at a time. No sockets: the connection feeds bytes.
#pragma once

#include "base/error.h"
#include "daemon/http/message.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace hawker::http {

struct HeadLimits {
    std::size_t head_bytes = 64 * 1024;          // whole head: 431
    std::size_t request_line_bytes = 16 * 1024;  // 414
    std::size_t field_bytes = 16 * 1024;         // one field line: 431
    std::size_t field_count = 128;               // 431
};

// A refusal that says which status answers it and, in one plain sentence, what to mend.
struct BadRequest {
    int status = 400;
    std::string sentence;
};

// Looks for one complete head at the start of `bytes` (which may hold the next request as well),
// and reads it into `head`, which is clear. How many of the bytes belong to it; 0: not complete
// yet, read more. `bytes` is looked at again from the start each time; it is at most
// limits.head_bytes.
std::expected<std::size_t, BadRequest> parse_request_head(std::span<const std::byte> bytes,
                                                          const HeadLimits& limits,
                                                          RequestHead& head);
// The same into a head of its own; nullopt: not complete yet.
struct ParsedHead {
    RequestHead head;
    std::size_t consumed = 0;  // bytes of `bytes` that belong to it
};
std::expected<std::optional<ParsedHead>, BadRequest> parse_request_head(
    std::span<const std::byte> bytes, const HeadLimits& limits);

}  // namespace hawker::http
