// F15 to F17.
#include "daemon/http/chunked.h"

#include <gtest/gtest.h>

namespace hawker::http {
namespace {

struct Decoded {
    std::string body;
    std::size_t consumed = 0;
    bool finished = false;
    bool failed = false;
    bool operator==(const Decoded&) const = default;
};

void feed(ChunkDecoder& decoder, std::string_view text, Decoded& result) {
    auto rest = std::as_bytes(std::span(text));
    while (!result.failed) {
        const auto step = decoder.decode(rest);
        if (!step) {
            EXPECT_EQ(step.error().code, Errc::invalid);
            result.failed = true;
            result.consumed = 0;  // the connection is closed anyway
            return;
        }
        result.body.append(reinterpret_cast<const char*>(step->data.data()), step->data.size());
        result.consumed += step->consumed;
        result.finished = step->finished;
        if (step->consumed == 0) return;
        rest = rest.subspan(step->consumed);
    }
}

Decoded decode(std::string_view text) {
    ChunkDecoder decoder;
    Decoded result;
    feed(decoder, text, result);
    return result;
}

TEST(Chunked, DataComesOutAndTheNextRequestStays) {
    const auto decoded = decode("5\r\nhello\r\n006\r\n world\r\n0\r\n\r\nGET /");
    EXPECT_EQ(decoded.body, "hello world");
    EXPECT_TRUE(decoded.finished);
    EXPECT_EQ(decoded.consumed, 28U);
}

TEST(Chunked, ExtensionsAreParsedAndTrailersDropped) {
    const auto decoded =
        decode("3;a;b=c; d = \"x\\\";y\" ;e\r\nabc\r\n00;z\r\nX-Sum: 1\r\nY:\r\n\r\n");
    EXPECT_EQ(decoded.body, "abc");
    EXPECT_TRUE(decoded.finished);
}

TEST(Chunked, WhatIsNotStrictlyAChunkIsRefused) {
    const std::string_view broken[] = {
        "\r\n",
        "g\r\n",
        "-1\r\n",
        "+1\r\n",
        "0x1\r\n",
        " 1\r\n",
        "1 \r\n",
        "1 2\r\n",
        "1\n",
        "1\rx",
        "1\r\r\n",
        "1;\r\n",
        "1;=a\r\n",
        "1;a=\r\n",
        "1;a=\"b\r\n",
        "1;a=\"b\"c\r\n",
        "1;a b\r\n",
        "1,a\r\n",
        "1;a=\x01\r\n",
        "00000000000000001\r\n",
        "8000000000000000\r\n",
        "ffffffffffffffff\r\n",
        "1\r\nab\r\n",
        "1\r\na\n",
        "1\r\na1\r\n",
        "1\r\na\r\n\r\n",
        "0\r\nX\r\n",
        "0\r\nX : y\r\n",
        "0\r\n X: y\r\n",
        "0\r\nX: y\n",
        "0\r\n\n",
    };
    for (const std::string_view text : broken) EXPECT_TRUE(decode(text).failed) << text;
}

TEST(Chunked, ExtensionsAndTrailersHaveLimits) {
    const auto extended = [](std::size_t bytes) {
        return "1;" + std::string(bytes - 1, 'e') + "\r\na\r\n";
    };
    EXPECT_FALSE(decode(extended(256)).failed);
    EXPECT_TRUE(decode(extended(257)).failed);
    std::string many;
    for (int i = 0; i < 64; ++i) many += extended(256);
    EXPECT_FALSE(decode(many).failed);
    EXPECT_TRUE(decode(many + extended(2)).failed);
    EXPECT_TRUE(decode("0\r\nX: " + std::string(16 * 1024, 'x')).failed);
    std::string lines = "0\r\n";
    while (lines.size() < 20'000) lines += "X: " + std::string(100, 'x') + "\r\n";
    EXPECT_TRUE(decode(lines).failed);
}

TEST(Chunked, WhereTheInputIsCutMakesNoDifference) {
    const std::string_view texts[] = {"5;a=\"b\"\r\nhello\r\n1\r\n!\r\n0\r\nX: y\r\n\r\nrest",
                                      "5\r\nhello!\r\n", "3\r\nabc\r\n0\r\nbad trailer\r\n\r\n"};
    for (const std::string_view text : texts) {
        const Decoded whole = decode(text);
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            ChunkDecoder decoder;
            Decoded parts;
            feed(decoder, text.substr(0, cut), parts);
            const bool was_finished = parts.finished;
            if (!parts.failed && !was_finished) feed(decoder, text.substr(cut), parts);
            EXPECT_EQ(parts, whole) << text << " cut at " << cut;
        }
    }
}

TEST(Chunked, AFailedDecoderStaysFailed) {
    ChunkDecoder decoder;
    Decoded result;
    feed(decoder, "x\r\n", result);
    EXPECT_TRUE(result.failed);
    EXPECT_FALSE(decoder.decode(std::as_bytes(std::span(std::string_view("0\r\n\r\n")))));
    EXPECT_FALSE(decoder.finished());
}

TEST(Chunked, WhatWeWriteWeRead) {
    std::string wire;
    for (const std::string& part : {std::string("abc"), std::string(5000, 'x')})
        wire += chunk_head(part.size()) + part + std::string(kChunkTail);
    wire += kLastChunk;
    const auto decoded = decode(wire);
    EXPECT_TRUE(decoded.finished);
    EXPECT_EQ(decoded.body, "abc" + std::string(5000, 'x'));
    EXPECT_EQ(chunk_head(0x1a2b), "1a2b\r\n");
}

}  // namespace
}  // namespace hawker::http
