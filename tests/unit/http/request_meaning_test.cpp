// What of a well-formed head is refused for its meaning: F10 to F14, T1 to T8, T13, C5, C7, C8.
#include "tests/unit/http/heads.h"

namespace hawker::http {
namespace {

std::string request(std::string_view method, std::string_view target,
                    std::string_view lines = "Host: h\r\n") {
    return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n" + std::string(lines) +
           "\r\n";
}

TEST(Framing, WhatCouldBeReadTwoWaysIsRefused) {
    const Case cases[] = {
        {"F10", with_fields("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400},
        {"F10", with_fields("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400},
        {"F10", with_fields("Transfer-Encoding: gzip\r\nContent-Length: 3\r\n"), 400},
        {"F11", with_fields("Transfer-Encoding: chunked\r\n"), 200},
        {"F11", with_fields("Transfer-Encoding: Chunked\r\n"), 200},
        {"F11", with_fields("Transfer-Encoding: gzip, chunked\r\n"), 501},
        {"F11", with_fields("Transfer-Encoding: gzip\r\n"), 501},
        {"F11", with_fields("Transfer-Encoding: identity\r\n"), 501},
        {"F11", with_fields("Transfer-Encoding: xchunked\r\n"), 501},
        {"F11", with_fields("Transfer-Encoding: chunked, gzip\r\n"), 400},
        {"F11", with_fields("Transfer-Encoding: chunked, chunked\r\n"), 400},
        {"F11", with_fields("Transfer-Encoding: chunked,\r\n"), 400},
        {"F11", with_fields("Transfer-Encoding: ,chunked\r\n"), 400},
        {"F11", with_fields("Transfer-Encoding: chunked;q=1\r\n"), 400},
        {"F11", with_fields("Transfer-Encoding: \"chunked\"\r\n"), 400},
        {"F11", with_fields("Transfer-Encoding:\r\n"), 400},
        {"F11", with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
        {"F11", with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), 400},
        {"F12", with_fields("Transfer-Encoding: chunked\r\n", "HTTP/1.0"), 400},
        {"F13", with_fields("Content-Length: 3\r\nContent-Length: 3\r\n"), 400},
        {"F13", with_fields("Content-Length: 3\r\nContent-Length: 4\r\n"), 400},
        {"F13", with_fields("Content-Length: 3, 3\r\n"), 400},
        {"F13", with_fields("Content-Length: 3,\r\n"), 400},
        {"F14", with_fields("Content-Length: 3\r\n"), 200},
        {"F14", with_fields("Content-Length: 0003\r\n"), 200},
        {"F14", with_fields("Content-Length: +3\r\n"), 400},
        {"F14", with_fields("Content-Length: -3\r\n"), 400},
        {"F14", with_fields("Content-Length: 0x3\r\n"), 400},
        {"F14", with_fields("Content-Length: 1 2\r\n"), 400},
        {"F14", with_fields("Content-Length:\r\n"), 400},
        {"F14", with_fields("Content-Length: 3.0\r\n"), 400},
        {"F14", with_fields("Content-Length: 9223372036854775807\r\n"), 200},
        {"F14", with_fields("Content-Length: 9223372036854775808\r\n"), 400},
        {"F14", with_fields("Content-Length: 18446744073709551619\r\n"), 400},
    };
    expect_statuses(cases);
}

TEST(Framing, OfAHeadIsItsOwnWhateverWasReadIntoItBefore) {
    constexpr std::string_view kFirst =
        "POST http://h/a HTTP/1.1\r\nHost: other\r\nContent-Length: 7\r\nExpect: 100-continue\r\n"
        "Connection: close\r\nAuthorization: Basic eA==\r\n\r\n";
    constexpr std::string_view kSecond = "GET /b HTTP/1.1\r\nHost: h\r\n\r\n";
    RequestHead head;
    const HeadLimits limits;
    ASSERT_EQ(parse_request_head(std::as_bytes(std::span(kFirst)), limits, head), kFirst.size());
    EXPECT_EQ(head.fields.get("Host"), "h");
    head.clear();
    ASSERT_EQ(parse_request_head(std::as_bytes(std::span(kSecond)), limits, head), kSecond.size());
    EXPECT_EQ(head.method, "GET");
    EXPECT_EQ(head.target, "/b");
    EXPECT_EQ(head.form, TargetForm::origin);
    EXPECT_EQ(head.fields.size(), 1U);
    EXPECT_EQ(head.framing, Framing::none);
    EXPECT_EQ(head.content_length, 0U);
    EXPECT_TRUE(head.keep_alive);
    EXPECT_FALSE(head.expects_continue);
}

TEST(Framing, IsToldByTheFields) {
    EXPECT_EQ(accepted(with_fields("")).framing, Framing::none);
    EXPECT_EQ(accepted(with_fields("Transfer-Encoding: chunked\r\n")).framing, Framing::chunked);
    const auto sized = accepted(with_fields("Content-Length: 12\r\n"));
    EXPECT_EQ(sized.framing, Framing::length);
    EXPECT_EQ(sized.content_length, 12U);
    EXPECT_EQ(accepted(with_fields("Content-Length: 0\r\n")).framing, Framing::length);
}

TEST(Host, IsRequiredOnceAndValid) {
    const Case cases[] = {
        {"T2", request("GET", "/", ""), 400},
        {"T2", request("GET", "http://h/", ""), 400},
        {"T2", request("CONNECT", "h:443", ""), 400},
        {"T2", "GET http://h/ HTTP/1.0\r\n\r\n", 200},
        {"T2", request("GET", "/", "Host: h\r\nHost: h\r\n"), 400},
        {"T2", request("GET", "http://h/", "Host: h\r\nhost: h\r\n"), 400},
        {"T2", request("GET", "/", "Host:\r\n"), 400},
        {"T2", request("GET", "/", "Host: a b\r\n"), 400},
        {"T2", request("GET", "/", "Host: a/b\r\n"), 400},
        {"T2", request("GET", "/", "Host: u@h\r\n"), 400},
        {"T2", request("GET", "/", "Host: a,b\r\n"), 400},
        {"T2", request("GET", "/", "Host: h:\r\n"), 400},
        {"T2", request("GET", "/", "Host: h:0\r\n"), 400},
        {"T2", request("GET", "/", "Host: h:65536\r\n"), 400},
        {"T2", request("GET", "/", "Host: h:1:2\r\n"), 400},
        {"T2", request("GET", "/", "Host: :80\r\n"), 400},
        {"T2", request("GET", "/", "Host: [::1]:80\r\n"), 200},
        {"T2", request("GET", "/", "Host: [::1\r\n"), 400},
        {"T2", request("GET", "/", "Host: [::g]\r\n"), 400},
        {"T2", request("GET", "/", "Host: [::1]x\r\n"), 400},
        {"T2", request("GET", "http://h/", "Host: bad host\r\n"), 400},
    };
    expect_statuses(cases);
}

TEST(Host, AnAbsoluteTargetReplacesADifferingHost) {
    const auto head = accepted(request("GET", "http://Right:8080/a", "A: 1\r\nHost: wrong\r\n"));
    EXPECT_EQ(head.fields.all("Host"), std::vector<std::string_view>{"Right:8080"});
    EXPECT_EQ(head.fields.size(), 2U);
    EXPECT_EQ(accepted("GET http://h HTTP/1.0\r\n\r\n").fields.get("Host"), "h");
    EXPECT_EQ(accepted(request("GET", "/a", "Host: stays\r\n")).fields.get("Host"), "stays");
}

TEST(Target, EachFormGoesWithItsMethods) {
    const Case cases[] = {
        {"T1", request("GET", "http://h/a"), 200},
        {"T1", request("GET", "HTTP://h"), 200},
        {"T1", request("GET", "http://h?q"), 200},
        {"T1", request("GET", "http://[2001:db8::1]:80/"), 200},
        {"T13", request("GET", "https://h/a"), 200},
        {"T1", request("GET", "ftp://h/a"), 400},
        {"T1", request("GET", "http:/h/a"), 400},
        {"T1", request("GET", "http:///a"), 400},
        {"T1", request("GET", "http://:80/a"), 400},
        {"T1", request("GET", "http://h:/a"), 400},
        {"T1", request("GET", "http://h:99999/a"), 400},
        {"T1", request("GET", "http://h\\@evil/a"), 400},
        {"T3", request("GET", "/a"), 200},
        {"T3", request("GET", "a"), 400},
        {"T3", request("GET", "?a"), 400},
        {"T4", request("CONNECT", "h:443"), 200},
        {"T4", request("CONNECT", "[::1]:443"), 200},
        {"T4", request("CONNECT", "h"), 400},
        {"T4", request("CONNECT", "h:"), 400},
        {"T4", request("CONNECT", ":443"), 400},
        {"T4", request("CONNECT", "h:0"), 400},
        {"T4", request("CONNECT", "h:65536"), 400},
        {"T4", request("CONNECT", "h:000443"), 400},
        {"T4", request("CONNECT", "u@h:443"), 400},
        {"T4", request("CONNECT", "h:443/"), 400},
        {"T4", request("CONNECT", "/"), 400},
        {"T4", request("CONNECT", "http://h:443"), 400},
        {"T4", request("GET", "h:443"), 400},
        {"T5", request("OPTIONS", "*"), 200},
        {"T5", request("GET", "*"), 400},
        {"T5", request("OPTIONS", "*x"), 400},
        {"T7", request("GET", "http://u:p@h/a"), 400},
        {"T7", request("GET", "http://@h/a"), 400},
        {"T7", request("GET", "http://h/a@b"), 200},
        {"T8", request("GET", "/a#b"), 400},
        {"T8", request("GET", "http://h/a#b"), 400},
        {"T8", request("GET", "/a%23b"), 200},
    };
    expect_statuses(cases);
    EXPECT_EQ(accepted(request("GET", "http://h/a")).form, TargetForm::absolute);
    EXPECT_EQ(accepted(request("GET", "/a")).form, TargetForm::origin);
    EXPECT_EQ(accepted(request("CONNECT", "h:443")).form, TargetForm::authority);
    EXPECT_EQ(accepted(request("OPTIONS", "*")).form, TargetForm::asterisk);
}

TEST(Expect, KnowsOneExpectationSentOnce) {
    const Case cases[] = {
        {"C5", with_fields("Expect: 100-continue\r\n"), 200},
        {"C5", with_fields("Expect: 100-Continue\r\nContent-Length: 1\r\n"), 200},
        {"C5", with_fields("Expect: 100-continue\r\nExpect: 100-continue\r\n"), 417},
        {"C5", with_fields("Expect: 100-continue, x\r\n"), 417},
        {"C5", with_fields("Expect: tea\r\n"), 417},
        {"C5", with_fields("Expect:\r\n"), 417},
        {"C5", with_fields("Expect: tea\r\n", "HTTP/1.0"), 200},
    };
    expect_statuses(cases);
    EXPECT_TRUE(
        accepted(with_fields("Expect: 100-continue\r\nContent-Length: 1\r\n")).expects_continue);
    EXPECT_TRUE(accepted(with_fields("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"))
                    .expects_continue);
    EXPECT_FALSE(accepted(with_fields("Expect: 100-continue\r\n")).expects_continue);
    EXPECT_FALSE(accepted(with_fields("Expect: 100-continue\r\nContent-Length: 1\r\n", "HTTP/1.0"))
                     .expects_continue);
}

TEST(Connect, HasNoBody) {
    const Case cases[] = {
        {"C7", request("CONNECT", "h:443", "Host: h\r\nContent-Length: 1\r\n"), 400},
        {"C7", request("CONNECT", "h:443", "Host: h\r\nTransfer-Encoding: chunked\r\n"), 400},
        {"C7", request("CONNECT", "h:443", "Host: h\r\nContent-Length: 0\r\n"), 200},
    };
    expect_statuses(cases);
    EXPECT_EQ(accepted(cases[2].text).framing, Framing::none);
}

TEST(KeepAlive, FollowsTheVersionAndWhatTheClientSays) {
    EXPECT_TRUE(accepted(with_fields("")).keep_alive);
    EXPECT_TRUE(accepted(with_fields("Connection: keep-alive\r\n")).keep_alive);
    EXPECT_FALSE(accepted(with_fields("Connection: x, Close\r\n")).keep_alive);
    EXPECT_FALSE(accepted(with_fields("Connection: x\r\nConnection: close\r\n")).keep_alive);
    EXPECT_FALSE(accepted(with_fields("Proxy-Connection: close\r\n")).keep_alive);
    EXPECT_FALSE(accepted(with_fields("Connection: keep-alive\r\n", "HTTP/1.0")).keep_alive);
}

}  // namespace
}  // namespace hawker::http
