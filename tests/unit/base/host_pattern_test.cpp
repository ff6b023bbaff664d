#include "base/host_pattern.h"

#include <gtest/gtest.h>

namespace hawker {
namespace {

bool matches(std::string_view pattern, std::string_view host) {
    const auto parsed = HostPattern::parse(pattern);
    EXPECT_TRUE(parsed) << pattern;
    return parsed && parsed->matches(host);
}

TEST(HostPattern, ANameIsThatHostHoweverItIsSpelt) {
    EXPECT_TRUE(matches("Git.example", "git.EXAMPLE."));
    EXPECT_FALSE(matches("git.example", "x.git.example"));
    EXPECT_FALSE(matches("git.example", "git.example.evil"));
}

TEST(HostPattern, AStarIsEverythingBelowAndNotTheDomainItself) {
    EXPECT_TRUE(matches("*.example", "git.example"));
    EXPECT_TRUE(matches("*.example", "a.b.example"));
    EXPECT_FALSE(matches("*.example", "example"));
    EXPECT_FALSE(matches("*.example", "notexample"));
    EXPECT_FALSE(matches("*.example", ".example"));
    EXPECT_TRUE(matches("*", "anything"));
}

TEST(HostPattern, AddressesCompareWithoutBrackets) {
    EXPECT_TRUE(matches("2001:DB8::1", "[2001:db8::1]"));
    EXPECT_TRUE(matches("192.0.2.7", "192.0.2.7"));
    EXPECT_TRUE(matches("2001:db8::1", "[2001:DB8:0:0:0:0:0:1]"));
    EXPECT_TRUE(matches("2001:db8:0::1", "2001:db8::1"));
    EXPECT_TRUE(matches("192.0.2.7", "[::ffff:192.0.2.7]"));
}

TEST(HostPattern, WhatIsNoHostIsRefusedInWords) {
    for (const char* text : {"", "*.", ".", "a..b", "https://a", "a:443", "a/b", "a*.b", "*a",
                             "*.*.b", "*.2001:db8::1", "a b", "ex\xC3\xA4mple"})
        EXPECT_FALSE(HostPattern::parse(text)) << text;
    EXPECT_NE(HostPattern::parse("a:443").error().what.find("without scheme, port"),
              std::string::npos);
}

}  // namespace
}  // namespace hawker
