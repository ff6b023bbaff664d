#include "filters/pattern_set.h"

#include <gtest/gtest.h>

namespace hawker::filters {
namespace {

TEST(PatternSet, FindsTheFirstOfSeveral) {
    const auto set = PatternSet::compile({"c$", "b", "^a"}, 8 << 20);
    ASSERT_TRUE(set);
    EXPECT_EQ(set->first_match("abc"), 0U);
    EXPECT_EQ(set->first_match("ab"), 1U);
    EXPECT_EQ(set->first_match("a"), 2U);
    EXPECT_EQ(set->first_match("x"), std::nullopt);
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
    EXPECT_EQ(set->captures(0, "zy", {set->group(0, "a"), set->group(0, "b")}), "y");
    EXPECT_EQ(set->group(0, "c"), 0);
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

}  // namespace
}  // namespace hawker::filters
