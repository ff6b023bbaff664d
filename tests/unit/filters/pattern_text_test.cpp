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

}  // namespace
}  // namespace hawker::filters
