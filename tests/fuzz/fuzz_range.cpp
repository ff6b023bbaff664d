// Range and Content-Range, and what is answered to them.
//
// Properties: what is resolved lies inside of the representation, in order and apart; one member
// written anew is the same member; a Content-Range that we write is read as what it was; the length
// of a multipart body is what its parts come to.
#include "daemon/http/ranges.h"
#include "require.h"

#include <array>

namespace {

using namespace hawker;
using namespace hawker::http;
using hawker::fuzz::require;

constexpr std::array<std::uint64_t, 6> kSizes = {0,         1,           4096,
                                                 1'000'000, 5ULL << 40U, UINT64_MAX >> 1U};

void check_multipart(const RangeAnswer& answer, std::uint64_t size) {
    const MultipartRanges parts(answer.ranges, size, "text/plain", "edge");
    // Too large a sum is nobody's message.
    std::uint64_t length = parts.closing().size();
    for (std::size_t i = 0; i < parts.ranges().size(); ++i)
        length += parts.part_head(i).size() + parts.ranges()[i].length();
    require(parts.content_length() == length, "a multipart body is as long as it says");
}

void check_answer(const std::vector<RangeSpec>& specs, std::uint64_t size) {
    const RangeAnswer answer = resolve_ranges(specs, size);
    const bool has_none =
        answer.kind == RangeAnswer::Kind::unsatisfiable || answer.kind == RangeAnswer::Kind::whole;
    if (answer.kind == RangeAnswer::Kind::single)
        require(answer.ranges.size() == 1, "a single range is one");
    if (answer.kind == RangeAnswer::Kind::multiple)
        require(answer.ranges.size() >= 2 && answer.ranges.size() <= 16, "several are a few");
    std::uint64_t after = 0;
    for (const ByteRange& range : answer.ranges) {
        require(!range.empty() && range.end <= size, "a range lies inside");
        require(has_none || range.first >= after, "ranges are in order and apart");
        after = range.end;
        if (has_none) continue;
        const auto again = parse_content_range(content_range(range, size));
        require(again && again->range == range && again->size == size,
                "a Content-Range that we write is read as it was meant");
    }
    if (answer.kind == RangeAnswer::Kind::multiple) check_multipart(answer, size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view value = fuzz::text_of(data, size);
    if (const auto content = parse_content_range(value); content && content->range) {
        require(!content->range->empty(), "a Content-Range is not empty");
        require(!content->size || content->range->end <= *content->size,
                "a Content-Range lies inside");
    }
    const auto specs = parse_range(value);
    if (!specs) return 0;
    for (const std::uint64_t each : kSizes) check_answer(*specs, each);
    for (const RangeSpec& spec : *specs) {
        const auto again = parse_range(range_field(spec));
        require(again && again->size() == 1 && again->front() == spec,
                "a range written anew is the same range");
    }
    return 0;
}
