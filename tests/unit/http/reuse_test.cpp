// When a stored response may be used, and what a newer one changes about it.
#include "daemon/http/reuse.h"

#include "daemon/http/validators.h"
#include "tests/unit/http/fields.h"

#include <gtest/gtest.h>

namespace hawker::http {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

CacheControl directives(std::string_view value) { return CacheControl::of(control(value)); }
StoredTerms stored(seconds lifetime, std::string_view said = "") {
    StoredTerms terms;
    terms.control = directives(said);
    terms.lifetime = lifetime;
    return terms;
}

TEST(Reuse, FreshUntilItsLifetimeIsOver) {
    EXPECT_EQ(use_of(stored(60s), {}, 0s), Use::fresh);
    EXPECT_EQ(use_of(stored(60s), {}, 59s), Use::fresh);
    EXPECT_EQ(use_of(stored(60s), {}, 60s), Use::validate);
    EXPECT_EQ(use_of(stored(0s), {}, 0s), Use::validate);
    EXPECT_EQ(use_of(stored(60s, "no-cache"), {}, 0s), Use::validate);
}

TEST(Reuse, TheRequestMayWantItYounger) {
    EXPECT_EQ(use_of(stored(60s), directives("no-cache"), 0s), Use::validate);
    EXPECT_EQ(use_of(stored(60s), directives("max-age=0"), 0s), Use::validate);
    EXPECT_EQ(use_of(stored(60s), directives("max-age=10"), 10s), Use::fresh);
    EXPECT_EQ(use_of(stored(60s), directives("max-age=10"), 11s), Use::validate);
    EXPECT_EQ(use_of(stored(60s), directives("min-fresh=20"), 40s), Use::fresh);
    EXPECT_EQ(use_of(stored(60s), directives("min-fresh=20"), 41s), Use::validate);
    EXPECT_EQ(use_of(stored(60s), directives("min-fresh=20, min-fresh=5"), 50s), Use::validate);
}

TEST(Reuse, AReloadAsksForWhatNeverChangesInVain) {
    EXPECT_EQ(use_of(stored(60s, "immutable"), directives("max-age=0"), 5s), Use::fresh);
    EXPECT_EQ(use_of(stored(60s, "immutable"), directives("max-age=0"), 60s), Use::validate);
    EXPECT_EQ(use_of(stored(60s, "immutable"), directives("no-cache"), 5s), Use::validate);
}

TEST(Reuse, OrTakeItStale) {
    EXPECT_EQ(use_of(stored(60s), directives("max-stale"), 9999s), Use::stale);
    EXPECT_EQ(use_of(stored(60s), directives("max-stale=10"), 70s), Use::stale);
    EXPECT_EQ(use_of(stored(60s), directives("max-stale=10"), 71s), Use::validate);
    EXPECT_EQ(use_of(stored(60s), directives("max-stale=x"), 61s), Use::validate);
    for (const auto* forbidden : {"must-revalidate", "proxy-revalidate", "s-maxage=60", "no-cache"})
        EXPECT_EQ(use_of(stored(60s, forbidden), directives("max-stale"), 70s), Use::validate)
            << forbidden;
}

TEST(Reuse, StaleWhileRevalidateHasAWindow) {
    EXPECT_EQ(use_of(stored(60s, "stale-while-revalidate=10"), {}, 59s), Use::fresh);
    EXPECT_EQ(use_of(stored(60s, "stale-while-revalidate=10"), {}, 70s), Use::while_revalidating);
    EXPECT_EQ(use_of(stored(60s, "stale-while-revalidate=10"), {}, 71s), Use::validate);
    EXPECT_EQ(use_of(stored(60s, "stale-while-revalidate=10, must-revalidate"), {}, 65s),
              Use::validate);
    EXPECT_EQ(use_of(stored(60s, "stale-while-revalidate=10"), directives("max-age=0"), 65s),
              Use::validate);
}

TEST(Reuse, StaleIfErrorToo) {
    EXPECT_TRUE(may_use_after_error(stored(60s, "stale-if-error=10"), {}, 70s));
    EXPECT_FALSE(may_use_after_error(stored(60s, "stale-if-error=10"), {}, 71s));
    EXPECT_TRUE(may_use_after_error(stored(60s), directives("stale-if-error=10"), 70s));
    EXPECT_FALSE(may_use_after_error(stored(60s), {}, 61s));
    EXPECT_FALSE(may_use_after_error(stored(60s, "stale-if-error=10, must-revalidate"), {}, 65s));
    for (const int status : {500, 502, 503, 504}) EXPECT_TRUE(is_failure_of_origin(status));
    for (const int status : {200, 404, 501, 505}) EXPECT_FALSE(is_failure_of_origin(status));
}

TEST(Conditions, AskAboutWhatIsStoredAndWhatTheClientHas) {
    const auto held =
        fields({{"ETag", "\"a\""}, {"Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"}});
    Fields request;
    add_conditions(request, held);
    EXPECT_EQ(request.get("If-None-Match"), "\"a\"");
    EXPECT_EQ(request.get("If-Modified-Since"), "Thu, 01 Jan 2026 00:00:00 GMT");
    request = fields({{"If-None-Match", "\"b\""}, {"If-Modified-Since", "yesterday"}});
    add_conditions(request, held);
    EXPECT_EQ(request.get("If-None-Match"), "\"a\", \"b\"");
    request = fields({{"If-None-Match", "\"b\", \"a\""}});
    add_conditions(request, held);
    EXPECT_EQ(request.get("If-None-Match"), "\"b\", \"a\"");
    request = fields({{"If-None-Match", "*"}});
    add_conditions(request, held);
    EXPECT_EQ(request.get("If-None-Match"), "\"a\"");
    EXPECT_FALSE(has_validator(fields({{"Last-Modified", "yesterday"}})));
    EXPECT_TRUE(has_validator(fields({{"ETag", "W/\"a\""}})));
}

TEST(Conditions, ANotModifiedIsAboutOneOfThem) {
    const auto held = fields({{"ETag", "\"a\""}});
    const auto client = fields({{"If-None-Match", "\"b\""}});
    EXPECT_TRUE(confirms(fields({{"ETag", "\"a\""}}), held, client));
    EXPECT_TRUE(confirms(fields({{"ETag", "W/\"a\""}}), held, client));
    EXPECT_FALSE(confirms(fields({{"ETag", "\"b\""}}), held, client));
    EXPECT_FALSE(confirms({}, held, client));
    EXPECT_TRUE(confirms({}, held, fields({{"If-None-Match", "\"a\""}})));
    EXPECT_TRUE(is_what_client_has(fields({{"ETag", "\"b\""}}), client));
    EXPECT_TRUE(is_what_client_has(fields({{"ETag", "W/\"b\""}}), client));
    EXPECT_FALSE(is_what_client_has(fields({{"ETag", "\"c\""}}), client));
    EXPECT_FALSE(is_what_client_has(fields({{"ETag", "\"B\""}}), client));
    EXPECT_FALSE(is_what_client_has({}, client));
    EXPECT_TRUE(is_what_client_has(fields({{"ETag", "abc"}}), fields({{"If-None-Match", "abc"}})));
    // Nothing else was asked about.
    EXPECT_TRUE(confirms(fields({{"ETag", "\"c\""}}), held, {}));
}

TEST(Update, ReplacesFieldsButNotThoseOfTheContent) {
    const auto before = fields({{"ETag", "\"a\""},
                                {"Content-Encoding", "gzip"},
                                {"Vary", "Accept-Encoding"},
                                {"Cache-Control", "max-age=1"},
                                {"X-Two", "1"},
                                {"X-Two", "2"},
                                {"X-Kept", "k"}});
    const auto after = updated(before, fields({{"etag", "\"b\""},
                                               {"Content-Encoding", "br"},
                                               {"Content-Length", "3"},
                                               {"Vary", "*"},
                                               {"cache-control", "max-age=9"},
                                               {"X-Two", "3"},
                                               {"X-New", "n"}}));
    EXPECT_EQ(after.get("ETag"), "\"a\"");
    EXPECT_EQ(after.get("Content-Encoding"), "gzip");
    EXPECT_FALSE(after.has("Content-Length"));
    EXPECT_EQ(after.joined("Vary"), "Accept-Encoding");
    EXPECT_EQ(after.joined("Cache-Control"), "max-age=9");
    EXPECT_EQ(after.joined("X-Two"), "3");
    EXPECT_EQ(after.get("X-Kept"), "k");
    EXPECT_EQ(after.get("X-New"), "n");
}

TEST(Update, AHeadSpeaksOfWhatIsStoredUnlessItSaysOtherwise) {
    const auto held = fields({{"ETag", "\"a\""}, {"Last-Modified", "x"}});
    EXPECT_TRUE(head_agrees({}, held, 5));
    EXPECT_TRUE(head_agrees(fields({{"ETag", "\"a\""}, {"Content-Length", "5"}}), held, 5));
    EXPECT_FALSE(head_agrees(fields({{"ETag", "\"b\""}}), held, 5));
    EXPECT_FALSE(head_agrees(fields({{"Last-Modified", "y"}}), held, 5));
    EXPECT_FALSE(head_agrees(fields({{"Content-Length", "6"}}), held, 5));
    EXPECT_FALSE(head_agrees(fields({{"Content-Length", "many"}}), held, 5));
}

}  // namespace
}  // namespace hawker::http
