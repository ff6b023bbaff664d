#include "filters/pattern_text.h"

#include <gtest/gtest.h>

namespace hawker::filters {
namespace {

std::string_view behind_the_cut(std::string_view pattern) {
    const auto cut = cut_before_names(pattern);
    return cut ? pattern.substr(*cut) : "";
}

TEST(PatternText, IsCutBeforeTheOutermostGroupWithAName) {
    EXPECT_EQ(behind_the_cut("^a(b)(?P<x>c)d"), "(?P<x>c)d");
    EXPECT_EQ(behind_the_cut("^a(b|((?P<x>c)|d)+)?e(?P<y>f)"), "(b|((?P<x>c)|d)+)?e(?P<y>f)");
    EXPECT_EQ(behind_the_cut("^[(](?P<x>c)"), "(?P<x>c)");
    EXPECT_EQ(behind_the_cut("^[[:alpha:](]\\((?P<x>c)"), "(?P<x>c)");
}

TEST(PatternText, IsNotCutWhereTheEndWouldMeanSomethingElse) {
    for (const char* pattern :
         {"^ab(c)", "(?P<x>c)d", "a|b(?P<x>c)", "(?i)a(?P<x>c)", "\\Qa(\\E(?P<x>c)", "b(?P<x>c)|a"})
        EXPECT_FALSE(cut_before_names(pattern)) << pattern;
}

TEST(PatternText, AlternativesOfGroupsAndClassesAreNotThePatterns) {
    EXPECT_EQ(alternatives_of("a(b|c)[|]\\||d[[:alpha:]|]"),
              (std::vector<std::string_view>{"a(b|c)[|]\\|", "d[[:alpha:]|]"}));
    EXPECT_EQ(alternatives_of(""), std::vector<std::string_view>{""});
}

std::string hurdles(std::string_view pattern) {
    const Hurdles found = hurdles_of(pattern);
    return found.beginning + " | " + found.part;
}

TEST(PatternText, TellsWhatEveryMatchHas) {
    EXPECT_EQ(hurdles("^https?://github-cloud\\.(a|b)(:\\d+)?/alambic/\\d+/x"),
              "github-cloud. | alambic/");
    EXPECT_EQ(hurdles("^https?:\\/\\/cdn-lfs[a-z0-9-]*\\.(hf\\.co)/"), "cdn-lfs | ");
    EXPECT_EQ(hurdles("^https?://([a-z0-9-]+\\.)*modelscope\\.(cn|ai)/lfs"), " | modelscope.");
    EXPECT_EQ(hurdles("^https?://[^/?]+/v2/[^?]+/blobs/sha256(:|%3A)[0-9a-f]{64}"),
              " | blobs/sha256");
    EXPECT_EQ(hurdles("a{2}bcd{0}e?fgh+ij*k"), " | fgh");
    EXPECT_EQ(hurdles("(ab)?cd(efg)"), " | cd");
    EXPECT_EQ(hurdles("ab{3,}c\\-d"), " | c-d");
    EXPECT_EQ(hurdles("ab\\bcde$"), " | cde");
}

TEST(PatternText, SaysNothingOfWhatItDoesNotUnderstand) {
    for (const char* pattern : {"abc|def", "(?i)abc", "(?i:a)bc", "\\Qa*\\E", "abc\\x41", "ab\\pNa",
                                "\\101bc", "a{(b}c)?d", "", "^https?://[^/]+"})
        EXPECT_TRUE(hurdles_of(pattern).empty()) << pattern;
}

TEST(PatternText, ABeginningIsBehindTheScheme) {
    const Hurdles found = hurdles_of("^https://a\\.b/[^?]+\\.whl");
    EXPECT_TRUE(found.pass("https://a.b/c.whl", "a.b/c.whl"));
    EXPECT_FALSE(found.pass("https://a.b/c", "a.b/c"));
    EXPECT_FALSE(found.pass("https://c/?https://a.b/c.whl", "c/?https://a.b/c.whl"));
}

}  // namespace
}  // namespace hawker::filters
