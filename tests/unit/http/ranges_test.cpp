// R2 to R6.
#include "daemon/http/ranges.h"

#include <limits>

#include <gtest/gtest.h>

namespace hawker::http {
namespace {

constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();
using Kind = RangeAnswer::Kind;

RangeAnswer answer(std::string_view field, std::uint64_t size) {
    const auto specs = parse_range(field);
    if (!specs) return {};
    return resolve_ranges(*specs, size);
}

// "0-99,200-" as the bytes that are served, last ones included.
std::string served(std::string_view field, std::uint64_t size) {
    const RangeAnswer it = answer(field, size);
    if (it.kind == Kind::whole) return "whole";
    if (it.kind == Kind::unsatisfiable) return "416";
    EXPECT_EQ(it.kind == Kind::single, it.ranges.size() == 1);
    std::string text;
    for (const ByteRange& range : it.ranges)
        text += (text.empty() ? "" : ",") + std::to_string(range.first) + "-" +
                std::to_string(range.end - 1);
    return text;
}

TEST(Range, TheThreeFormsAreRead) {
    EXPECT_EQ(served("bytes=0-99", 1000), "0-99");
    EXPECT_EQ(served("Bytes=900-", 1000), "900-999");
    EXPECT_EQ(served("bytes=-100", 1000), "900-999");
    EXPECT_EQ(served("bytes=0-5000", 1000), "0-999");
    EXPECT_EQ(served("bytes=-5000", 1000), "0-999");
    EXPECT_EQ(served("bytes= 0-0 , 20000-20001", 90000), "0-0,20000-20001");
    EXPECT_EQ(served("bytes=,0-0,,", 10), "0-0");
}

TEST(Range, WhatDoesNotParseIsIgnored) {
    for (const std::string_view text :
         {"items=0-1", "bytes", "bytes 0-1", "bytes=a-b", "bytes=5-4", "bytes=0-1,x", "bytes=-",
          "bytes=0 - 1", "bytes=1", "bytes=--1", "bytes=0x1-2", "bytes =0-1", "bytes=1-2-3", ""})
        EXPECT_EQ(parse_range(text), std::nullopt) << text;
}

TEST(Range, AnEmptySetAndOneBeyondTheEndAreUnsatisfiable) {
    EXPECT_EQ(parse_range("bytes=")->size(), 0U);
    EXPECT_EQ(served("bytes=", 1000), "416");
    EXPECT_EQ(served("bytes=1000-", 1000), "416");
    EXPECT_EQ(served("bytes=-0", 1000), "416");
    EXPECT_EQ(served("bytes=0-", 0), "416");
    EXPECT_EQ(served("bytes=2000-, 0-0", 1000), "0-0");
}

TEST(Range, NumbersBeyond64BitsLieBehindTheEnd) {
    EXPECT_EQ(served("bytes=1-99999999999999999999999", 10), "1-9");
    EXPECT_EQ(served("bytes=99999999999999999999999-", 10), "416");
    EXPECT_EQ(served("bytes=-99999999999999999999999", 10), "0-9");
    EXPECT_EQ(served("bytes=0-18446744073709551615", 10), "0-9");
    EXPECT_EQ(served("bytes=0-18446744073709551615", kHuge), "0-18446744073709551614");
}

TEST(Range, OverlapsAndSmallGapsBecomeOne) {
    EXPECT_EQ(served("bytes=0-99,50-149", 10000), "0-149");
    EXPECT_EQ(served("bytes=0-99,100-149", 10000), "0-149");
    EXPECT_EQ(served("bytes=0-99,4195-4200", 10000), "0-4200");          // 4095 between
    EXPECT_EQ(served("bytes=0-99,4196-4200", 10000), "0-99,4196-4200");  // 4096
    EXPECT_EQ(served("bytes=0-9000,5-6,9001-9001", 10000), "0-9001");
    EXPECT_EQ(served("bytes=0-0,-1", 10000), "0-0,9999-9999");
}

TEST(Range, ManyOrDescendingOnesAreAnsweredWholeAndVeryManyRefused) {
    const auto ranges = [](int count) {
        std::string field = "bytes=";
        for (int i = 0; i < count; ++i)
            field += std::to_string(i * 10000) + "-" + std::to_string(i * 10000 + 1) + ",";
        return field;
    };
    EXPECT_EQ(answer(ranges(16), 10'000'000).ranges.size(), 16U);
    EXPECT_EQ(served(ranges(17), 10'000'000), "whole");
    EXPECT_EQ(served(ranges(200), 10'000'000), "whole");
    EXPECT_EQ(served(ranges(201), 10'000'000), "416");
    EXPECT_EQ(served("bytes=500-600,0-10", 1000), "whole");
}

TEST(ContentRange, IsReadStrictly) {
    const auto full = parse_content_range("bytes 0-99/1000");
    ASSERT_TRUE(full);
    EXPECT_EQ(full->range->first, 0U);
    EXPECT_EQ(full->range->end, 100U);
    EXPECT_EQ(full->size, 1000U);
    EXPECT_EQ(parse_content_range("bytes */7")->size, 7U);
    EXPECT_FALSE(parse_content_range("bytes */7")->range);
    EXPECT_FALSE(parse_content_range("bytes 0-0/*")->size);
    for (const std::string_view text :
         {"bytes 5-4/10", "bytes 0-10/10", "bytes 0-9", "bytes */*", "bytes=0-9/10",
          "bytes  0-9/10", "items 0-9/10", "bytes 0-/10", "bytes -9/10", "bytes 0-9/",
          "bytes 0-18446744073709551615/*", "bytes 0-9/99999999999999999999", "", "bytes "})
        EXPECT_FALSE(parse_content_range(text)) << text;
}

TEST(ContentRange, WhatWeWriteWeRead) {
    ByteRange range;
    range.first = 3;
    range.end = 10;
    EXPECT_EQ(content_range(range, 10), "bytes 3-9/10");
    EXPECT_EQ(parse_content_range(content_range(range, 10))->range, range);
    EXPECT_EQ(unsatisfied_content_range(10), "bytes */10");
    EXPECT_EQ(range_field(RangeSpec(0, 99)), "bytes=0-99");
    EXPECT_EQ(range_field(RangeSpec::suffix(5)), "bytes=-5");
    EXPECT_EQ(range_field(RangeSpec::whole()), "bytes=0-");
}

TEST(MultipartRanges, PartsAndLengthAgree) {
    const MultipartRanges parts({ByteRange(0, 2), ByteRange(8, 9)}, 10, "text/plain", "B0undary");
    EXPECT_EQ(parts.content_type(), "multipart/byteranges; boundary=B0undary");
    const std::string body = parts.part_head(0) + "ab" + parts.part_head(1) + "i" + parts.closing();
    EXPECT_EQ(body,
              "--B0undary\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\nab\r\n"
              "--B0undary\r\nContent-Type: text/plain\r\nContent-Range: bytes "
              "8-8/10\r\n\r\ni\r\n--B0undary--\r\n");
    EXPECT_EQ(parts.content_length(), body.size());
}

}  // namespace
}  // namespace hawker::http
