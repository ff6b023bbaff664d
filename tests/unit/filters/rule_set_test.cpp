#include "filters/rule_set.h"

#include "tests/unit/filters/fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::filters {
namespace {

using testing::HasSubstr;

TEST(RuleSet, TheFirstMatchInFileOrderWins) {
    auto first = rule("example\\.org/a");
    first.name = "first";
    auto second = rule("example\\.org/");
    second.name = "second";
    const auto set = rules({first, second});
    EXPECT_EQ(get(*set, "http://example.org/a").rule->name, "first");
    EXPECT_EQ(get(*set, "http://example.org/b").rule->name, "second");
    EXPECT_EQ(get(*rules({second, first}), "http://example.org/a").rule->name, "second");
}

TEST(RuleSet, WhatNoRuleMatchesPasses) {
    const auto decision = get(*rules({rule("^http://example\\.org/")}), "http://example.com/");
    EXPECT_EQ(decision.road, Road::pass);
    EXPECT_EQ(decision.rule, nullptr);
    EXPECT_EQ(decision.reason, "no rule matches");
    EXPECT_EQ(get(*rules({}), "http://example.com/").road, Road::pass);
}

TEST(RuleSet, AHostInCapitalsOrWithADotDoesNotSlipPastItsRule) {
    auto no = rule("^https?://private\\.example\\.org/");
    no.policy = Policy::bypass;
    const auto set = rules({no, rule("^https?://")});
    for (const char* url : {"http://private.example.org/x", "HTTP://PRIVATE.example.org/x",
                            "http://private.example.org./x", "http://private.example.org:80/x"})
        EXPECT_EQ(get(*set, url).road, Road::pass) << url;
}

TEST(RuleSet, ARequestMayAskToBeCachedWithoutARule) {
    const auto set = rules({});
    Question question;
    question.method = "GET";
    question.url = "http://example.org/a?X-Amz-Signature=1&X-Amz-Algorithm=2&b=3";
    question.without_rule = true;
    const auto decision = set->decide(question);
    EXPECT_EQ(decision.road, Road::cache);
    EXPECT_EQ(decision.rule->access, Access::verify);
    EXPECT_EQ(decision.canonical_url, "http://example.org/a?b=3");
    question.method = "POST";
    EXPECT_EQ(set->decide(question).road, Road::pass);
    auto no = rule("example");
    no.policy = Policy::bypass;
    question.method = "GET";
    EXPECT_EQ(rules({no})->decide(question).road, Road::pass) << "a rule has the last word";
}

TEST(RuleSet, AListOfTheRequestsOwnStandsForTheRules) {
    auto spec = rule("example");
    spec.strip = {"a"};
    const auto set = rules({spec});
    Question question;
    question.method = "GET";
    question.url = "http://example.org/?a=1&b=2";
    const std::vector<std::string> strip = {"b"};
    const auto usual = set->decide(question);
    question.strip = strip;
    question.variant = "\nwithout b";
    const auto own = set->decide(question);
    EXPECT_EQ(usual.canonical_url, "http://example.org/?b=2");
    EXPECT_EQ(own.canonical_url, "http://example.org/?a=1");
    // Nobody chooses the name under which others find something.
    question.url = "http://example.org/?a=1";
    EXPECT_EQ(set->decide(question).task_id, own.task_id);
    question.strip = {};
    question.variant = {};
    EXPECT_NE(set->decide(question).task_id, own.task_id);
}

TEST(RuleSet, OnlyGetAndHeadAreCached) {
    const auto set = rules({rule("^https?://")});
    EXPECT_EQ(get(*set, "http://example.org/", "GET").road, Road::cache);
    EXPECT_EQ(get(*set, "http://example.org/", "HEAD").road, Road::cache);
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "get", "PROPFIND", ""})
        EXPECT_EQ(get(*set, "http://example.org/", method).road, Road::pass) << method;
}

TEST(RuleSet, TheOriginsSchemeHoldsForEveryMethodAndRoad) {
    auto spec = rule("^https?://example\\.org");
    spec.origin_scheme = Scheme::https;
    const auto set = rules({spec});
    EXPECT_EQ(get(*set, "http://Example.org/a%2fb?q=%7e").origin_url,
              "https://Example.org/a%2fb?q=%7e");
    EXPECT_EQ(get(*set, "http://example.org:80").origin_url, "https://example.org/");
    EXPECT_EQ(get(*set, "http://example.org:8080/x?").origin_url, "https://example.org:8080/x?");
    EXPECT_EQ(get(*set, "http://example.org/info/lfs", "POST").origin_url,
              "https://example.org/info/lfs");
    EXPECT_EQ(get(*set, "http://example.org/a/../b").origin_url, "https://example.org/a/../b");
    EXPECT_EQ(get(*set, "https://example.org:443/x").origin_url, "https://example.org:443/x");
    EXPECT_EQ(get(*set, "http://example.org/x").task_id,
              get(*set, "https://example.org/x").task_id);
}

TEST(RuleSet, WithoutAnOriginSchemeTheTwoSchemesAreTwoTasks) {
    const auto set = rules({rule("^https?://")});
    EXPECT_NE(get(*set, "http://example.org/x").task_id,
              get(*set, "https://example.org/x").task_id);
}

TEST(RuleSet, WhatCannotBeKeyedPasses) {
    const auto set = rules({rule("^https?://")});
    for (const char* url : {"http://example.org/a/../b", "http://example.org/100%",
                            "http://user@example.org/", "http://example.org/#x", "not a url", ""})
        EXPECT_EQ(get(*set, url).road, Road::pass) << url;
    std::string many = "http://example.org/?a";
    for (int i = 0; i < 256; ++i) many += "&a";
    EXPECT_EQ(get(*set, many).road, Road::pass);
}

TEST(RuleSet, TheDigestIsWhatItsGroupCaptures) {
    auto spec = rule("^https?://[^/]+/(?P<oid>[0-9a-fA-F]+)$");
    spec.digest = "oid";
    const auto set = rules({spec});
    EXPECT_EQ(get(*set, "http://a.b/" + kDigest).digest->hex(), kDigest);
    EXPECT_FALSE(get(*set, "http://a.b/abc").digest) << "63 digits too few";
}

TEST(RuleSet, ADigestInPiecesIsJoinedInTheOrderOfItsNames) {
    auto spec = rule("/(?P<c>[0-9a-f]{60})/(?P<a>..)/(?P<b>..)$");
    spec.digest = "a+b+c";
    const auto decision =
        get(*rules({spec}), "http://x.y/" + kDigest.substr(4) + "/" + kDigest.substr(0, 2) + "/" +
                                kDigest.substr(2, 2));
    ASSERT_TRUE(decision.digest);
    EXPECT_EQ(decision.digest->hex(), kDigest);
}

TEST(RuleSet, ACapabilityWithoutItsDigestPasses) {
    auto spec = rule("^http://a\\.b/(?P<oid>[0-9a-f]*)");
    spec.digest = "oid";
    spec.access = Access::capability;
    const auto set = rules({spec});
    EXPECT_EQ(get(*set, "http://a.b/" + kDigest).road, Road::cache);
    EXPECT_EQ(get(*set, "http://a.b/12ab").road, Road::pass);
}

TEST(RuleSet, ErrorsNameTheRuleItsLineAndTheFault) {
    auto spec = rule("http://(unclosed");
    spec.name = "broken";
    spec.line = 12;
    EXPECT_THAT(refusal({rule("ok"), spec}), testing::AllOf(HasSubstr("'broken' (line 12)"),
                                                            HasSubstr("match"), HasSubstr(")")));
    spec.match = "(?P<sha256>.*)";
    spec.digest = "sha";
    EXPECT_THAT(refusal({spec}), HasSubstr("no group 'sha'"));
    spec.digest = "sha256+";
    EXPECT_THAT(refusal({spec}), HasSubstr("no group ''"));
    EXPECT_THAT(refusal({rule("")}), HasSubstr("`match` is missing"));
    auto capability = rule("x");
    capability.access = Access::capability;
    EXPECT_THAT(refusal({capability}), HasSubstr("needs `digest`"));
    RuleSpec learning;
    learning.match = "^http://a/";
    learning.learn_digest = true;
    EXPECT_TRUE(RuleSet::compile({learning}));
    learning.policy = Policy::http;
    EXPECT_THAT(refusal({learning}), HasSubstr("learn_digest: "));
}

TEST(RuleSet, AWordThatStripsNothingIsRefused) {
    EXPECT_THAT(refusal({rule("x", {"aws-sig-v4"})}), HasSubstr("did you mean 'aws-sigv4'?"));
    EXPECT_THAT(refusal({rule("x", {"hugging-face"})}), HasSubstr("did you mean 'huggingface'?"));
    EXPECT_THAT(refusal({rule("x", {"*-Amz"})}), HasSubstr("only stand at the end"));
    EXPECT_THAT(refusal({rule("x", {""})}), HasSubstr("not the name"));
    EXPECT_THAT(refusal({rule("x", {"a=b"})}), HasSubstr("not the name"));
    EXPECT_THAT(refusal({rule("x", {"versionId"})}), HasSubstr("selects the content"));
    EXPECT_EQ(refusal({rule("x", {"auth", "se", "sign", "token", "X-Custom-*"})}), "");
}

TEST(RuleSet, ARuleWithoutANameIsNumbered) {
    auto spec = rule("x");
    spec.name.clear();
    EXPECT_EQ(rules({rule("y"), spec})->rules()[1]->name, "rule 2");
}

TEST(RuleSet, TheTaskIdIsAFunctionOfUrlTagAndApplication) {
    const auto id = task_id_of("http://example.org/", "", "");
    EXPECT_EQ(id.hex(), "7e5ccf3bc230fe05decc1a200225997c2c231bb181454f25b817d6d8dc4912b4");
    EXPECT_NE(task_id_of("http://example.org/", "a", ""),
              task_id_of("http://example.org/", "", "a"));
    EXPECT_NE(task_id_of("http://example.org/a", "b", ""),
              task_id_of("http://example.org/", "ab", ""));
    Question question;
    question.method = "GET";
    question.url = "http://example.org/";
    const auto set = rules({rule("^http")});
    EXPECT_EQ(set->decide(question).task_id, id);
    question.tag = "nightly";
    EXPECT_NE(set->decide(question).task_id, id);
}

TEST(RuleSet, KnowsTheHostsItsPatternsSpeakOf) {
    auto no = rule("^https?://bypassed\\.org/");
    no.policy = Policy::bypass;
    const auto set =
        rules({rule("^https?://([a-z0-9-]+\\.)*hf\\.co(:\\d+)?/repos/"),
               rule("^https?://localhost:8443/"),
               rule("^http://(one|two)\\.example\\.com/x|^http://three\\.example\\.com/"),
               rule("^https?://[^/]+/v2/"), rule("blobs/sha256:"), no});
    for (const char* host : {"hf.co", "cdn-lfs-us-1.hf.co", "CDN.HF.CO", "hf.co.", "localhost",
                             "one.example.com", "two.example.com", "three.example.com"})
        EXPECT_TRUE(set->may_match_host(host)) << host;
    for (const char* host : {"example.org", "nothf.co", "hf.co.example.org", "bypassed.org",
                             "four.example.com", "", "[::1]"})
        EXPECT_FALSE(set->may_match_host(host)) << host;
}

class Parts : public testing::Test {
protected:
    Parts() {
        auto spec = rule("^https?://");
        spec.range = true;
        set_ = rules({spec});
    }
    Decision get(std::string_view range) const { return get_range(*set_, url_, range); }
    const std::string url_ = "http://example.org/x";
    std::shared_ptr<const RuleSet> set_;
};

TEST_F(Parts, EveryRangeIsAnObjectOfItsOwn) {
    const auto first = get("bytes=0-99");
    EXPECT_EQ(first.road, Road::cache);
    EXPECT_EQ(first.part, ByteRange(0, 100));
    EXPECT_EQ(loggable_url(url_, first.part), url_ + "#bytes=0-99");
    EXPECT_EQ(first.task_id, get("bytes=0-99").task_id);
    EXPECT_NE(first.task_id, get("bytes=0-98").task_id);
    EXPECT_NE(first.task_id, get("bytes=1-99").task_id);
}

TEST_F(Parts, WhatIsNotOneClosedRangePasses) {
    for (const char* range :
         {"", "bytes=0-", "bytes=-5", "bytes=0-1,4-5", "bytes=5-4", "bytes=00-9", "bytes= 0-9",
          "bytes=0-9 ", "Bytes=0-9", "bytes=0-+9", "items=0-9", "bytes=0-281474976710655",
          "bytes=0-99999999999999999999"}) {
        EXPECT_EQ(get(range).road, Road::pass) << range;
        EXPECT_FALSE(get(range).part) << range;
    }
    EXPECT_EQ(filters::get(*set_, url_, "HEAD").road, Road::pass);
}

TEST_F(Parts, StandSideBySideInTheOrderOfTheirNames) {
    const auto part = get("bytes=512-1023");
    const auto later = get("bytes=513-600");
    EXPECT_LT(part.task_id.bytes, later.task_id.bytes);
    EXPECT_EQ(sibling_part(later.task_id, part.task_id), ByteRange(513, 601));
    EXPECT_FALSE(
        sibling_part(get_range(*set_, "http://example.org/y", "bytes=0-9").task_id, part.task_id));
}

TEST_F(Parts, HaveNeitherADigestNorFreshness) {
    auto spec = rule("/(?P<a>[0-9a-f]{64})");
    spec.range = true;
    spec.digest = "a";
    EXPECT_THAT(refusal({spec}), HasSubstr("key.range"));
    spec.digest = "";
    spec.policy = Policy::http;
    EXPECT_THAT(refusal({spec}), HasSubstr("key.range"));
}

}  // namespace
}  // namespace hawker::filters
