// Range, Content-Range and multipart/byteranges (RFC 9110 section 14).
#pragma once

#include "base/byte_range.h"
#include "daemon/http/message.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::http {

// What a Range field comes to. Another unit, or a set that does not parse: nullopt, the field is
// ignored (R2). An empty set ("bytes=") gives an empty vector: 416.
std::optional<std::vector<RangeSpec>> parse_range(std::string_view value);

struct RangeAnswer {
    enum class Kind { whole, single, multiple, unsatisfiable } kind = Kind::whole;
    std::vector<ByteRange> ranges;
};
// Clamps to `size`, merges overlaps and gaps below 4 KiB when there are several; more than 16 or
// descending: whole; more than 200: unsatisfiable (R4).
RangeAnswer resolve_ranges(const std::vector<RangeSpec>& specs, std::uint64_t size);

struct ContentRange {
    std::optional<ByteRange> range;     // absent in "bytes */size"
    std::optional<std::uint64_t> size;  // absent in "bytes a-b/*"
};
std::optional<ContentRange> parse_content_range(std::string_view value);
std::string content_range(ByteRange range, std::uint64_t size);
void append_content_range(std::string& text, ByteRange range, std::uint64_t size);
std::string unsatisfied_content_range(std::uint64_t size);
std::string range_field(const RangeSpec& spec);  // "bytes=0-99"

// multipart/byteranges: heads before each part and the closing delimiter; the whole length is known
// beforehand.
class MultipartRanges {
public:
    MultipartRanges(std::vector<ByteRange> ranges, std::uint64_t size, std::string content_type,
                    std::string boundary);
    std::uint64_t content_length() const;
    std::string content_type() const;                // of the message
    std::string part_head(std::size_t index) const;  // delimiter, fields, empty line
    std::string closing() const;
    const std::vector<ByteRange>& ranges() const { return ranges_; }

private:
    std::vector<ByteRange> ranges_;
    std::uint64_t size_;
    std::string part_type_;
    std::string boundary_;
};

}  // namespace hawker::http
