#include "filters/pattern_set.h"

#include <array>
#include <random>

#include <gtest/gtest.h>

namespace hawker::filters {
namespace {

std::string captured(const PatternSet& set, std::string_view text,
                     const std::vector<std::string>& names) {
    std::vector<int> groups;
    for (const std::string& name : names) groups.push_back(set.group(0, name));
    std::pmr::string out;
    set.captures(out, 0, text, groups);
    return std::string(out);
}

TEST(PatternSet, FindsTheFirstOfSeveral) {
    const auto set = PatternSet::compile({"c$", "b", "^a"}, 8 << 20);
    ASSERT_TRUE(set);
    EXPECT_EQ(set->first_match("abc"), 0U);
    EXPECT_EQ(set->first_match("ab"), 1U);
    EXPECT_EQ(set->first_match("a"), 2U);
    EXPECT_EQ(set->first_match("x"), std::nullopt);
}

// A pattern inside of one more group has no hurdles, so that RE2 alone is asked.
TEST(PatternSet, HurdlesMakeNoDifference) {
    std::mt19937 random(7);  // NOLINT: the same every time
    const std::array<std::string, 30> pieces = {
        "a",    "b",      "/",       "\\.",         "a*",  "b?",    "a+",   "(a|b)",
        "[ab]", "[^/]+",  "ab",      "/a",          "b/",  "a{2}",  "b{0}", "(/a)?",
        ".*",   "\\b",    "^",       "$",           "a|b", "\\x61", "\\/",  "\\d",
        "(?i)", "(?i:B)", "\\Qa\\E", "[[:alpha:]]", "b+?", "a{1,2}"};
    const std::array<std::string, 6> starts = {"",          "^",         "^https?://",
                                               "^http://a", "^https://", "^https?:\\/\\/"};
    const std::array<std::string, 4> schemes = {"http://", "https://", "", "a://"};
    const auto pick = [&random](const auto& from) { return from[random() % from.size()]; };
    std::size_t matched = 0;
    for (int round = 0; round < 1500; ++round) {
        std::vector<std::string> patterns;
        std::vector<std::string> in_groups;
        for (auto count = 1 + random() % 9; patterns.size() < count;) {
            std::string pattern = pick(starts);
            for (auto length = random() % 5; length > 0; --length) pattern += pick(pieces);
            if (!PatternSet::compile({pattern}, 1 << 20)) continue;
            patterns.push_back(pattern);
            in_groups.push_back("(?:" + pattern + ")");
        }
        const auto set = PatternSet::compile(patterns, 8 << 20);
        const auto without = PatternSet::compile(in_groups, 8 << 20);
        for (int texts = 0; texts < 10; ++texts) {
            std::string text = pick(schemes);
            for (auto length = random() % 10; length > 0; --length) text += "aab/.B"[random() % 6];
            const auto expected = without->first_match(text);
            ASSERT_EQ(set->first_match(text), expected) << text << testing::PrintToString(patterns);
            matched += expected ? 1U : 0U;
        }
    }
    EXPECT_GT(matched, 5000U);
}

TEST(PatternSet, NoPatternsMatchNothing) {
    EXPECT_EQ(PatternSet::compile({}, 8 << 20)->first_match("x"), std::nullopt);
}

// Each pattern fits its own budget, all of them together do not: the common pass gives up and the
// patterns are tried in turn.
TEST(PatternSet, WithoutMemoryForTheCommonPassTheAnswerIsTheSame) {
    std::vector<std::string> patterns;
    for (int i = 0; i < 60; ++i) patterns.push_back("^[a-z]{40}" + std::to_string(i) + "$");
    for (const std::int64_t memory : {std::int64_t{12} << 10, std::int64_t{64} << 20}) {
        const auto set = PatternSet::compile(patterns, memory);
        ASSERT_TRUE(set) << set.error().what;
        EXPECT_EQ(set->first_match(std::string(40, 'q') + "57"), 57U);
        EXPECT_EQ(set->first_match(std::string(40, 'q') + "x"), std::nullopt);
    }
}

TEST(PatternSet, ABadPatternIsNamed) {
    const auto set = PatternSet::compile({"a", "(b"}, 8 << 20);
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().index, 1U);
    EXPECT_FALSE(set.error().what.empty());
}

TEST(PatternSet, GroupsThatDidNotTakePartCaptureNothing) {
    const auto set = PatternSet::compile({"(?P<a>x)?(?P<b>y)"}, 8 << 20);
    EXPECT_EQ(captured(*set, "zy", {"a", "b"}), "y");
    EXPECT_EQ(set->group(0, "c"), 0);
}

TEST(PatternSet, GroupsAreFoundWhereverElseTheirTextStands) {
    const std::string digest(64, 'e');
    const std::string other(64, 'f');
    const auto set = PatternSet::compile(
        {R"(^https?://([^/?]+/)+(?P<sha256>[0-9a-f]{64})(/data)?(\?|$))"}, 8 << 20);
    for (const std::string& url :
         {"http://a/" + digest, "http://a/" + other + "/" + digest + "?X-Amz-Signature=" + other,
          "http://a/b/" + digest + "/data?" + other, "http://a/" + digest + "?/" + other,
          "http://a/" + other + digest + "/" + digest})
        EXPECT_EQ(captured(*set, url, {"sha256"}), digest) << url;
    // The first of both that could be.
    EXPECT_EQ(captured(*set, "http://a/" + digest + "?" + digest + "?", {"sha256"}), digest);
    const auto parts = PatternSet::compile({"^x(.*)(?P<a>[ab]{2})/(?P<b>[ab]{2})(y|$)"}, 8 << 20);
    EXPECT_EQ(captured(*parts, "xaa/ab/ba/bb", {"a", "b"}), "babb");
    EXPECT_EQ(captured(*parts, "xaa/aby/ba", {"a", "b"}), "aaab");
}

// A pattern inside of one more group is not cut, so RE2 alone says what its groups capture.
TEST(PatternSet, WhereAPatternIsCutMakesNoDifference) {
    std::mt19937 random(5);  // NOLINT: the same every time
    const std::array<std::string, 26> pieces = {
        "a",   "b",   "/",      "a*",     "[ab]",         "[^/]+", "(a|b)", "(a|ab)", "(/a)?",
        "(.)", ".*?", "(a|b)*", "(a|$)",  "\\b",          "(b/)+", "b{2}",  "[ab]*",  "(?:a)",
        "^",   "$",   "(/|$)",  "(?i:A)", "[[:alpha:](]", "\\/",   "(b|)",  "(a)(b)"};
    const std::array<std::string, 7> named = {"(?P<x>[ab]{2})",  "(?P<x>a+)",    "(?P<x>.*)",
                                              "(?P<x>b)?",       "((?P<x>a)|b)", "(?P<x>a|ab)",
                                              "((?P<x>[ab])/?)*"};
    std::size_t captures = 0;
    for (int round = 0; round < 5000; ++round) {
        std::string pattern = random() % 2 == 0 ? "^" : "";
        for (auto count = random() % 4; count > 0; --count)
            pattern += pieces[random() % pieces.size()];
        pattern += named[random() % named.size()];
        for (auto count = random() % 3; count > 0; --count)
            pattern += pieces[random() % pieces.size()];
        const auto cut = PatternSet::compile({pattern}, 8 << 20);
        const auto uncut = PatternSet::compile({"(?:" + pattern + ")"}, 8 << 20);
        if (!cut || !uncut) continue;  // "a**" is none
        for (int texts = 0; texts < 8; ++texts) {
            std::string text;
            for (auto length = random() % 12; length > 0; --length) text += "ab/"[random() % 3];
            if (!cut->first_match(text)) continue;
            const std::string expected = captured(*uncut, text, {"x"});
            ASSERT_EQ(captured(*cut, text, {"x"}), expected) << pattern << " in " << text;
            captures += expected.empty() ? 0U : 1U;
        }
    }
    EXPECT_GT(captures, 2000U);
}

TEST(PatternSet, AHostIsReadFromThePatternsText) {
    EXPECT_TRUE(HostExpressions("^https?:\\/\\/a\\.example\\.org\\/x").match("a.example.org"));
    EXPECT_TRUE(HostExpressions("(?i)^https?://[a-c/]+\\.org/").match("b.org"));
    EXPECT_TRUE(
        HostExpressions("^https?://(?:127\\.0\\.0\\.1|localhost):\\d+/shared/").match("localhost"));
    EXPECT_TRUE(HostExpressions("^https?://cdn\\.example\\.org").match("cdn.example.org"));
    for (const char* pattern :
         {"", "(", "[", "\\", "://", "://[", "^https?://.*/x", "x|y", "[]/]", "(?:a"})
        EXPECT_FALSE(HostExpressions(pattern).match("example.org")) << pattern;
}

TEST(PatternSet, APatternThatTakesAnyHostNamesNone) {
    for (const char* pattern :
         {R"(^https?://[\w.]+/v2/)", "^https?://[a-z0-9.]+/x", R"(^https?://[^/]+\.[a-z]{2,3}/x)",
          R"(^https?://\w+(\.\w+)*(:\d+)?/x)"})
        EXPECT_FALSE(HostExpressions(pattern).match("login.bank.example")) << pattern;
}

TEST(PatternSet, APatternMayNameThePortsOfItsHost) {
    for (const char* ports :
         {":8443", ":(8443|9443)", R"(:\d{4})", R"(:\d+)", ":[0-9]{5}", "(:9000)?"})
        EXPECT_TRUE(HostExpressions(std::string(R"(^https?://git\.example)") + ports + "/x")
                        .match("git.example"))
            << ports;
}

}  // namespace
}  // namespace hawker::filters
