#include "daemon/http/ranges.h"

#include "daemon/http/grammar.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace hawker::http {

namespace {

constexpr std::size_t kMostServedRanges = 16;
constexpr std::size_t kMostAcceptedRanges = 200;
constexpr std::uint64_t kMergedGap = 4096;

// "bytes", separator, rest; nullopt for another unit.
std::optional<std::string_view> after_unit(std::string_view value, char separator) {
    constexpr std::string_view kUnit = "bytes";
    if (!equals_ignoring_case(value.substr(0, kUnit.size()), kUnit)) return std::nullopt;
    const std::string_view rest = value.substr(kUnit.size());
    if (!rest.starts_with(separator)) return std::nullopt;
    return rest.substr(1);
}

// a-b, a- or -n. A number beyond 64 bits saturates: it lies behind the end of anything.
std::optional<RangeSpec> parse_spec(std::string_view text) {
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const std::string_view before = text.substr(0, dash), after = text.substr(dash + 1);
    const auto first = parse_decimal(before), last = parse_decimal(after);
    if ((!before.empty() && !first) || (!after.empty() && !last) || (!first && !last))
        return std::nullopt;
    if (first && last && *last < *first) return std::nullopt;
    return RangeSpec(first, last);
}

// Neighbours that touch, overlap or nearly do become one; `ranges` ascend.
std::vector<ByteRange> merged(const std::vector<ByteRange>& ranges) {
    std::vector<ByteRange> result;
    for (const ByteRange& range : ranges) {
        if (!result.empty() &&
            (range.first <= result.back().end || range.first - result.back().end < kMergedGap))
            result.back().end = std::max(result.back().end, range.end);
        else
            result.push_back(range);
    }
    return result;
}

}  // namespace

std::optional<std::vector<RangeSpec>> parse_range(std::string_view value) {
    const auto set = after_unit(trim(value), '=');
    if (!set) return std::nullopt;
    std::vector<RangeSpec> specs;
    for (const std::string_view member : list_members(*set)) {
        const auto spec = parse_spec(member);
        if (!spec) return std::nullopt;
        specs.push_back(*spec);
    }
    return specs;
}

RangeAnswer resolve_ranges(const std::vector<RangeSpec>& specs, std::uint64_t size) {
    RangeAnswer answer;
    if (specs.empty() || specs.size() > kMostAcceptedRanges) {
        answer.kind = RangeAnswer::Kind::unsatisfiable;
        return answer;
    }
    if (specs.size() > kMostServedRanges) return answer;
    std::vector<ByteRange> ranges;
    for (const RangeSpec& spec : specs)
        if (const auto range = spec.resolve(size)) ranges.push_back(*range);
    if (ranges.empty()) {
        answer.kind = RangeAnswer::Kind::unsatisfiable;
        return answer;
    }
    if (!std::ranges::is_sorted(ranges, {}, &ByteRange::first)) return answer;
    answer.ranges = merged(ranges);
    answer.kind =
        answer.ranges.size() == 1 ? RangeAnswer::Kind::single : RangeAnswer::Kind::multiple;
    return answer;
}

std::optional<ContentRange> parse_content_range(std::string_view value) {
    const auto rest = after_unit(trim(value), ' ');
    if (!rest) return std::nullopt;
    const std::size_t slash = rest->find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const std::string_view range_text = rest->substr(0, slash), size_text = rest->substr(slash + 1);
    constexpr std::uint64_t kBeyond = std::numeric_limits<std::uint64_t>::max();

    ContentRange result;
    result.size = parse_decimal(size_text);
    if ((!result.size && size_text != "*") || result.size == kBeyond) return std::nullopt;
    if (range_text == "*") {
        if (!result.size) return std::nullopt;
        return result;
    }
    const auto spec = parse_spec(range_text);
    if (!spec || !spec->first || !spec->last || *spec->last == kBeyond) return std::nullopt;
    if (result.size && *spec->last >= *result.size) return std::nullopt;
    ByteRange range;
    range.first = *spec->first;
    range.end = *spec->last + 1;
    result.range = range;
    return result;
}

void append_content_range(std::string& text, ByteRange range, std::uint64_t size) {
    fmt::format_to(std::back_inserter(text), "bytes {}-{}/{}", range.first, range.end - 1, size);
}

std::string content_range(ByteRange range, std::uint64_t size) {
    std::string text;
    append_content_range(text, range, size);
    return text;
}

std::string unsatisfied_content_range(std::uint64_t size) {
    return fmt::format("bytes */{}", size);
}

std::string range_field(const RangeSpec& spec) {
    std::string field = "bytes=";
    if (spec.first) field += std::to_string(*spec.first);
    field += '-';
    if (spec.last) field += std::to_string(*spec.last);
    return field;
}

MultipartRanges::MultipartRanges(std::vector<ByteRange> ranges, std::uint64_t size,
                                 std::string content_type, std::string boundary)
    : ranges_(std::move(ranges)),
      size_(size),
      part_type_(std::move(content_type)),
      boundary_(std::move(boundary)) {}

std::uint64_t MultipartRanges::content_length() const {
    std::uint64_t length = closing().size();
    for (std::size_t i = 0; i < ranges_.size(); ++i)
        length += part_head(i).size() + ranges_[i].length();
    return length;
}

std::string MultipartRanges::content_type() const {
    return fmt::format("multipart/byteranges; boundary={}", boundary_);
}

std::string MultipartRanges::part_head(std::size_t index) const {
    std::string head = index == 0 ? "" : "\r\n";
    head += fmt::format("--{}\r\n", boundary_);
    if (!part_type_.empty()) head += fmt::format("Content-Type: {}\r\n", part_type_);
    head += fmt::format("Content-Range: {}\r\n\r\n", content_range(ranges_[index], size_));
    return head;
}

std::string MultipartRanges::closing() const { return fmt::format("\r\n--{}--\r\n", boundary_); }

}  // namespace hawker::http
