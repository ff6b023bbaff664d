#include "daemon/origin/answer_check.h"

#include <initializer_list>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hawker::origin {
namespace {

using Names = std::initializer_list<http::Field>;

constexpr std::string_view kHex =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kBase64 =
    "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";  // SHA-256 of "abc"

class AnswerCheck : public testing::Test {
public:
    AnswerCheck() { options.url = "https://host/path/object.bin?sig=1"; }

    Expected<cache::Arrival> check(int status, Names fields,
                                   http::Framing framing = http::Framing::length) const {
        http::ResponseHead head;
        head.status = status;
        for (const http::Field& field : fields) head.fields.add(field.name, field.value);
        Asked asked;
        asked.range = range;
        asked.url = options.url;
        return check_answer(head, framing, asked, options, now);
    }
    Errc error(int status, Names fields) const {
        const auto arrival = check(status, fields);
        EXPECT_FALSE(arrival);
        return arrival ? Errc::shutting_down : arrival.error().code;
    }
    // A good whole answer with these fields beside.
    bool is_stored(Names beside) const {
        http::ResponseHead head;
        head.status = 200;
        head.fields.add("Content-Length", "100");
        for (const http::Field& field : beside) head.fields.add(field.name, field.value);
        Asked asked;
        asked.url = options.url;
        const auto arrival = check_answer(head, http::Framing::length, asked, options, now);
        EXPECT_TRUE(arrival || arrival.error().code == Errc::unsupported);
        return arrival.has_value();
    }

    SourceOptions options;
    RangeSpec range = RangeSpec::whole();
    WallTime now = WallTime(std::chrono::seconds(1'700'000'000));
};

TEST_F(AnswerCheck, AWholeAnswerBeginsAtZero) {
    const auto arrival = check(200, {{"Content-Length", "100"}, {"ETag", "\"a\""}});
    ASSERT_TRUE(arrival);
    EXPECT_EQ(arrival->offset, 0U);
    EXPECT_EQ(arrival->length, 100U);
    EXPECT_EQ(arrival->size, 100U);
    EXPECT_FALSE(arrival->ranged);
    EXPECT_TRUE(arrival->end_is_certain);
    EXPECT_EQ(arrival->validator, "etag:\"a\"");
}

TEST_F(AnswerCheck, AWholeAnswerMayPromiseRanges) {
    EXPECT_TRUE(check(200, {{"Content-Length", "9"}, {"Accept-Ranges", "bytes"}})->ranged);
    EXPECT_FALSE(check(200, {{"Content-Length", "9"}, {"Accept-Ranges", "none"}})->ranged);
    range = RangeSpec(0, 3);  // it did not keep its promise
    EXPECT_FALSE(check(200, {{"Content-Length", "9"}, {"Accept-Ranges", "bytes"}})->ranged);
}

TEST_F(AnswerCheck, WithoutALengthTheSizeIsUnknown) {
    const auto chunked = check(200, {}, http::Framing::chunked);
    EXPECT_FALSE(chunked->length || chunked->size);
    EXPECT_TRUE(chunked->end_is_certain);
    EXPECT_FALSE(check(200, {}, http::Framing::until_close)->end_is_certain);
}

TEST_F(AnswerCheck, APartIsWhatWasAskedFor) {
    range = RangeSpec(10, 19);
    const auto arrival =
        check(206, {{"Content-Range", "bytes 10-19/100"}, {"Content-Length", "10"}});
    ASSERT_TRUE(arrival);
    EXPECT_EQ(arrival->offset, 10U);
    EXPECT_EQ(arrival->length, 10U);
    EXPECT_EQ(arrival->size, 100U);
    EXPECT_TRUE(arrival->ranged);
    EXPECT_TRUE(
        check(206, {{"Content-Range", "bytes 10-14/100"}}));  // less: the rest is asked again
    EXPECT_TRUE(check(206, {{"Content-Range", "bytes 10-14/15"}}));  // the end of it
    range = RangeSpec(10, std::nullopt);
    EXPECT_TRUE(check(206, {{"Content-Range", "bytes 10-99/100"}}));
    range = RangeSpec::suffix(5);
    EXPECT_TRUE(check(206, {{"Content-Range", "bytes 95-99/100"}}));
}

TEST_F(AnswerCheck, AnyOtherPartIsInvalid) {
    range = RangeSpec(10, 19);
    for (const auto* bad :
         {"bytes 0-9/100", "bytes 11-19/100", "bytes 10-20/100", "bytes 10-19/*", "bytes */100",
          "bytes 10-19", "items 10-19/100", "bytes 19-10/100", "bytes 10-19/15", ""})
        EXPECT_EQ(error(206, {{"Content-Range", bad}}), Errc::invalid) << bad;
    EXPECT_EQ(error(206, {}), Errc::invalid);
    EXPECT_EQ(error(206, {{"Content-Range", "bytes 10-19/100"}, {"Content-Length", "0"}}),
              Errc::invalid);
    EXPECT_EQ(
        error(206, {{"Content-Range", "bytes 10-19/100"}, {"Content-Range", "bytes 10-19/100"}}),
        Errc::invalid);
    EXPECT_EQ(error(206, {{"Content-Range", "bytes 10-19/100"},
                          {"Content-Type", "multipart/byteranges; boundary=x"}}),
              Errc::invalid);
    range = RangeSpec::suffix(5);
    EXPECT_EQ(error(206, {{"Content-Range", "bytes 90-99/100"}}), Errc::invalid);
    range = RangeSpec::whole();
    EXPECT_EQ(error(206, {{"Content-Range", "bytes 0-99/100"}}), Errc::invalid);
}

TEST_F(AnswerCheck, AWholeAnswerWithAContentRangeIsInvalid) {
    EXPECT_EQ(error(200, {{"Content-Range", "bytes 0-99/100"}}), Errc::invalid);
}

TEST_F(AnswerCheck, OtherStatusesSayWhatTheCallerCanDo) {
    EXPECT_EQ(error(401, {}), Errc::refused);
    EXPECT_EQ(error(403, {}), Errc::refused);
    EXPECT_EQ(error(404, {}), Errc::not_found);
    EXPECT_EQ(error(410, {}), Errc::not_found);
    EXPECT_EQ(error(416, {}), Errc::changed);
    EXPECT_EQ(error(429, {}), Errc::unavailable);
    EXPECT_EQ(error(503, {}), Errc::unavailable);
    EXPECT_EQ(error(302, {}), Errc::unsupported);
    EXPECT_EQ(error(204, {}), Errc::unsupported);
    EXPECT_EQ(error(400, {}), Errc::unsupported);
    EXPECT_EQ(error(304, {}), Errc::invalid);
}

TEST_F(AnswerCheck, RetryAfterIsSecondsOrADate) {
    using namespace std::chrono_literals;
    const auto after = [this](std::string value) {
        return check(503, {{"Retry-After", std::move(value)}}).error().retry_after;
    };
    EXPECT_EQ(after("7"), 7s);
    EXPECT_EQ(after("Tue, 14 Nov 2023 22:13:30 GMT"), 10s);
    EXPECT_EQ(after("Tue, 14 Nov 2000 22:13:30 GMT"), 0s);
    EXPECT_EQ(after("99999999999999999999"), 24h);
    EXPECT_EQ(after("soon"), std::nullopt);
    EXPECT_EQ(check(404, {{"Retry-After", "7"}}).error().retry_after, std::nullopt);
    const auto limited = [this](std::string value) {
        return check(429, {{"RateLimit", std::move(value)}}).error().retry_after;
    };
    EXPECT_EQ(limited(R"("resolvers";r=0;t=55)"), 55s);
    EXPECT_EQ(limited(R"("api"; r=0; t=7)"), 7s);
    EXPECT_EQ(limited(R"("resolvers";r=3;t=55)"), std::nullopt) << "that is not why";
    EXPECT_EQ(limited("r=0"), std::nullopt);
}

TEST_F(AnswerCheck, ValidatorsAreStrongOrAbsent) {
    const auto validator = [this](Names fields) { return check(200, fields)->validator; };
    constexpr auto* kDate = "Tue, 14 Nov 2023 22:13:30 GMT";
    EXPECT_EQ(validator({{"Content-Length", "9"}, {"ETag", "\"x\""}, {"Last-Modified", kDate}}),
              "etag:\"x\"");
    EXPECT_EQ(validator({{"Content-Length", "9"}, {"ETag", "W/\"x\""}, {"Last-Modified", kDate}}),
              fmt::format("lm:{}:9", kDate));
    EXPECT_EQ(validator({{"Content-Length", "9"}, {"Last-Modified", kDate}, {"Date", kDate}}), "")
        << "it may change once more in that second";
    constexpr auto* kLater = "Tue, 14 Nov 2023 22:13:31 GMT";
    EXPECT_EQ(validator({{"Content-Length", "9"}, {"Last-Modified", kDate}, {"Date", kLater}}),
              fmt::format("lm:{}:9", kDate));
    EXPECT_EQ(validator({{"Content-Length", "9"}, {"ETag", "W/\"x\""}}), "");
    EXPECT_EQ(validator({{"Content-Length", "9"}, {"ETag", "bare"}}), "");
}

TEST_F(AnswerCheck, ACodingThatWasNotAskedForIsNotStored) {
    EXPECT_FALSE(is_stored({{"Content-Encoding", "gzip"}}));
    EXPECT_FALSE(is_stored({{"Content-Encoding", "identity"}, {"Content-Encoding", "br"}}));
    EXPECT_TRUE(is_stored({{"Content-Encoding", "identity"}}));
}

TEST_F(AnswerCheck, VaryMayNameTheCodingAndTheOriginOnly) {
    EXPECT_TRUE(is_stored({{"Vary", "Accept-Encoding, origin"}}));
    EXPECT_FALSE(is_stored({{"Vary", "Accept-Encoding"}, {"Vary", "Cookie"}}));
    EXPECT_FALSE(is_stored({{"Vary", "*"}}));
}

TEST_F(AnswerCheck, CredentialsKeepAnAnswerOutUnlessTheRuleSaysSo) {
    for (const auto* name :
         {"Authorization", "Cookie", "Private-Token", "Job-Token", "Deploy-Token"}) {
        SCOPED_TRACE(name);
        options.fields.add(name, "x");
        for (const bool obeys : {false, true}) {
            options.obey_cache_control = obeys;
            options.may_store_credentialed = false;
            EXPECT_FALSE(is_stored({}));
            EXPECT_FALSE(is_stored({{"Cache-Control", "public, s-maxage=60"}}));
            options.may_store_credentialed = true;
            EXPECT_TRUE(is_stored({{"Cache-Control", "public, s-maxage=60"}}));
        }
        options.fields.remove(name);
    }
}

TEST_F(AnswerCheck, WhatIsOnlyAskedForAccessIsNotStoredWhateverWasSent) {
    options.fields.add("Authorization", "Basic x");
    range = RangeSpec(0, 0);
    http::ResponseHead head;
    head.status = 206;
    head.fields.add("Content-Range", "bytes 0-0/100");
    Asked asked;
    asked.range = range;
    asked.url = options.url;
    EXPECT_FALSE(check_answer(head, http::Framing::length, asked, options, now));
    asked.only_access = true;
    EXPECT_TRUE(check_answer(head, http::Framing::length, asked, options, now));
    head.fields.add("Cache-Control", "private");  // these bytes are for this reader alone
    EXPECT_FALSE(check_answer(head, http::Framing::length, asked, options, now));
}

TEST_F(AnswerCheck, FieldsThatAreNotForEverybodyAreNotKept) {
    options.may_store_credentialed = true;
    const auto arrival =
        check(200, {{"Content-Length", "100"},
                    {"Cache-Control", "private=\"X-User\", no-cache=\"x-mood, Set-Cookie\""},
                    {"X-User", "alice"},
                    {"X-Mood", "good"},
                    {"X-Other", "1"}});
    ASSERT_TRUE(arrival);
    const http::Fields kept = decode_head(arrival->head)->head.fields;
    EXPECT_FALSE(kept.has("X-User") || kept.has("X-Mood"));
    EXPECT_TRUE(kept.has("X-Other") && kept.has("Cache-Control"));
}

TEST_F(AnswerCheck, ACookieKeepsAnAnswerOutUnlessTheRuleSaysSo) {
    EXPECT_FALSE(is_stored({{"Set-Cookie", "a=b"}}));
    options.may_store_credentialed = true;
    EXPECT_TRUE(is_stored({{"Set-Cookie", "a=b"}}));
}

TEST_F(AnswerCheck, NoStoreAndPrivateAreObeyedUnlessTheRuleSaysSo) {
    for (const auto* said : {"no-store", "private", "max-age=9, private"})
        EXPECT_FALSE(is_stored({{"Cache-Control", said}})) << said;
    options.may_store_credentialed = true;
    EXPECT_TRUE(is_stored({{"Cache-Control", "private"}}));
    options.obey_cache_control = true;
    EXPECT_FALSE(is_stored({{"Cache-Control", "private"}}));
}

TEST_F(AnswerCheck, AnErrorPageInDisguiseIsNotStored) {
    EXPECT_FALSE(is_stored({{"Content-Type", "text/html; charset=utf-8"}}));
    EXPECT_FALSE(is_stored({{"Content-Type", "Application/JSON"}}));
    EXPECT_FALSE(is_stored({{"Content-Type", "application/problem+json"}}));
    EXPECT_TRUE(is_stored({{"Content-Type", "application/octet-stream"}}));
    EXPECT_TRUE(is_stored({}));
    options.knows_digest = true;  // it will find out about JSON
    EXPECT_FALSE(is_stored({{"Content-Type", "text/html"}}));
    EXPECT_TRUE(is_stored({{"Content-Type", "application/json"}}));
}

TEST_F(AnswerCheck, AnErrorPageIsOneInPartsToo) {
    range = RangeSpec(0, 99);
    EXPECT_FALSE(check(206, {{"Content-Range", "bytes 0-99/1234"}, {"Content-Type", "text/html"}}));
    EXPECT_TRUE(check(206, {{"Content-Range", "bytes 0-99/1234"}, {"Content-Type", "a/b"}}));
}

TEST_F(AnswerCheck, AUrlMaySayThatItIsAPage) {
    options.url = "https://host/docs/INDEX.html?x=.json";
    EXPECT_TRUE(is_stored({{"Content-Type", "text/html"}}));
    EXPECT_FALSE(is_stored({{"Content-Type", "application/json"}}));
    options.url = "https://host/config.json";
    EXPECT_TRUE(is_stored({{"Content-Type", "application/json"}}));
}

TEST_F(AnswerCheck, AListOfMediaTypesDecides) {
    options.content_types = {"text/html", "image/*"};
    EXPECT_TRUE(is_stored({{"Content-Type", "Text/HTML;q=1"}}));
    EXPECT_TRUE(is_stored({{"Content-Type", "image/png"}}));
    EXPECT_FALSE(is_stored({{"Content-Type", "application/octet-stream"}}));
    EXPECT_FALSE(is_stored({}));
}

TEST_F(AnswerCheck, OnlyTheRepresentationsOwnFieldsAreKept) {
    const auto arrival = check(200, {{"Content-Length", "100"},
                                     {"Connection", "X-Hop"},
                                     {"X-Hop", "1"},
                                     {"Content-Type", "a/b"},
                                     {"Cache-Status", "other; hit"},
                                     {"Age", "30"},
                                     {"eTag", "\"a\""}});
    const auto stored = decode_head(arrival->head);
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored->head.status, 200);
    EXPECT_EQ(stored->received, now - std::chrono::seconds(30));
    std::string names;
    for (const http::Field& field : stored->head.fields) names += field.name + ";";
    EXPECT_EQ(names, "Content-Type;eTag;");
}

TEST_F(AnswerCheck, APartIsKeptAsTheWholeThatItIsOf) {
    range = RangeSpec(10, 19);
    const auto arrival =
        check(206, {{"Content-Range", "bytes 10-19/100"}, {"Content-Length", "10"}});
    const auto stored = decode_head(arrival->head);
    EXPECT_EQ(stored->head.status, 200);
    EXPECT_EQ(stored->head.reason, "OK");
    EXPECT_EQ(stored->head.fields.size(), 0U);
}

TEST_F(AnswerCheck, WhereAPartIsAllThereIsItBeginsAtZeroAndNamesItsWhole) {
    range = RangeSpec(10, 19);
    options.part = ByteRange(10, 20);
    const auto arrival = check(206, {{"Content-Range", "bytes 10-19/100"},
                                     {"Content-Length", "10"},
                                     {"ETag", "\"v\""},
                                     {"X-Linked-Etag", std::string(64, 'a')}});
    ASSERT_TRUE(arrival) << arrival.error().what;
    EXPECT_EQ(arrival->offset, 0U);
    EXPECT_EQ(arrival->size, 10U);
    EXPECT_FALSE(arrival->ranged);
    EXPECT_EQ(arrival->validator, "part of 100:etag:\"v\"");
    EXPECT_FALSE(arrival->digest);  // that would be of the whole
    EXPECT_EQ(decode_head(arrival->head)->head.fields.get("Content-Range"), "bytes 10-19/100");
}

TEST_F(AnswerCheck, AnythingButThePartIsNotStored) {
    range = RangeSpec(10, 19);
    options.part = ByteRange(10, 20);
    EXPECT_EQ(error(200, {{"Content-Length", "100"}}), Errc::unsupported);
    EXPECT_EQ(error(206, {{"Content-Range", "bytes 10-14/15"}, {"Content-Length", "5"}}),
              Errc::unsupported);
}

TEST(StoredHead, DamageIsNoticed) {
    http::ResponseHead head;
    head.status = 200;
    head.fields.add("A", "1");
    head.fields.add("Split", "1\nB: 2");  // never becomes two fields
    const std::string encoded = encode_head(head, WallTime());
    EXPECT_EQ(decode_head(encoded)->head.fields.size(), 1U);
    for (const std::string_view bad :
         {"", "x", "12 200", "12 x\n", " 200\n", "12 200\nno colon\n", "12 99\n", "-1 200\n",
          "99999999999999999 200\n", "12 200\n: 1\n", "12 200\nA: 1\rB: 2\n"})
        EXPECT_EQ(decode_head(bad).error().code, Errc::corrupt) << bad;
}

TEST(DigestTold, InEveryFormAnOriginMayUse) {
    const auto told = [](std::string_view name, std::string value) {
        http::Fields fields;
        fields.add(name, value);
        const auto digest = digest_told(fields);
        return digest ? digest->hex() : "";
    };
    EXPECT_EQ(told("X-Linked-Etag", fmt::format("\"{}\"", kHex)), kHex);
    EXPECT_EQ(told("Docker-Content-Digest", fmt::format("sha256:{}", kHex)), kHex);
    EXPECT_EQ(told("Digest", fmt::format("MD5=x, SHA-256={}", kBase64)), kHex);
    EXPECT_EQ(told("Repr-Digest", fmt::format("sha-512=:x:, sha-256=:{}:", kBase64)), kHex);
    EXPECT_EQ(told("Content-Digest", fmt::format("sha-256=:{}:", kBase64)), "");  // of one message
    EXPECT_EQ(told("ETag", fmt::format("\"{}\"", kHex)), "");
    EXPECT_EQ(told("X-Linked-Etag", "\"d41d8cd98f00b204e9800998ecf8427e\""), "");
    EXPECT_EQ(told("Docker-Content-Digest", "sha512:00"), "");
    EXPECT_EQ(told("Repr-Digest", fmt::format("sha-256={}", kBase64)), "");
}

TEST(DigestTold, TwoThatDisagreeAreNone) {
    http::Fields fields;
    fields.add("X-Linked-Etag", fmt::format("\"{}\"", kHex));
    fields.add("Docker-Content-Digest", "sha256:" + std::string(64, '0'));
    EXPECT_FALSE(digest_told(fields));
}

}  // namespace
}  // namespace hawker::origin
