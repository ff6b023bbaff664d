#include "daemon/proxy/stored_response.h"

#include <gtest/gtest.h>

namespace hawker::proxy {
namespace {

class StoredResponse : public testing::Test {
protected:
    StoredResponse() {
        request.method = "GET";
        representation.size = 1000;
        stored.head.status = 200;
        stored.head.fields.add("ETag", "\"v1\"");
        stored.head.fields.add("Content-Type", "application/zip");
        stored.received = WallTime(std::chrono::seconds(1'000'000));
    }

    StoredAnswer answer(std::chrono::seconds later = std::chrono::seconds(60)) const {
        return answer_from(request, overrides, representation, stored, stored.received + later);
    }
    void ask(std::string_view name, std::string_view value) { request.fields.add(name, value); }

    http::RequestHead request;
    filters::ResponseOverrides overrides;
    cache::Representation representation;
    origin::StoredHead stored;
};

TEST_F(StoredResponse, AWholeAnswerTellsItsAgeAndThatItCanBeCut) {
    const StoredAnswer whole = answer();
    EXPECT_EQ(whole.head.status, 200);
    EXPECT_EQ(whole.body_length, 1000U);
    EXPECT_EQ(whole.head.fields.get("Age"), "60");
    EXPECT_EQ(whole.head.fields.get("Accept-Ranges"), "bytes");
    EXPECT_TRUE(whole.head.fields.has("Date"));
}

TEST_F(StoredResponse, ARangeIsCutOut) {
    ask("Range", "bytes=10-19");
    const StoredAnswer part = answer();
    EXPECT_EQ(part.head.status, 206);
    EXPECT_EQ(part.body_length, 10U);
    EXPECT_EQ(part.head.fields.get("Content-Range"), "bytes 10-19/1000");
    ASSERT_EQ(part.ranges.size(), 1U);
    EXPECT_EQ(part.ranges.front().first, 10U);
}

TEST_F(StoredResponse, SeveralRangesAreMultipartWithoutAContentRangeOfTheirOwn) {
    representation.size = 100'000;  // ranges closer than 4 KiB would be merged
    ask("Range", "bytes=0-0,90000-99999");
    const StoredAnswer parts = answer();
    EXPECT_EQ(parts.head.status, 206);
    ASSERT_TRUE(parts.multipart);
    EXPECT_FALSE(parts.head.fields.has("Content-Range"));
    EXPECT_TRUE(parts.head.fields.get("Content-Type")->starts_with("multipart/byteranges"));
    EXPECT_EQ(parts.body_length, parts.multipart->content_length());
}

TEST_F(StoredResponse, BeyondTheEndIs416WithTheSize) {
    ask("Range", "bytes=1000-");
    const StoredAnswer none = answer();
    EXPECT_EQ(none.head.status, 416);
    EXPECT_EQ(none.head.fields.get("Content-Range"), "bytes */1000");
    EXPECT_TRUE(none.ranges.empty());
}

TEST_F(StoredResponse, IfRangeDecidesBothWays) {
    ask("Range", "bytes=0-9");
    ask("If-Range", "\"v1\"");
    EXPECT_EQ(answer().head.status, 206);
    request.fields.set("If-Range", "\"v0\"");
    EXPECT_EQ(answer().head.status, 200);
}

TEST_F(StoredResponse, AKnownValidatorIsNotModified) {
    ask("If-None-Match", "W/\"v1\"");
    const StoredAnswer same = answer();
    EXPECT_EQ(same.head.status, 304);
    EXPECT_TRUE(same.ranges.empty());
    EXPECT_EQ(same.head.fields.get("ETag"), "\"v1\"");
}

TEST_F(StoredResponse, WhatTheQueryAsksForIsAppliedToThisAnswerAlone) {
    overrides.content_disposition = "attachment; filename=\"a.zip\"";
    overrides.content_type = "application/octet-stream";
    const StoredAnswer dressed = answer();
    EXPECT_EQ(dressed.head.fields.get("Content-Disposition"), "attachment; filename=\"a.zip\"");
    EXPECT_EQ(dressed.head.fields.get("Content-Type"), "application/octet-stream");
    EXPECT_EQ(stored.head.fields.get("Content-Type"), "application/zip");
}

TEST_F(StoredResponse, ABodyOfUnknownLengthIsSentWholeWhateverTheRange) {
    representation.size.reset();
    ask("Range", "bytes=0-9");
    const StoredAnswer unknown = answer();
    EXPECT_EQ(unknown.head.status, 200);
    EXPECT_FALSE(unknown.body_length);
    EXPECT_FALSE(unknown.head.fields.has("Accept-Ranges"));
}

TEST_F(StoredResponse, AnEmptyRepresentationHasNoBody) {
    representation.size = 0;
    const StoredAnswer empty = answer();
    EXPECT_EQ(empty.head.status, 200);
    EXPECT_EQ(empty.body_length, 0U);
    EXPECT_TRUE(empty.ranges.empty());
}

TEST_F(StoredResponse, TheHintForAFetchIsTheOnlyRangeOrTheWhole) {
    EXPECT_TRUE(wanted_range(request).is_whole());
    ask("Range", "bytes=-5");
    EXPECT_EQ(wanted_range(request), RangeSpec::suffix(5));
    ask("If-Range", "\"v1\"");
    EXPECT_TRUE(wanted_range(request).is_whole());
}

}  // namespace
}  // namespace hawker::proxy
