// What of a stored response head is the same for everybody: read once, and kept with the
// representation.
//
// Thread: immutable; any.
#pragma once

#include "base/error.h"
#include "cache/reader.h"
#include "daemon/origin/origin_source.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hawker::proxy {

struct PreparedHead final : cache::Derived {
    origin::StoredHead stored;
    std::optional<std::uint64_t> whole_size;  // where this is stored as a part: of the whole
    std::chrono::seconds initial_age{0};      // when it was received (RFC 9111 section 4.2.3)
    // "Name: value\r\n" of every field that a whole or partial answer repeats: what is left to add
    // is Age, Content-Range, Cache-Status, Via and the framing.
    std::string lines;
};

// Errc::corrupt when the stored head is damaged. Lives as long as `representation`.
Expected<const PreparedHead*> prepared_head(const cache::Representation& representation);

// What one answer adds to it.
struct PlainAnswer {
    ByteRange range;       // of the whole, `size`
    bool is_part = false;  // 206
    std::chrono::seconds age{0};
    std::string_view cache_status;  // empty: of a hit, and of nothing else
    std::string_view task;          // in hexadecimal; said there
    std::string_view pseudonym;
};
// The status line and all fields but the framing's, each line ended.
void append_head(std::string& text, const PlainAnswer& answer, const PreparedHead& head,
                 std::uint64_t size);

}  // namespace hawker::proxy
