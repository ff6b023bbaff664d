#include "cli/dragonfly_pattern.h"

#include "filters/rule_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::cli {
namespace {

using testing::HasSubstr;

// Whether a rule with this pattern is the one for `url`.
bool finds(const Expected<std::string>& pattern, std::string_view url) {
    if (!pattern) throw std::runtime_error(pattern.error().what);
    filters::RuleSpec spec;
    spec.match = *pattern;
    const auto rules = filters::RuleSet::compile({spec});
    if (!rules) throw std::runtime_error(rules.error().what);
    filters::Question question;
    question.method = "GET";
    question.url = url;
    return (*rules)->decide(question).rule != nullptr;
}
bool rust(std::string_view pattern, std::string_view url) {
    return finds(pattern_of_rust(pattern), url);
}
std::string refusal(std::string_view pattern) {
    const auto translated = pattern_of_rust(pattern);
    return translated ? "" : translated.error().what;
}

TEST(RustPattern, IsLookedForAnywhereInTheUrl) {
    EXPECT_TRUE(rust("blobs/sha256.*", "http://a/v2/x/blobs/sha256:12"));
    EXPECT_TRUE(rust("repos.*", "http://a/repos/x?Expires=1"));
    EXPECT_FALSE(rust("repos.*", "http://a/other"));
    EXPECT_TRUE(rust("x|y", "http://a/zy"));
}

TEST(RustPattern, NothingInTheQueryMakesItMatch) {
    EXPECT_FALSE(rust("repos", "http://a/b?path=repos"));
    EXPECT_FALSE(rust("a/.*repos", "http://a/b?path=repos"));
    EXPECT_FALSE(rust("a/[^z]*repos", "http://a/b?path=repos"));
    EXPECT_FALSE(rust(R"(a/[\w\W]*repos)", "http://a/b?path=repos"));
    EXPECT_FALSE(rust(R"(a/\D+repos)", "http://a/b?path=repos"));
    EXPECT_FALSE(rust("a/[!-~]*repos", "http://a/b?path=repos"));
    EXPECT_FALSE(rust("a/[[:print:]]*repos", "http://a/b?path=repos"));
    EXPECT_FALSE(rust(R"(b\?path)", "http://a/b?path=repos"));
    EXPECT_FALSE(rust(R"(b\x3fpath)", "http://a/b?path=repos"));
    EXPECT_FALSE(rust("b[?]path", "http://a/b?path=repos"));
    EXPECT_FALSE(rust("repos|tail", "http://a/b?path=tail"));
    EXPECT_FALSE(rust("^https://x|tail", "http://a/b?path=tail"));
}

TEST(RustPattern, EndsWhereTheQueryBegins) {
    EXPECT_TRUE(rust(R"(\.safetensors$)", "http://a/m.safetensors?Expires=1"));
    EXPECT_TRUE(rust(R"(\.safetensors$)", "http://a/m.safetensors"));
    EXPECT_TRUE(rust(R"(\.safetensors\z)", "http://a/m.safetensors?x=.bin"));
    EXPECT_FALSE(rust(R"(\.safetensors$)", "http://a/m.safetensors.json?x=.safetensors"));
    EXPECT_TRUE(rust(R"(/m(\?.*)?$)", "http://a/m?anything"));
    EXPECT_FALSE(rust("m$x", "http://a/m?x"));
    EXPECT_TRUE(rust("^http://a/$", "http://a/?q"));
}

TEST(RustPattern, KeepsWhatItsLanguageAndRe2Share) {
    EXPECT_TRUE(rust("^https?://(?:cdn|lfs)[a-z0-9-]*\\.hf\\.co/(?i:REPOS)/",
                     "https://cdn-1.hf.co/repos/x"));
    EXPECT_TRUE(rust("(?<host>cdn)(?P<rest>.*)", "http://cdn/x"));
    EXPECT_TRUE(rust("a{,2}/x", "http://aa/x"));
    EXPECT_TRUE(rust("[]a]/x", "http://a/x"));
    EXPECT_TRUE(rust(R"([\d\-.]+/x)", "http://1.2-3/x"));
    EXPECT_TRUE(rust(R"(\x61/\u{78})", "http://a/x"));
}

TEST(RustPattern, IsRefusedWhereRe2WouldUnderstandSomethingElse) {
    EXPECT_THAT(refusal("[a-z&&[^b]]"), HasSubstr("intersect"));
    EXPECT_THAT(refusal("[a-z--b]"), HasSubstr("intersect"));
    EXPECT_THAT(refusal("[x[yz]]"), HasSubstr("inside a class"));
    EXPECT_THAT(refusal(R"(\<word\>)"), HasSubstr("RE2 has no"));
    EXPECT_THAT(refusal(R"(\b{start}x)"), HasSubstr("RE2 has no"));
    EXPECT_THAT(refusal("(?x) a b"), HasSubstr("flags"));
    EXPECT_THAT(refusal(R"(\p{Greek})"), HasSubstr("RE2 has no"));
    EXPECT_THAT(refusal("b\xC3\xBC"), HasSubstr("percent-encoded"));
    EXPECT_THAT(refusal("[a"), HasSubstr("missing"));
    EXPECT_THAT(refusal("a\\"), HasSubstr("backslash"));
}

TEST(RustPattern, AnchoredAtAHostStillNamesIt) {
    EXPECT_EQ(*pattern_of_rust("^https://cdn/x"), "^https://cdn/x");
    EXPECT_EQ(*pattern_of_rust("repos.*"), "^[^?]*(?:repos[^?]*)");
}

TEST(GoPattern, SeesTheQueryAsItDid) {
    EXPECT_TRUE(finds(pattern_of_go(R"(x\?ns=.*docker)"), "http://a/x?ns=docker.io"));
    EXPECT_TRUE(finds(pattern_of_go("(?<name>repos)"), "http://a/repos"));
    EXPECT_EQ(*pattern_of_go(R"([(?<]\(?<x)"), R"([(?<]\(?<x)");
}

}  // namespace
}  // namespace hawker::cli
