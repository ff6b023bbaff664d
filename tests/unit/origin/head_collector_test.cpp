#include "daemon/origin/head_collector.h"

#include <initializer_list>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hawker::origin {
namespace {

// Feeds lines until one is refused.
bool take(HeadCollector& collector, std::initializer_list<std::string_view> lines) {
    for (const std::string_view line : lines)
        if (!collector.take(fmt::format("{}\r\n", line))) return false;
    return true;
}

http::Framing framing_of(std::initializer_list<std::string_view> lines, bool to_head = false) {
    HeadCollector collector(to_head);
    EXPECT_TRUE(take(collector, lines));
    EXPECT_TRUE(collector.is_final());
    return collector.framing();
}

bool is_refused(std::initializer_list<std::string_view> lines) {
    HeadCollector collector(false);
    return !take(collector, lines);
}

TEST(HeadCollector, TheFieldsSayHowTheBodyEnds) {
    using enum http::Framing;
    EXPECT_EQ(framing_of({"HTTP/1.1 200 OK", "Content-Length: 5", ""}), length);
    EXPECT_EQ(framing_of({"HTTP/1.1 200 OK", "transfer-encoding: Chunked", ""}), chunked);
    EXPECT_EQ(framing_of({"HTTP/1.1 200", ""}), until_close);
    EXPECT_EQ(framing_of({"HTTP/1.1 204 No Content", "Content-Length: 5", ""}), none);
    EXPECT_EQ(framing_of({"HTTP/1.1 304 Not Modified", "Content-Length: 5", ""}), none);
    EXPECT_EQ(framing_of({"HTTP/1.1 200 OK", "Content-Length: 5", ""}, true), none);
}

TEST(HeadCollector, EqualLengthsBecomeOne) {
    HeadCollector collector(false);
    ASSERT_TRUE(
        take(collector, {"HTTP/1.1 200 OK", "Content-Length: 5, 5", "content-length: 5", ""}));
    EXPECT_EQ(collector.content_length(), 5U);
    EXPECT_EQ(collector.head().fields.joined("Content-Length"), "5");
}

TEST(HeadCollector, FramingThatCouldBeReadTwoWaysIsRefused) {
    EXPECT_TRUE(is_refused({"HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 6", ""}));
    EXPECT_TRUE(is_refused({"HTTP/1.1 200 OK", "Content-Length: 5, 6", ""}));
    EXPECT_TRUE(
        is_refused({"HTTP/1.1 200 OK", "Content-Length: 5", "Transfer-Encoding: chunked", ""}));
    EXPECT_TRUE(is_refused({"HTTP/1.0 200 OK", "Transfer-Encoding: chunked", ""}));
    EXPECT_TRUE(is_refused({"HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked", ""}));
    for (const auto* bad : {"+5", "-1", "0x5", "5 5", "", "99999999999999999999"})
        EXPECT_TRUE(is_refused({"HTTP/1.1 200 OK", fmt::format("Content-Length: {}", bad), ""}))
            << bad;
}

TEST(HeadCollector, MalformedLinesAreRefused) {
    for (const auto* bad : {"HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/2 200 OK",
                            "HTTP/1.1  200 OK", "HTTP/1.1 099 X", "ICY 200 OK", ""})
        EXPECT_TRUE(is_refused({bad})) << bad;
    for (const auto* bad : {" folded: 1", "no colon", ": no name", "na me: 1", "a: \x01"})
        EXPECT_TRUE(is_refused({"HTTP/1.1 200 OK", bad})) << bad;
    EXPECT_TRUE(is_refused({"HTTP/1.1 101 Switching Protocols", ""}));
}

TEST(HeadCollector, SpaceBeforeTheColonIsRemoved) {
    HeadCollector collector(false);
    ASSERT_TRUE(take(collector, {"HTTP/1.1 200 OK", "X-A : 1", ""}));
    EXPECT_EQ(collector.head().fields.get("X-A"), "1");
}

TEST(HeadCollector, ThereIsAnEndToEverything) {
    HeadCollector interim(false);
    for (int i = 0; i < 16; ++i) ASSERT_TRUE(take(interim, {"HTTP/1.1 103 Early Hints", ""}));
    EXPECT_FALSE(take(interim, {"HTTP/1.1 103 Early Hints", ""}));

    HeadCollector fields(false);
    ASSERT_TRUE(take(fields, {"HTTP/1.1 200 OK"}));
    for (int i = 0; i < 256; ++i) ASSERT_TRUE(take(fields, {"A: 1"}));
    EXPECT_FALSE(take(fields, {"A: 1"}));

    HeadCollector bytes(false);
    const std::string large = "A: " + std::string(65'000, 'x');
    ASSERT_TRUE(take(bytes, {"HTTP/1.1 200 OK", large}));
    EXPECT_FALSE(take(bytes, {large}));

    HeadCollector trailers(false);
    ASSERT_TRUE(take(trailers, {"HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", large}));
    EXPECT_FALSE(trailers.head().fields.has("A"));
    EXPECT_FALSE(take(trailers, {large}));
}

}  // namespace
}  // namespace hawker::origin
