// What of a head is refused for its bytes and lines: F1 to F9 and F23.
#include "tests/unit/http/heads.h"

#include <gmock/gmock.h>

namespace hawker::http {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;

const std::string kPlain = "GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n";

TEST(RequestLines, BytesAndLinesAreReadStrictly) {
    const Case cases[] = {
        {"F1", "\r\n" + kPlain, 200},
        {"F1", "\r\n\r\n" + kPlain, 400},
        {"F1", "\n" + kPlain, 400},
        {"F2", "GET / HTTP/1.1\nHost: h\r\n\r\n", 400},
        {"F2", "GET / HTTP/1.1\r\nHost: h\n\r\n", 400},
        {"F2", "GET / HTTP/1.1\r\nHost: h\r\n\n", 400},
        {"F2", "GET / HTTP/1.1\rHost: h\r\n\r\n", 400},
        {"F2", "GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", 400},
        {"F2", "GET / HTTP/1.1\r\nHost: h\r\r\n\r\n", 400},
        {"F3", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400},
        {"F3", "GET / HTTP/1.1\r\n\tHost: h\r\n\r\n", 400},
        {"F4", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"F4", "GET /  HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"F4", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400},
        {"F4", " GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"F4", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"F4", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"F4", "GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"F4", "GET /\x7f HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"F4", "GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"F4", "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n"s, 400},
        {"F4", "G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"F4", "PURGE-ALL / HTTP/1.1\r\nHost: h\r\n\r\n", 200},
        {"F4", "GET /\r\n\r\n", 400},
        {"F4", "GET\r\n\r\n", 400},
        {"F7", with_fields("X : y\r\n"), 400},
        {"F7", with_fields("X\t: y\r\n"), 400},
        {"F7", with_fields(": y\r\n"), 400},
        {"F7", with_fields("X\r\n"), 400},
        {"F7", with_fields("X(y): z\r\n"), 400},
        {"F7", with_fields("X\xe4: z\r\n"), 400},
        {"F7", with_fields("X:y\r\n"), 200},
        {"F8", with_fields("X: y\r\n z\r\n"), 400},
        {"F8", with_fields("X: y\r\n\tz\r\n"), 400},
        {"F8", with_fields("X: y\r\n \r\n"), 400},
        {"F9", with_fields("X: a\0b\r\n"s), 400},
        {"F9", with_fields("X: a\x1b[0m\r\n"), 400},
        {"F9", with_fields("X: a\x7f\r\n"), 400},
        {"F9", with_fields("X: a\tb\r\n"), 200},
        {"F9", with_fields("X: \xc3\xa4\r\n"), 200},
    };
    expect_statuses(cases);
}

// Bytes are looked at several at a time.
TEST(RequestLines, AByteIsRefusedWhereverItStands) {
    for (int value = 0; value < 256; ++value) {
        const char byte = static_cast<char>(value);
        const bool is_printable = value > 0x20 && value < 0x7F && byte != '#';
        const bool is_field_byte = (value >= 0x20 && value != 0x7F) || byte == '\t';
        for (std::size_t place = 0; place < 20; ++place) {
            std::string text(20, '~');
            text[place] = byte;
            EXPECT_EQ(status_of("GET /" + text + " HTTP/1.1\r\nHost: h\r\n\r\n"),
                      is_printable ? 200 : 400)
                << value << " at " << place;
            EXPECT_EQ(status_of(with_fields("X: " + text + "\r\n")), is_field_byte ? 200 : 400)
                << value << " at " << place;
        }
    }
}

TEST(RequestLines, OnlyVersionsOfHttp1AreAccepted) {
    const Case cases[] = {
        {"F6", with_fields("", "HTTP/1.0"), 200},  {"F6", with_fields("", "HTTP/1.2"), 200},
        {"F6", with_fields("", "HTTP/1.9"), 200},  {"F6", with_fields("", "HTTP/2.0"), 505},
        {"F6", with_fields("", "HTTP/0.9"), 505},  {"F6", with_fields("", "HTTP/3.0"), 505},
        {"F6", with_fields("", "http/1.1"), 400},  {"F6", with_fields("", "HTTP/1.10"), 400},
        {"F6", with_fields("", "HTTP/1"), 400},    {"F6", with_fields("", "HTTP/11"), 400},
        {"F6", with_fields("", "HTTPS/1.1"), 400}, {"F6", with_fields("", "HTTP/01.1"), 400},
    };
    expect_statuses(cases);
    EXPECT_EQ(accepted(with_fields("", "HTTP/1.2")).minor_version, 1);
    EXPECT_EQ(accepted(with_fields("", "HTTP/1.0")).minor_version, 0);
}

TEST(RequestLines, TheLimitsAnswer414And431And501) {
    HeadLimits limits;
    limits.head_bytes = 200;
    limits.request_line_bytes = 40;
    limits.field_bytes = 50;
    limits.field_count = 3;
    const auto get = [](std::size_t path_length) {
        return "GET /" + std::string(path_length - 1, 'p') + " HTTP/1.1\r\n";
    };
    const auto field = [](std::size_t line_length) {
        return "X: " + std::string(line_length - 3, 'v') + "\r\n";
    };
    EXPECT_EQ(status_of(get(27) + "Host: h\r\n\r\n", limits), 200);  // 40 bytes
    EXPECT_EQ(status_of(get(28) + "Host: h\r\n\r\n", limits), 414);
    EXPECT_EQ(status_of(get(1) + "Host: h\r\n" + field(50) + "\r\n", limits), 200);
    EXPECT_EQ(status_of(get(1) + "Host: h\r\n" + field(51) + "\r\n", limits), 431);
    EXPECT_EQ(status_of(get(1) + "Host: h\r\nA: a\r\nB: b\r\n\r\n", limits), 200);
    EXPECT_EQ(status_of(get(1) + "Host: h\r\nA: a\r\nB: b\r\nC: c\r\n\r\n", limits), 431);
    limits.field_bytes = 150;
    const std::string nearly = get(1) + "Host: h\r\n" + field(50) + "\r\n";
    const std::string full =
        get(1) + "Host: h\r\n" + field(50) + field(200 - nearly.size() - 2) + "\r\n";
    EXPECT_EQ(full.size(), 200U);
    EXPECT_EQ(status_of(full, limits), 200);
    limits.head_bytes = 199;
    EXPECT_EQ(status_of(full, limits), 431);
    EXPECT_EQ(status_of(std::string(65, 'M'), HeadLimits()), 501);
    EXPECT_EQ(status_of(std::string(64, 'M'), HeadLimits()), 0);
}

TEST(RequestLines, ALongSignedUrlIsAccepted) {
    EXPECT_EQ(status_of("GET http://h/?" + std::string(8000, 's') + " HTTP/1.1\r\nHost: h\r\n\r\n"),
              200);
}

TEST(RequestLines, TlsAndHttp2AreToldWhatTheyMet) {
    EXPECT_THAT(sentence_of("\x16\x03\x01\x02\x00\x01"),
                HasSubstr("plain HTTP and got a TLS handshake"));
    EXPECT_EQ(status_of("\x16"), 0);
    EXPECT_EQ(status_of("\x16\x03"), 400);
    const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    EXPECT_EQ(status_of(preface), 505);
    EXPECT_THAT(sentence_of(preface), HasSubstr("start of HTTP/2"));
}

TEST(RequestLines, NothingIsDecidedBeforeTheHeadIsComplete) {
    for (std::size_t length = 0; length < kPlain.size(); ++length)
        EXPECT_EQ(status_of(kPlain.substr(0, length)), 0) << length;
    EXPECT_EQ(status_of(kPlain), 200);
}

TEST(RequestLines, ARefusalComesWithTheOffendingByteAndStays) {
    const std::string text = "GET / HTTP/1.1\nHost: h\r\n\r\n";
    const std::size_t offending = text.find('\n') + 1;
    for (std::size_t length = 0; length <= text.size(); ++length)
        EXPECT_EQ(status_of(text.substr(0, length)), length < offending ? 0 : 400) << length;
}

TEST(RequestLines, TheNextRequestIsLeftAlone) {
    const std::string two = "\r\n" + kPlain + kPlain;
    const auto parsed = parse(two);
    ASSERT_TRUE(parsed && *parsed);
    EXPECT_EQ((*parsed)->consumed, kPlain.size() + 2);
}

TEST(RequestLines, MethodTargetAndFieldsComeOutAsTheyWereWritten) {
    const auto head = accepted(
        "gEt /%2F..//a?b=%zz&&;|{} HTTP/1.1\r\nhOST:h\r\nX-One:  a  b \t\r\nx-one:\r\n\r\n");
    EXPECT_EQ(head.method, "gEt");
    EXPECT_EQ(head.target, "/%2F..//a?b=%zz&&;|{}");
    ASSERT_EQ(head.fields.size(), 3U);
    EXPECT_EQ(head.fields.begin()->name, "hOST");
    EXPECT_EQ(head.fields.joined("X-ONE"), "a  b, ");
}

}  // namespace
}  // namespace hawker::http
