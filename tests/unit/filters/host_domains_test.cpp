// What a pattern's text says about where its hosts lie: never too little.
#include "filters/host_domains.h"

#include "filters/pattern_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::filters {
namespace {

using testing::ElementsAre;
using testing::Optional;

TEST(HostDomains, ALiteralHostIsItsOwnDomain) {
    EXPECT_THAT(domains_of(R"(git\.example)"), Optional(ElementsAre("git.example")));
    EXPECT_THAT(domains_of(R"(^GIT\.Example$)"), Optional(ElementsAre("git.example")));
    EXPECT_THAT(domains_of("localhost"), Optional(ElementsAre("localhost")));
}

TEST(HostDomains, APortDoesNotCount) {
    for (const char* port : {R"((:\d+)?)", R"((?::\d+)?)", R"(:\d+)", ":8443", "(:443|:8443)?"})
        EXPECT_THAT(domains_of(std::string(R"(git\.example)") + port),
                    Optional(ElementsAre("git.example")))
            << port;
}

TEST(HostDomains, WhatStandsBeforeTheLiteralEndIsCutAtADot) {
    EXPECT_THAT(domains_of(R"(cdn[a-z0-9-]*\.(a\.example|b\.org)(:\d+)?)"),
                Optional(ElementsAre("a.example", "b.org")));
    EXPECT_THAT(domains_of(R"(([a-z0-9-]+\.)*git\.example)"), Optional(ElementsAre("git.example")));
    EXPECT_THAT(domains_of(R"(.*\.git\.example)"), Optional(ElementsAre("git.example")));
    EXPECT_THAT(domains_of(R"(x[a-z]*y\.git\.example)"), Optional(ElementsAre("git.example")));
    EXPECT_THAT(domains_of(R"((?P<region>eu|us)?-?cdn\.example)"),
                Optional(ElementsAre("-cdn.example", "cdn.example", "eu-cdn.example",
                                     "eucdn.example", "us-cdn.example", "uscdn.example")));
}

TEST(HostDomains, WhatIsNotLiteralAtItsEndIsNot) {
    for (const char* expression :
         {"[^/]+", ".*", "git.example", R"([a-z]+)", R"(git\.example|[a-z]+)",
          R"(git\.exampl[a-z])", R"(git\.example.*)", R"((a|b*)*)", R"(git\.(example)*)",
          R"([a-z]*git)"})
        EXPECT_EQ(domains_of(expression), std::nullopt) << expression;
}

TEST(HostDomains, AnAddressIsNoDomain) {
    for (const char* expression : {R"(127\.0\.0\.1)", R"(\[::1\](:\d+)?)", R"(10\.\d+\.\d+\.\d+)",
                                   R"((?:127\.0\.0\.1|localhost):\d+)"})
        EXPECT_EQ(domains_of(expression), std::nullopt) << expression;
}

TEST(HostDomains, WhatIsNotUnderstoodIsNotGuessed) {
    for (const char* expression :
         {"", "(", "a)", "[a", "\\", R"(\Qa.b\E)", R"(a{2}\.example)", R"((?i:a)\.example)",
          R"(\pN\.example)", "a?*", "a**", "(?P<a", "[[:alpha:", R"(\x61\.example)", "(?", "[:"})
        EXPECT_EQ(domains_of(expression), std::nullopt) << expression;
    EXPECT_EQ(domains_of(std::string(10000, '(')), std::nullopt);
    std::string many;
    for (int i = 0; i < 20; ++i) many += "(a|b)";
    EXPECT_EQ(domains_of(many), std::nullopt);
}

// Every host that the pattern speaks of lies under one of the domains: tried with made-up hosts.
TEST(HostDomains, NoHostOfAPatternIsForgotten) {
    const std::vector<std::string> labels = {"a",   "b",       "cdn", "cdn-1",
                                             "git", "example", "org", "eu"};
    for (const std::string expression :
         {R"(cdn[a-z0-9-]*\.(git\.example|org))", R"(([a-z]+\.)*example\.org)", R"((a|b)+\.org)",
          R"((eu\.)?(cdn|git)(-\d)?\.example)", R"(\w+\.(a|b)\.org)",
          R"([^a]\.git\.org|eu\.org)"}) {
        const auto domains = domains_of(expression);
        ASSERT_TRUE(domains) << expression;
        int spoken_for = 0;
        const auto look = [&](const std::string& host) {
            if (!HostExpressions("^https?://" + expression + "/").match(host)) return;
            ++spoken_for;
            EXPECT_TRUE(std::ranges::any_of(*domains,
                                            [&host](const std::string& domain) {
                                                return ("." + host).ends_with("." + domain);
                                            }))
                << expression << ": " << host;
        };
        for (const std::string& one : labels)
            for (const std::string& two : labels) {
                look(one + "." + two);
                for (const std::string& three : labels) look(one + "." + two + "." + three);
            }
        EXPECT_GT(spoken_for, 0) << expression;
    }
}

}  // namespace
}  // namespace hawker::filters
