// Ranges of bytes: what a client asked for, and what it comes to once the size is known (RFC 9110
// section 14.1.2).
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace hawker {

// Half-open, in bytes: [first, end).
struct ByteRange {
    std::uint64_t first = 0;
    std::uint64_t end = 0;

    std::uint64_t length() const { return end - first; }
    bool empty() const { return first >= end; }
    bool operator==(const ByteRange&) const = default;
};

// `a-b`, `a-` or `-n` before the size is known. `last` is inclusive, as on the wire.
struct RangeSpec {
    std::optional<std::uint64_t> first;  // absent: a suffix of `last` bytes
    std::optional<std::uint64_t> last;   // absent: to the end
    bool operator==(const RangeSpec&) const = default;

    static RangeSpec whole() { return RangeSpec(0, std::nullopt); }
    static RangeSpec suffix(std::uint64_t length) { return RangeSpec(std::nullopt, length); }

    RangeSpec(std::optional<std::uint64_t> first_byte, std::optional<std::uint64_t> last_byte)
        : first(first_byte), last(last_byte) {}

    bool is_whole() const { return first == 0U && !last; }

    // Clamped to `size`; nullopt when nothing of it can be satisfied.
    std::optional<ByteRange> resolve(std::uint64_t size) const {
        ByteRange range;
        if (!first) {
            if (!last || *last == 0 || size == 0) return std::nullopt;
            range.first = size - std::min(*last, size);
            range.end = size;
            return range;
        }
        if (*first >= size) return std::nullopt;
        range.first = *first;
        range.end = last && *last < size ? *last + 1 : size;
        if (range.empty()) return std::nullopt;
        return range;
    }
};

}  // namespace hawker
