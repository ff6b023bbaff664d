// What is kept of a response under `policy: http`, and what is read of it in another life.
#include "daemon/proxy/stored_variant.h"

#include "daemon/http/validators.h"

#include <gtest/gtest.h>

namespace hawker::proxy {
namespace {

using namespace std::chrono_literals;
using std::chrono::seconds;

const WallTime kStoredAt = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 6 / 1));
const Exchanged kJustNow{kStoredAt, kStoredAt};

using Pairs = std::initializer_list<std::pair<std::string_view, std::string>>;

http::Fields fields(Pairs list) {
    http::Fields result;
    for (const auto& [name, value] : list) result.add(name, value);
    return result;
}

StoredVariant variant(Pairs response, Pairs request = {}, int status = 200,
                      const http::StoringTerms& terms = {}) {
    http::ResponseHead head;
    head.status = status;
    head.fields = fields(response);
    TaskId task;
    task.bytes[31] = std::byte{7};
    return variant_of(task, fields(request), std::move(head), kJustNow, terms);
}

TEST(StoredVariant, ReadsWhatItWrote) {
    const auto written = variant(
        {{"Cache-Control", "max-age=60"}, {"ETag", "\"a\""}, {"Age", "10"}, {"Vary", "Foo, Bar"}},
        {{"Foo", "1"}}, 404);
    const auto read = decode_variant(written.task, encode(written));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->names, written.names);
    EXPECT_EQ(read->selection, written.selection);
    EXPECT_EQ(read->arrived, written.arrived);
    EXPECT_EQ(read->stored.head.status, 404);
    EXPECT_EQ(read->stored.received, kStoredAt - 10s);
    EXPECT_EQ(read->terms.lifetime, 60s);
    EXPECT_EQ(read->age(kStoredAt + 5s), 15s);
    EXPECT_FALSE(read->stored.head.fields.has("X-Hawker-Selection"));
    EXPECT_FALSE(decode_variant(written.task, origin::encode_head(written.stored.head, kStoredAt)));
    EXPECT_FALSE(decode_variant(written.task, "garbage"));
}

TEST(StoredVariant, WhatSelectedItIsKeptAsAHash) {
    const auto of_one = variant({{"Vary", "Accept-Language"}}, {{"Accept-Language", "en, de"}});
    EXPECT_TRUE(of_one.fits(fields({{"Accept-Language", "EN,de"}, {"Other", "x"}})));
    EXPECT_FALSE(of_one.fits(fields({{"Accept-Language", "en"}})));
    EXPECT_FALSE(of_one.fits({}));
    EXPECT_EQ(encode(of_one).find("en,"), std::string::npos);
}

TEST(StoredVariant, FieldsOfOneAnswerOrOneConnectionAreNotKept) {
    const auto kept = variant({{"Connection", "x-mine"},
                               {"X-Mine", "1"},
                               {"X-Hawker-Selection", "forged"},
                               {"Set-Cookie", "a=b"},
                               {"Content-Length", "5"},
                               {"Age", "0"},
                               {"Cache-Control", "no-cache=\"X-Secret\""},
                               {"X-Secret", "s"},
                               {"X-Kept", "k"}});
    const http::Fields& left = kept.stored.head.fields;
    for (const auto* name : {"Connection", "X-Mine", "X-Hawker-Selection", "Set-Cookie",
                             "Content-Length", "Age", "X-Secret"})
        EXPECT_FALSE(left.has(name)) << name;
    EXPECT_TRUE(left.has("X-Kept"));
    EXPECT_EQ(left.get("Date"), http::format_date(kStoredAt));
    http::StoringTerms terms;
    terms.keeps_cookies = true;
    EXPECT_TRUE(
        variant({{"Set-Cookie", "a=b"}}, {}, 200, terms).stored.head.fields.has("Set-Cookie"));
}

TEST(StoredVariant, AConfirmationMakesItYoung) {
    const auto before = variant({{"Cache-Control", "max-age=60"},
                                 {"Date", http::format_date(kStoredAt)},
                                 {"ETag", "\"a\""},
                                 {"X-A", "1"}});
    EXPECT_EQ(before.use({}, kStoredAt + 90s), http::Use::validate);
    const Exchanged later{kStoredAt + 89s, kStoredAt + 90s};
    const auto after =
        refreshed(before, fields({{"X-A", "2"}, {"Age", "4"}, {"ETag", "\"b\""}}), later, {});
    EXPECT_EQ(after.use({}, kStoredAt + 90s), http::Use::fresh);
    EXPECT_EQ(after.age(kStoredAt + 90s), 5s);  // what it says, and the time that the answer took
    EXPECT_EQ(after.stored.head.fields.get("X-A"), "2");
    EXPECT_EQ(after.stored.head.fields.get("ETag"), "\"a\"");
    EXPECT_EQ(after.task, before.task);
    const auto shorter = refreshed(before, fields({{"Cache-Control", "max-age=1"}}), later, {});
    EXPECT_EQ(shorter.terms.lifetime, 1s);
}

TEST(StoredVariant, NamesOfOneKeyStandSideBySide) {
    TaskId primary;
    for (std::size_t i = 0; i < primary.bytes.size(); ++i)
        primary.bytes[i] = static_cast<std::byte>(i + 1);
    const TaskId one = new_variant_id(primary), other = new_variant_id(primary);
    EXPECT_NE(one, other);
    EXPECT_TRUE(is_variant_of(one, primary));
    EXPECT_LT(before_variants(primary), one);
    TaskId neighbour = primary;
    neighbour.bytes[19] ^= std::byte{1};
    EXPECT_FALSE(is_variant_of(one, neighbour));
}

}  // namespace
}  // namespace hawker::proxy
