#include "daemon/registry/manifest.h"

#include "daemon/registry/route.h"

#include <gtest/gtest.h>

namespace hawker::registry {
namespace {

constexpr std::string_view kBody = R"({"schemaVersion":2})";

Digest digest_of(std::string_view body) { return Digest{sha256_of(body)}; }

http::ResponseHead head_with(std::string_view name, std::string_view value) {
    http::ResponseHead head;
    head.status = 200;
    head.fields.add(name, value);
    return head;
}

TEST(Manifest, IsWhatItsDigestSays) {
    http::ResponseHead head;
    const auto kept = check_manifest(head, kBody, digest_of(kBody));
    ASSERT_TRUE(kept);
    EXPECT_TRUE(*kept);
    EXPECT_EQ(head.fields.get("Docker-Content-Digest"), digest_text(digest_of(kBody)));
}

TEST(Manifest, IsRefusedWhereItIsSomethingElse) {
    http::ResponseHead head;
    EXPECT_EQ(check_manifest(head, R"({"a":1})", digest_of(kBody)).error().code, Errc::corrupt);
    auto told = head_with("Docker-Content-Digest", digest_text(digest_of(kBody)));
    EXPECT_EQ(check_manifest(told, R"({"a":1})", std::nullopt).error().code, Errc::corrupt);
    EXPECT_EQ(check_manifest(told, R"({"a":1})", digest_of(R"({"a":1})")).error().code,
              Errc::corrupt);
}

TEST(Manifest, IsPassedOnWhereNobodyCanTell) {
    auto schema_1 =
        head_with("Content-Type", "application/vnd.docker.distribution.manifest.v1+prettyjws");
    EXPECT_EQ(check_manifest(schema_1, kBody, digest_of("signed part")).value_or(true), false);
    auto longer = head_with("Docker-Content-Digest", "sha512:" + std::string(128, 'a'));
    EXPECT_EQ(check_manifest(longer, kBody, std::nullopt).value_or(true), false);
}

TEST(Manifest, APageOfALoginIsNone) {
    auto page = head_with("Content-Type", "text/html");
    EXPECT_EQ(check_manifest(page, kBody, std::nullopt).error().code, Errc::corrupt);
    EXPECT_EQ(check_listing(page, kBody).error().code, Errc::corrupt);
    const auto json = head_with("Content-Type", "application/json; charset=utf-8");
    EXPECT_EQ(check_listing(json, "<html>").error().code, Errc::corrupt);
    EXPECT_TRUE(check_listing(json, " {}"));
}

TEST(Manifest, AnAcceptIsTheSameInAnyOrder) {
    http::Fields one;
    one.add("Accept", "application/b, Application/A;q=0.5");
    one.add("Accept", "*/*");
    http::Fields two;
    two.add("Accept", "*/*,application/a;q=0.5,,application/b ,application/b");
    EXPECT_EQ(accepted_types(one), accepted_types(two));
    EXPECT_EQ(accepted_types({}), "");
}

TEST(Blob, OfAStoresHeadOnlyWhatBelongsToTheBytesStays) {
    auto head = head_with("x-amz-request-id", "1");
    head.fields.add("Content-Length", "5");
    head.fields.add("etag", "\"of-the-store\"");
    head.fields.add("Vary", "Origin");
    make_blob_head(head, digest_of("hello"));
    EXPECT_EQ(head.fields.get("ETag"), "\"" + digest_text(digest_of("hello")) + "\"");
    EXPECT_EQ(head.fields.get("Content-Length"), "5");
    EXPECT_FALSE(head.fields.has("X-Amz-Request-Id"));
    EXPECT_FALSE(head.fields.has("Vary"));
}

TEST(ErrorDocument, IsTheSpecificationsWhateverTheSentence) {
    EXPECT_EQ(error_document(403, "say \"please\"\xff"),
              R"({"errors":[{"code":"DENIED","detail":{"said_by":"hawker"},)"
              R"("message":"say \"please\"\ufffd"}]})");
}

TEST(Challenge, BasicIsToldFromBearer) {
    auto head = head_with("WWW-Authenticate", R"(basic realm="x")");
    EXPECT_FALSE(asks_for_basic(head));
    head.status = 401;
    EXPECT_TRUE(asks_for_basic(head));
    head.fields.set("WWW-Authenticate", R"(Bearer realm="https://auth.example/token")");
    EXPECT_FALSE(asks_for_basic(head));
}

}  // namespace
}  // namespace hawker::registry
