// What may be stored and for how long (S1 to S9, S20), and what we say about it.
#include "daemon/http/caching.h"

#include "daemon/http/validators.h"
#include "tests/unit/http/fields.h"

#include <set>

#include <gtest/gtest.h>

namespace hawker::http {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

const WallTime kNow = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 6 / 1));

std::string date(seconds from_now) { return format_date(kNow + from_now); }
seconds lifetime(Pairs list) { return freshness_lifetime(fields(list), kNow); }

TEST(CacheControl, AQuoteThatStaysOpenHidesNothing) {
    Fields one;
    one.add("Cache-Control", R"(s-maxage="60, no-store)");
    EXPECT_TRUE(CacheControl::of(one).no_store);
    Fields two;
    two.add("Cache-Control", R"(max-age=60, s-maxage="60)");
    two.add("Cache-Control", "no-store");
    EXPECT_TRUE(CacheControl::of(two).no_store);
}

TEST(CacheControl, DirectivesAreReadWhereverTheyStand) {
    const auto it = CacheControl::of(
        fields({{"Cache-Control", "Public, MAX-AGE=60 , x=\"a, no-store\""},
                {"cache-control", "immutable, s-maxage=\"120\", stale-if-error=9"}}));
    EXPECT_TRUE(it.is_public);
    EXPECT_TRUE(it.immutable);
    EXPECT_FALSE(it.no_store);
    EXPECT_EQ(it.max_age, 60s);
    EXPECT_EQ(it.s_maxage, 120s);
    EXPECT_EQ(it.stale_if_error, 9s);
    EXPECT_FALSE(it.stale_while_revalidate);
}

TEST(CacheControl, TheMostRestrictiveOfConflictingDirectivesCounts) {
    EXPECT_EQ(CacheControl::of(control("max-age=60, max-age=10")).max_age, 10s);  // S6
    EXPECT_EQ(CacheControl::of(control("max-age=99999999999999999999")).max_age,
              seconds(1LL << 31));  // S7
    EXPECT_EQ(CacheControl::of(control("max-age=1.5")).max_age, 0s);
    EXPECT_EQ(CacheControl::of(control("max-age=-1")).max_age, 0s);
    EXPECT_EQ(CacheControl::of(control("max-age")).max_age, 0s);
    EXPECT_TRUE(CacheControl::of(control("no-cache=\"Set-Cookie, X\"")).no_cache);
    EXPECT_TRUE(CacheControl::of(control("private=\"X\"")).is_private);
    EXPECT_EQ(withheld_fields(control("max-age=1, no-cache=\"X-A, x-b\", PRIVATE=X-C")),
              (std::vector<std::string>{"X-A", "x-b", "X-C"}));
    EXPECT_EQ(withheld_fields(control("no-cache, private, s-maxage=\"X\"")).size(), 0U);
    EXPECT_EQ(withheld_fields(control("no-cache=\"Expires, cache-control, date\"")).size(), 0U);
}

TEST(Freshness, FollowsTheOrderOfTheRfc) {
    EXPECT_EQ(lifetime({{"Cache-Control", "max-age=60, s-maxage=30"}, {"Expires", date(10s)}}),
              30s);
    EXPECT_EQ(lifetime({{"Cache-Control", "max-age=60"}, {"Expires", date(10s)}}), 60s);
    EXPECT_EQ(lifetime({{"Expires", date(90s)}, {"Date", date(30s)}}), 60s);
    EXPECT_EQ(lifetime({{"Expires", date(90s)}}), 90s);
    EXPECT_EQ(lifetime({{"Expires", date(-90s)}, {"Date", date(0s)}}), 0s);
    EXPECT_EQ(lifetime({{"Expires", "0"}, {"Last-Modified", date(-1000s)}}), 0s);
    EXPECT_EQ(lifetime({{"Cache-Control", "no-cache, max-age=60"}}), 0s);
    EXPECT_EQ(lifetime({}), 0s);
    EXPECT_GT(lifetime({{"Expires", "Fri, 31 Dec 9999 23:59:59 GMT"}}), 24h * 365 * 100);
}

TEST(Freshness, AnAgeThatNobodyCanReadIsTheGreatest) {
    const auto age = [](std::initializer_list<std::string> values) {
        Fields response = fields({{"Date", date(0s)}});
        for (const std::string& value : values) response.add("Age", value);
        return corrected_initial_age(response, kNow - 2s, kNow);
    };
    EXPECT_EQ(age({}), 0s);
    EXPECT_EQ(age({"10"}), 12s);  // and the time that the answer took
    for (const auto& garbled : {"abc", "-1", "7200.0", "0, 0", "3600, 3600", "0;a=1"})
        EXPECT_GT(age({garbled}), 24h * 365 * 60) << garbled;
    EXPECT_GT(age({"0", "7200"}), 24h * 365 * 60);
    EXPECT_EQ(corrected_initial_age(fields({{"Date", date(-30s)}}), kNow, kNow), 30s);
    EXPECT_EQ(corrected_initial_age(fields({{"Date", date(30s)}, {"Age", "5"}}), kNow, kNow), 5s);
}

TEST(Freshness, ATargetedFieldReplacesTheGeneralOnes) {
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", "max-age=5;x=1, foo=(1)"},
                        {"Cache-Control", "max-age=60"}}),
              60s);  // a list
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", "max-age=5;x=1"}, {"Cache-Control", "max-age=60"}}),
              5s);
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", ""}, {"Cache-Control", "max-age=60"}}), 60s);
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", "Max-Age=5"}, {"Cache-Control", "max-age=60"}}), 60s);
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", "max-age = 5"}, {"Cache-Control", "max-age=60"}}),
              60s);
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", "public"}, {"Expires", date(60s)}}), 0s);
    EXPECT_EQ(lifetime({{"CDN-Cache-Control", "no-cache=?0, max-age=5"}}), 5s);
}

TEST(Freshness, WithoutWordsATenthOfTheAgeCounts) {
    EXPECT_EQ(lifetime({{"Last-Modified", date(-1000s)}}), 100s);
    EXPECT_EQ(lifetime({{"Last-Modified", date(-1000s)}, {"Date", date(-500s)}}), 50s);
    EXPECT_EQ(lifetime({{"Last-Modified", date(-1'000'000'000s)}}), 86400s);
    EXPECT_EQ(lifetime({{"Last-Modified", date(60s)}}), 0s);
}

TEST(Age, AddsWhatOthersAndWeHaveKeptIt) {
    const auto age = [](Pairs list, seconds later) {
        return current_age(fields(list), kNow, kNow + later);
    };
    EXPECT_EQ(age({}, 5s), 5s);
    EXPECT_EQ(age({{"Age", "10"}}, 5s), 15s);
    EXPECT_EQ(age({{"Date", date(-20s)}, {"Age", "10"}}, 5s), 25s);
    EXPECT_EQ(age({{"Date", date(20s)}}, 5s), 5s);
    EXPECT_EQ(age({{"Age", "10, 20"}}, 0s), 10s);
    EXPECT_EQ(age({{"Age", "-10"}}, 0s), 0s);
    EXPECT_EQ(age({{"Age", "x"}}, -5s), 0s);
    EXPECT_EQ(age({{"Age", "99999999999999999999999"}}, 5s), seconds(1LL << 31));
}

TEST(CacheStatus, SaysWhatHappened) {
    CacheStatus hit;
    hit.hit = true;
    hit.fwd = "miss";
    hit.key = "3f9c";
    EXPECT_EQ(hit.serialize(), "hawker; hit; key=\"3f9c\"");
    CacheStatus miss;
    miss.fwd = "uri-miss";
    miss.fwd_status = 206;
    miss.stored = miss.collapsed = true;
    miss.detail = "verify";
    EXPECT_EQ(miss.serialize(),
              "hawker; fwd=uri-miss; fwd-status=206; stored; collapsed; detail=verify");
    miss.detail = "a \"b\"\r\n";
    EXPECT_EQ(miss.serialize(),
              "hawker; fwd=uri-miss; fwd-status=206; stored; collapsed; detail=\"a \\\"b\\\"??\"");
}

TEST(ProxyStatus, QuotesItsDetails) {
    EXPECT_EQ(proxy_status("connection_refused", "no \"one\" there\n"),
              "hawker; error=connection_refused; details=\"no \\\"one\\\" there?\"");
    EXPECT_EQ(proxy_status("dns_error", ""), "hawker; error=dns_error");
}

TEST(ProxyStatus, EveryErrorHasAnAnswerWithATypeOfTheRfc) {
    const std::set<std::string_view> types = {"dns_error",
                                              "http_protocol_error",
                                              "http_request_denied",
                                              "destination_unavailable",
                                              "http_response_incomplete",
                                              "proxy_internal_error",
                                              "proxy_internal_response",
                                              "connection_terminated",
                                              "http_response_timeout"};
    for (int code = 0; code <= static_cast<int>(Errc::shutting_down); ++code) {
        const ErrorAnswer answer = answer_for(static_cast<Errc>(code));
        EXPECT_TRUE(types.contains(answer.proxy_error_type)) << code;
        EXPECT_GE(answer.status, 403);
    }
    EXPECT_EQ(answer_for(Errc::timed_out).status, 504);
    EXPECT_EQ(answer_for(Errc::denied).status, 403);
}

}  // namespace
}  // namespace hawker::http
