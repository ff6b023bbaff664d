// Dates, entity tags and preconditions: R7 to R9.
#include "daemon/http/validators.h"

#include "tests/unit/http/fields.h"

#include <gtest/gtest.h>

namespace hawker::http {
namespace {

using namespace std::chrono_literals;

const WallTime kRightNow = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 6 / 1));
const std::string kEarly = "Sun, 06 Nov 1994 08:49:37 GMT";
const std::string kLater = "Sun, 06 Nov 1994 08:49:38 GMT";

TEST(Date, TheThreeFormsMeanTheSame) {
    const WallTime expected = WallTime(784111777s);
    EXPECT_EQ(parse_date(kEarly), expected);
    EXPECT_EQ(parse_date("Sunday, 06-Nov-94 08:49:37 GMT", kRightNow), expected);
    EXPECT_EQ(parse_date("Sun Nov  6 08:49:37 1994"), expected);
    EXPECT_EQ(parse_date("Wed Nov 16 08:49:37 1994"), expected + std::chrono::days(10));
    EXPECT_EQ(format_date(expected + 999ms), kEarly);
}

TEST(Date, TwoDigitsOfAYearMeanTheNearestCentury) {
    const auto year_of = [](std::string_view text) {
        return format_date(*parse_date(text, kRightNow)).substr(12, 4);
    };
    EXPECT_EQ(year_of("Sunday, 06-Nov-76 08:49:37 GMT"), "2076");
    EXPECT_EQ(year_of("Sunday, 06-Nov-77 08:49:37 GMT"), "1977");
}

TEST(Date, WhatIsNoDateIsRefused) {
    for (const std::string_view text :
         {"", "0", "-1", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37",
          "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 1994 08:49:37 GMT",
          "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
          "Xun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT+1",
          "Sun, 06 Nov +994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "784111777"})
        EXPECT_EQ(parse_date(text), std::nullopt) << text;
}

TEST(Date, TheEndOfTimeDoesNotOverflow) {
    const auto far = parse_date("Fri, 31 Dec 9999 23:59:59 GMT");
    const auto old = parse_date("Sat, 01 Jan 0001 00:00:00 GMT");
    ASSERT_TRUE(far && old);
    EXPECT_GT(*far - *old, 24h * 365 * 200);
}

TEST(EntityTag, IsQuotedAndMayBeWeak) {
    for (const std::string_view tag : {"\"a\"", "\"\"", "W/\"a\"", "\"a\\b\"", "\"\xe4\""})
        EXPECT_TRUE(is_entity_tag(tag)) << tag;
    for (const std::string_view text :
         {"", "a", "\"", "\"a", "w/\"a\"", "W/a", "\"a\"b\"", "\"a b\"", "*", "W/\""})
        EXPECT_FALSE(is_entity_tag(text)) << text;
    EXPECT_TRUE(is_strong("\"a\""));
    EXPECT_FALSE(is_strong("W/\"a\""));
    EXPECT_FALSE(is_strong("a"));
}

TEST(EntityTag, ComparesStronglyAndWeaklyAsTheTableOfTheRfcSays) {
    struct Row {
        std::string_view a, b;
        bool strong, weak;
    };
    for (const Row& row :
         {Row{"W/\"1\"", "W/\"1\"", false, true}, Row{"W/\"1\"", "W/\"2\"", false, false},
          Row{"W/\"1\"", "\"1\"", false, true}, Row{"\"1\"", "\"1\"", true, true},
          Row{"1", "1", false, false}}) {
        EXPECT_EQ(strong_match(row.a, row.b), row.strong) << row.a << row.b;
        EXPECT_EQ(weak_match(row.a, row.b), row.weak) << row.a << row.b;
    }
}

struct Condition {
    std::string_view fact, name, value;
    Verdict get, put;
};

TEST(Preconditions, AreEvaluatedAgainstTheStoredResponse) {
    const auto stored = fields({{"ETag", "\"a\""}, {"Last-Modified", kEarly}, {"Date", kLater}});
    constexpr auto kProceed = Verdict::proceed, kSame = Verdict::not_modified,
                   kFailed = Verdict::precondition_failed;
    const Condition conditions[] = {
        {"R9", "If-Match", "\"a\"", kProceed, kProceed},
        {"R9", "If-Match", "\"x\", \"a\"", kProceed, kProceed},
        {"R9", "If-Match", "*", kProceed, kProceed},
        {"R9", "If-Match", "W/\"a\"", kFailed, kFailed},
        {"R9", "If-Match", "\"x\"", kFailed, kFailed},
        {"R9", "If-Match", "a", kFailed, kFailed},
        {"R8", "If-Unmodified-Since", kEarly, kProceed, kProceed},
        {"R8", "If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:36 GMT", kFailed, kFailed},
        {"R8", "If-Unmodified-Since", "tomorrow", kProceed, kProceed},
        {"R9", "If-None-Match", "\"a\"", kSame, kFailed},
        {"R9", "If-None-Match", "W/\"a\"", kSame, kFailed},
        {"R9", "If-None-Match", "\"x,y\" , \"a\"", kSame, kFailed},
        {"R9", "If-None-Match", "\"x\\\", \"a\"", kSame, kFailed},
        {"R9", "If-None-Match", "*", kSame, kFailed},
        {"R9", "If-None-Match", "\"x\"", kProceed, kProceed},
        {"R9", "If-None-Match", "", kProceed, kProceed},
        {"R8", "If-Modified-Since", kEarly, kSame, kProceed},
        {"R8", "If-Modified-Since", kLater, kSame, kProceed},
        {"R8", "If-Modified-Since", "Sun, 06 Nov 1994 08:49:36 GMT", kProceed, kProceed},
        {"R8", "If-Modified-Since", "never", kProceed, kProceed},
    };
    for (const Condition& it : conditions) {
        const auto request = fields({{it.name, std::string(it.value)}});
        EXPECT_EQ(evaluate_preconditions("GET", request, stored), it.get)
            << it.fact << it.name << it.value;
        EXPECT_EQ(evaluate_preconditions("HEAD", request, stored), it.get)
            << it.fact << it.name << it.value;
        EXPECT_EQ(evaluate_preconditions("PUT", request, stored), it.put)
            << it.fact << it.name << it.value;
    }
}

TEST(Preconditions, AnEarlierOneHidesALaterOne) {
    const auto stored = fields({{"ETag", "\"a\""}, {"Last-Modified", kEarly}});
    const auto changed_but_old =
        fields({{"If-None-Match", "\"x\""}, {"If-Modified-Since", kLater}});
    EXPECT_EQ(evaluate_preconditions("GET", changed_but_old, stored), Verdict::proceed);
    const auto matches_but_late =
        fields({{"If-Match", "\"a\""}, {"If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:36 GMT"}});
    EXPECT_EQ(evaluate_preconditions("GET", matches_but_late, stored), Verdict::proceed);
    const auto fails_first = fields({{"If-Match", "\"x\""}, {"If-None-Match", "\"a\""}});
    EXPECT_EQ(evaluate_preconditions("GET", fails_first, stored), Verdict::precondition_failed);
}

TEST(Preconditions, WithoutLastModifiedTheDateDecides) {
    const auto stored = fields({{"Date", kEarly}});
    EXPECT_EQ(evaluate_preconditions("GET", fields({{"If-Modified-Since", kEarly}}), stored),
              Verdict::not_modified);
    EXPECT_EQ(evaluate_preconditions("GET", fields({{"If-Modified-Since", kEarly}}), Fields()),
              Verdict::proceed);
    EXPECT_EQ(evaluate_preconditions("GET", fields({{"If-None-Match", "\"a\""}}), stored),
              Verdict::proceed);
}

TEST(IfRange, HoldsOnlyForAStrongValidatorThatMatches) {
    const auto strong = fields({{"ETag", "\"a\""}, {"Last-Modified", kEarly}, {"Date", kLater}});
    const auto weak = fields({{"ETag", "W/\"a\""}, {"Last-Modified", kEarly}, {"Date", kEarly}});
    EXPECT_TRUE(if_range_holds(Fields(), strong));
    EXPECT_TRUE(if_range_holds(fields({{"If-Range", "\"a\""}}), strong));
    EXPECT_FALSE(if_range_holds(fields({{"If-Range", "\"x\""}}), strong));
    EXPECT_FALSE(if_range_holds(fields({{"If-Range", "W/\"a\""}}), weak));
    EXPECT_FALSE(if_range_holds(fields({{"If-Range", "\"a\""}}), weak));
    EXPECT_TRUE(if_range_holds(fields({{"If-Range", kEarly}}), strong));
    EXPECT_FALSE(if_range_holds(fields({{"If-Range", kLater}}), strong));
    EXPECT_FALSE(
        if_range_holds(fields({{"If-Range", kEarly}}), weak));  // made in the second of its change
    EXPECT_FALSE(
        if_range_holds(fields({{"If-Range", kEarly}}), fields({{"Last-Modified", kEarly}})));
    EXPECT_FALSE(if_range_holds(fields({{"If-Range", "nonsense"}}), strong));
    EXPECT_FALSE(if_range_holds(fields({{"If-Range", "\"a\""}, {"If-Range", "\"a\""}}), strong));
}

}  // namespace
}  // namespace hawker::http
