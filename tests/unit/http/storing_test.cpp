// What a shared cache keeps (RFC 9111 section 3), and for how long by status.
#include "daemon/http/storing.h"

#include "daemon/http/validators.h"
#include "tests/unit/http/fields.h"

#include <gtest/gtest.h>

namespace hawker::http {
namespace {

using namespace std::chrono_literals;

bool keeps(int status, const Fields& response, const Fields& request = {},
           const StoringTerms& terms = {}) {
    return may_store(request, status, response, terms);
}

TEST(Storing, WhatSaysHowLongIsKeptWhateverItsStatus) {
    for (const int status : {200, 203, 204, 299, 301, 302, 307, 400, 404, 410, 499, 500, 503, 599})
        EXPECT_TRUE(keeps(status, control("max-age=60"))) << status;
    for (const int status : {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501})
        EXPECT_TRUE(keeps(status, {})) << status;
    for (const int status : {201, 202, 302, 403, 500, 502, 503, 504, 599})
        EXPECT_FALSE(keeps(status, {})) << status;
    EXPECT_TRUE(keeps(599, control("public")));
    EXPECT_TRUE(keeps(599, fields({{"Expires", "0"}})));
}

TEST(Storing, OfAPostOnlyWhatSaysHowLong) {
    EXPECT_TRUE(may_store_of_post(200, control("max-age=60")));
    EXPECT_TRUE(may_store_of_post(200, fields({{"Expires", "Thu, 01 Dec 2094 16:00:00 GMT"}})));
    EXPECT_FALSE(may_store_of_post(200, control("public")));
    EXPECT_FALSE(may_store_of_post(201, control("max-age=60")));
}

TEST(Storing, WhatIsAboutOneRequestIsNot) {
    for (const int status : {100, 304, 412, 416})
        EXPECT_FALSE(keeps(status, control("max-age=60"))) << status;
    const auto range = fields({{"Range", "bytes=0-4"}});
    EXPECT_FALSE(keeps(404, control("max-age=60"), range));
    EXPECT_TRUE(keeps(200, control("max-age=60"), range));
    EXPECT_FALSE(keeps(302, control("max-age=60"), fields({{"If-Match", "\"a\""}})));
}

TEST(Storing, APartIsKeptWhenItSaysWhichPartItIs) {
    const auto range = fields({{"Range", "bytes=0-4"}});
    const auto part = [](std::string_view content_range) {
        return fields(
            {{"Cache-Control", "max-age=60"}, {"Content-Range", std::string(content_range)}});
    };
    EXPECT_TRUE(keeps(206, part("bytes 0-4/10"), range));
    EXPECT_FALSE(keeps(206, part("bytes 0-4/10")));  // nobody asked for one
    EXPECT_FALSE(keeps(206, part("bytes 0-4/*"), range));
    EXPECT_FALSE(keeps(206, part("bytes */10"), range));
    EXPECT_FALSE(keeps(206, control("max-age=60"), range));  // multipart
}

TEST(Storing, NoStoreAndPrivateForbidIt) {
    EXPECT_FALSE(keeps(200, control("no-store")));
    EXPECT_FALSE(keeps(200, control("max-age=60, NO-STORE")));
    EXPECT_FALSE(keeps(200, control("private, max-age=60")));
    EXPECT_FALSE(keeps(200, control("max-age=60"), control("no-store")));
    EXPECT_TRUE(keeps(200, control("no-cache")));
    EXPECT_TRUE(
        keeps(200, fields({{"CDN-Cache-Control", "max-age=9"}, {"Cache-Control", "no-store"}})));
    EXPECT_FALSE(
        keeps(200, fields({{"CDN-Cache-Control", "no-store"}, {"Cache-Control", "public"}})));
}

// `newer`: of a 304 to somebody with or without credentials.
Renewal renewal(const Fields& newer, bool has_credentials = false, const Fields& request = {}) {
    const auto stored = fields({{"Cache-Control", "max-age=60"}, {"Vary", "Foo"}});
    StoringTerms terms;
    terms.sent_credentials = has_credentials;
    return renewal_of(request, 200, stored, newer, terms);
}

TEST(Renewing, WhatMayBeStoredMayRenew) {
    EXPECT_EQ(renewal({}), Renewal::renew);
    EXPECT_EQ(renewal(control("max-age=9")), Renewal::renew);
    EXPECT_EQ(renewal(fields({{"Vary", "foo"}})), Renewal::renew);
    EXPECT_EQ(renewal(control("public"), true), Renewal::renew);
}

TEST(Renewing, WhatWasSaidToOneChangesNothingForTheOthers) {
    EXPECT_EQ(renewal({}, true), Renewal::leave);
    EXPECT_EQ(renewal(control("max-age=9"), true), Renewal::leave);
    EXPECT_EQ(renewal(fields({{"Set-Cookie", "a=b"}})), Renewal::leave);
    EXPECT_EQ(renewal({}, false, fields({{"X-Forwarded-Host", "evil.example"}})), Renewal::leave);
}

TEST(Renewing, WhatNobodyMayKeepAnyMoreGoes) {
    EXPECT_EQ(renewal(control("no-store")), Renewal::remove);
    EXPECT_EQ(renewal(control("private, max-age=60"), true), Renewal::remove);
    EXPECT_EQ(renewal(fields({{"Vary", "*"}})), Renewal::remove);
    EXPECT_EQ(renewal(fields({{"Vary", "Bar"}})), Renewal::remove);  // others select it now
}

TEST(Storing, MustUnderstandIsForThoseWhoDo) {
    EXPECT_TRUE(keeps(200, control("no-store, must-understand, max-age=60")));
    EXPECT_FALSE(keeps(599, control("must-understand, max-age=60")));
}

TEST(Storing, WhatCredentialsBroughtNeedsAWordThatItIsForAll) {
    StoringTerms sent;
    sent.sent_credentials = true;
    for (const auto* word : {"public", "s-maxage=60", "must-revalidate, max-age=60"})
        EXPECT_TRUE(keeps(200, control(word), {}, sent)) << word;
    EXPECT_FALSE(keeps(200, control("max-age=60"), {}, sent));
    sent.ignores_credentials = true;
    EXPECT_TRUE(keeps(200, control("max-age=60"), {}, sent));
}

TEST(Storing, CookiesAreKeptWhereTheRuleSaysSo) {
    const auto setting = fields({{"Cache-Control", "public, max-age=60"}, {"Set-Cookie", "a=b"}});
    EXPECT_FALSE(keeps(200, setting));
    StoringTerms terms;
    terms.keeps_cookies = true;
    EXPECT_TRUE(keeps(200, setting, {}, terms));
    // It takes them back itself.
    EXPECT_TRUE(keeps(200, fields({{"Cache-Control", "no-cache=\"set-cookie\", max-age=60"},
                                   {"Set-Cookie", "a=b"}})));
}

TEST(Storing, WhatASecretSelectsIsNot) {
    const auto varied = fields({{"Cache-Control", "public"}, {"Vary", "Cookie"}});
    EXPECT_TRUE(keeps(200, varied));
    EXPECT_FALSE(keeps(200, varied, fields({{"Cookie", "a=b"}})));
    EXPECT_FALSE(keeps(200, fields({{"Cache-Control", "public"}, {"Vary", "*"}})));
}

TEST(Storing, WhatOneClientMayHaveSteeredIsNotForAll) {
    const auto request = fields({{"X-Forwarded-Host", "evil.example"}});
    EXPECT_FALSE(keeps(200, control("public, max-age=60"), request));
    EXPECT_TRUE(keeps(200, fields({{"Cache-Control", "max-age=60"}, {"Vary", "X-Forwarded-Host"}}),
                      request));
    EXPECT_TRUE(keeps(200, control("max-age=60"), fields({{"X-Forwarded-For", "192.0.2.1"}})));
}

TEST(Storing, OnlySomeStatusesAllowAGuess) {
    const WallTime now = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 6 / 1));
    const auto old = fields({{"Last-Modified", format_date(now - 1000s)}});
    EXPECT_EQ(lifetime_of(200, old, now), 100s);
    EXPECT_EQ(lifetime_of(404, old, now), 100s);
    EXPECT_EQ(lifetime_of(403, old, now), 0s);
    auto told = old;
    told.add("Cache-Control", "public");
    EXPECT_EQ(lifetime_of(599, told, now), 100s);
    told.set("Cache-Control", "max-age=7");
    EXPECT_EQ(lifetime_of(403, told, now), 7s);
}

}  // namespace
}  // namespace hawker::http
