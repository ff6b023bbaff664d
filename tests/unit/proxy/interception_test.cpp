#include "daemon/proxy/interception.h"

#include <gtest/gtest.h>

namespace hawker::proxy {
namespace {

std::shared_ptr<const filters::RuleSet> rules_for(const std::string& expression) {
    filters::RuleSpec spec;
    spec.name = "cdn";
    spec.match = expression;
    spec.policy = filters::Policy::immutable;
    return filters::RuleSet::compile({spec}).value();
}

class InterceptionTest : public testing::Test {
protected:
    Interception of(std::vector<std::string> patterns, bool of_rules,
                    std::vector<std::string> permitted = {}) {
        InterceptedHosts hosts;
        hosts.of_rules = of_rules;
        for (const std::string& text : patterns)
            hosts.patterns.push_back(HostPattern::parse(text).value());
        certificates::AuthorityOptions options;
        options.permitted_domains = std::move(permitted);
        auto authority = certificates::Authority::create(options, clock.wall()).value();
        auto leaves = std::make_shared<certificates::LeafStore>(authority, 4, clock);
        return {std::move(hosts), rules, std::move(leaves), nullptr};
    }
    SystemClock clock;
    std::shared_ptr<const filters::RuleSet> rules = rules_for("^https://cdn\\.example/");
};

TEST_F(InterceptionTest, HostsThatCachingRulesNameAreWanted) {
    const Interception interception = of({}, true);
    EXPECT_TRUE(interception.wants("cdn.example"));
    EXPECT_TRUE(interception.wants("CDN.Example."));
    EXPECT_FALSE(interception.wants("www.example"));
}

TEST_F(InterceptionTest, PatternsAreWantedBesidesTheRules) {
    const Interception interception = of({"*.git.example", "192.0.2.7"}, true);
    EXPECT_TRUE(interception.wants("cdn.example"));
    EXPECT_TRUE(interception.wants("lfs.git.example"));
    EXPECT_FALSE(interception.wants("git.example"));
    EXPECT_TRUE(interception.wants("192.0.2.7"));
}

TEST_F(InterceptionTest, WithoutTheRulesOnlyPatternsAreWanted) {
    EXPECT_FALSE(of({"git.example"}, false).wants("cdn.example"));
}

TEST_F(InterceptionTest, WhatTheAuthorityMayNotVouchForIsNotWanted) {
    const Interception interception = of({"*"}, false, {"example"});
    EXPECT_TRUE(interception.wants("cdn.example"));
    EXPECT_FALSE(interception.wants("cdn.test"));
    EXPECT_FALSE(interception.wants("192.0.2.7"));
}

TEST_F(InterceptionTest, AVerdictStaysTheSameBeyondTheMemorysBound) {
    const Interception interception = of({"*.git.example"}, false);
    for (int i = 0; i < 10'000; ++i)
        EXPECT_FALSE(interception.wants(std::to_string(i) + ".walk.example"));
    EXPECT_TRUE(interception.wants("lfs.git.example"));
}

class InsideTest : public testing::Test {
protected:
    Expected<std::string> url(http::TargetForm form, std::string target, std::string host) {
        http::RequestHead request;
        request.method = "GET";
        request.form = form;
        request.target = std::move(target);
        if (!host.empty()) request.fields.add("Host", std::move(host));
        std::string room;
        const auto url = url_inside(tunnel, request, room);
        if (!url) return std::unexpected(url.error());
        return std::string(*url);
    }
    Errc refusal(http::TargetForm form, std::string target, std::string host) {
        const auto made = url(form, std::move(target), std::move(host));
        EXPECT_FALSE(made) << *made;
        return made ? Errc::shutting_down : made.error().code;
    }
    Intercepted tunnel{.host = "cdn.example", .port = 443};
};

TEST_F(InsideTest, APathBecomesAnHttpsUrl) {
    EXPECT_EQ(url(http::TargetForm::origin, "/a?b=%2F", "cdn.example").value(),
              "https://cdn.example/a?b=%2F");
}

TEST_F(InsideTest, TheClientsSpellingOfTheHostIsKept) {
    EXPECT_EQ(url(http::TargetForm::origin, "/a", "CDN.example:443").value(),
              "https://CDN.example:443/a");
}

TEST_F(InsideTest, WithoutAHostFieldTheTunnelsNameCounts) {
    tunnel.port = 8443;
    EXPECT_EQ(url(http::TargetForm::origin, "/a", "").value(), "https://cdn.example:8443/a");
}

TEST_F(InsideTest, AnotherHostIsRefused) {
    using enum http::TargetForm;
    EXPECT_EQ(refusal(origin, "/a", "other.example"), Errc::refused);
    EXPECT_EQ(refusal(origin, "/a", "cdn.example:8443"), Errc::refused);
    EXPECT_EQ(refusal(origin, "/a", "user@cdn.example"), Errc::refused);
    EXPECT_EQ(refusal(absolute, "https://other.example/a", "other.example"), Errc::refused);
}

TEST_F(InsideTest, AnAbsoluteTargetHasToBeTheTunnels) {
    using enum http::TargetForm;
    EXPECT_EQ(url(absolute, "https://cdn.example/a", "cdn.example").value(),
              "https://cdn.example/a");
    EXPECT_EQ(refusal(absolute, "http://cdn.example/a", "cdn.example"), Errc::refused);
    EXPECT_EQ(refusal(absolute, "https://cdn.example:8443/a", "cdn.example"), Errc::refused);
}

TEST_F(InsideTest, AnIpv6LiteralIsTheSameWithAndWithoutBrackets) {
    tunnel.host = "2001:db8::1";
    EXPECT_EQ(url(http::TargetForm::origin, "/a", "[2001:DB8::1]").value(),
              "https://[2001:DB8::1]/a");
}

TEST_F(InsideTest, ATunnelInsideATunnelIsNoRequest) {
    EXPECT_EQ(refusal(http::TargetForm::authority, "cdn.example:443", "cdn.example:443"),
              Errc::invalid);
}

}  // namespace
}  // namespace hawker::proxy
