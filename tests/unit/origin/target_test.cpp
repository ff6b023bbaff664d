#include "daemon/origin/target.h"

#include <gtest/gtest.h>

namespace hawker::origin {
namespace {

std::string led_to(std::string_view base, std::string_view reference) {
    const auto from = split_url(base);
    const auto to = resolve_reference(*from, reference);
    return to ? to->url() : "refused";
}

TEST(Target, AUrlIsCutWithoutChangingAByte) {
    const auto target = split_url("HTTPS://Example.ORG:8443/a/../%7E?x=%2f&y#part");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->root(), "https://Example.ORG:8443/");
    EXPECT_EQ(target->in_origin, "/a/../%7E?x=%2f&y");
    EXPECT_EQ(target->origin(), "https://example.org:8443");
}

TEST(Target, TheUsualPortIsTheSameOrigin) {
    EXPECT_EQ(split_url("http://A:80/x")->origin(), split_url("http://a")->origin());
    EXPECT_EQ(split_url("https://a:443/x")->origin(), split_url("https://a:/")->origin());
    EXPECT_NE(split_url("https://a:80/")->origin(), split_url("https://a/")->origin());
    EXPECT_NE(split_url("http://a/")->origin(), split_url("https://a/")->origin());
}

TEST(Target, WhatCannotBeDialledIsRefused) {
    for (const auto* url :
         {"/path", "ftp://a/", "http://", "http:///x", "http://u:p@a/", "http://:80/",
          "http://a/b c", "http://a/\r\nX: y", "http://a\\b/", "",
          // What libcurl would decode or convert into another host.
          "http://%6cocalhost/", "http://\xEF\xBD\x8Cocalhost/", "http://[::1%25lo]/",
          "http://a:99999/", "http://a:0/", "http://a:8x/", "http://[::1/", "http://a;b/"})
        EXPECT_EQ(split_url(url).error().code, Errc::invalid) << url;
}

TEST(Target, HostAndPortAreAsWritten) {
    EXPECT_EQ(split_url("http://A.example:8080/")->host(), "A.example");
    EXPECT_EQ(split_url("http://A.example:8080/")->port(), 8080);
    EXPECT_EQ(split_url("https://[::1]/")->host(), "[::1]");
    EXPECT_EQ(split_url("https://[::1]/")->port(), 443);
    EXPECT_EQ(split_url("http://[::1]:81/")->port(), 81);
    EXPECT_EQ(split_url("http://a:/")->port(), 80);
}

TEST(Target, AReferenceIsResolvedAsRfc3986Says) {
    EXPECT_EQ(led_to("http://a/b/c?q", "https://x/y"), "https://x/y");
    EXPECT_EQ(led_to("http://a/b/c?q", "//x/y?z#f"), "http://x/y?z");
    EXPECT_EQ(led_to("http://a/b/c?q", "/y/../z"), "http://a/y/../z");
    EXPECT_EQ(led_to("http://a/b/c?q", "d"), "http://a/b/d");
    EXPECT_EQ(led_to("http://a/b/c?q", "../d/./e?f=/../g"), "http://a/d/e?f=/../g");
    EXPECT_EQ(led_to("http://a/b/c?q", "../../.."), "http://a/");
    EXPECT_EQ(led_to("http://a/b/c?q", "?z"), "http://a/b/c?z");
    EXPECT_EQ(led_to("http://a/b/c?q", ""), "http://a/b/c?q");
    EXPECT_EQ(led_to("http://a?q", "d"), "http://a/d");
    EXPECT_EQ(led_to("http://a/b", "ftp://x/"), "refused");
    EXPECT_EQ(led_to("http://a/b", "javascript:1"), "refused");
}

}  // namespace
}  // namespace hawker::origin
