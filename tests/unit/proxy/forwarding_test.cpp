#include "daemon/proxy/forwarding.h"

#include <gtest/gtest.h>

namespace hawker::proxy {
namespace {

http::RequestHead request_with(std::initializer_list<http::Field> fields) {
    http::RequestHead head;
    head.method = "GET";
    for (const http::Field& field : fields) head.fields.add(field.name, field.value);
    return head;
}

TEST(Forwarding, HopByHopAndProxyFieldsStayHere) {
    const auto request = request_with({{"Connection", "close, X-Hop"},
                                       {"X-Hop", "1"},
                                       {"Proxy-Authorization", "Basic c2VjcmV0"},
                                       {"Proxy-Connection", "keep-alive"},
                                       {"TE", "trailers"},
                                       {"X-Hawker-Tag", "nightly"},
                                       {"X-Mine", "2"}});
    const http::Fields fields = forwarded_fields(request, "me");
    EXPECT_FALSE(fields.has("Connection"));
    EXPECT_FALSE(fields.has("X-Hop"));
    EXPECT_FALSE(fields.has("Proxy-Authorization"));
    EXPECT_FALSE(fields.has("Proxy-Connection"));
    EXPECT_FALSE(fields.has("TE"));
    EXPECT_FALSE(fields.has("X-Hawker-Tag"));
    EXPECT_EQ(fields.get("X-Mine"), "2");
}

TEST(Forwarding, ViaIsExtendedNotReplaced) {
    const http::Fields fields = forwarded_fields(request_with({{"Via", "1.0 before"}}), "me");
    EXPECT_EQ(fields.joined("Via"), "1.0 before, 1.1 me");
}

TEST(Forwarding, HostIsLeftToTheTarget) {
    EXPECT_FALSE(forwarded_fields(request_with({{"Host", "elsewhere.example"}}), "me").has("Host"));
}

TEST(Forwarding, AFetchForOthersCarriesOnlyFieldsThatCannotSteerTheBytes) {
    const auto request = request_with({{"Authorization", "Bearer t"},
                                       {"Range", "bytes=0-1"},
                                       {"If-None-Match", "\"x\""},
                                       {"Accept-Encoding", "gzip"},
                                       {"X-Forwarded-Host", "evil.example"},
                                       {"X-Amz-Request-Payer", "requester"},
                                       {"User-Agent", "git-lfs/3.3.0"}});
    const http::Fields fields = fetch_fields(request, "me");
    EXPECT_EQ(fields.get("Authorization"), "Bearer t");
    EXPECT_EQ(fields.get("X-Amz-Request-Payer"), "requester");
    EXPECT_EQ(fields.get("User-Agent"), "git-lfs/3.3.0");
    for (const char* absent : {"Range", "If-None-Match", "Accept-Encoding", "X-Forwarded-Host"})
        EXPECT_FALSE(fields.has(absent)) << absent;
}

TEST(Forwarding, APrincipalIsEveryCredentialAndNothingElse) {
    filters::Decision decision;
    decision.credentials = "Signature=a";
    const std::string alone = principal_of(request_with({{"User-Agent", "x"}}), decision);
    EXPECT_EQ(alone, principal_of(request_with({{"User-Agent", "y"}}), decision));
    EXPECT_NE(alone, principal_of(request_with({{"Authorization", "Bearer t"}}), decision));
    EXPECT_NE(principal_of(request_with({{"Cookie", "a"}}), decision),
              principal_of(request_with({{"Authorization", "a"}}), decision));
    filters::Decision other;
    other.credentials = "Signature=b";
    EXPECT_NE(alone, principal_of(request_with({}), other));
}

TEST(Forwarding, WhatASignatureCoversIsLeftAloneUnlessAFetchSendsItToo) {
    const auto covered = [](std::string_view authorization) {
        http::Fields fields;
        fields.add("Authorization", authorization);
        return field_to_leave_alone(fields);
    };
    EXPECT_EQ(covered("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host;range;x-amz-date, "
                      "Signature=0"),
              "range");
    EXPECT_EQ(covered("AWS4-HMAC-SHA256 Credential=a,SignedHeaders=host;x-amz-date,Signature=0"),
              "");
    EXPECT_EQ(
        covered("Signature keyId=\"k\",headers=\"(request-target) host Date\",signature=\"s\""),
        "date");
    EXPECT_EQ(covered("OSS4-HMAC-SHA256 Credential=a,AdditionalHeaders=if-match,Signature=0"),
              "if-match");
    EXPECT_EQ(covered("q-sign-algorithm=sha1&q-header-list=host;accept-encoding&q-signature=0"),
              "accept-encoding");
    EXPECT_EQ(covered("Bearer headers"), "");
    EXPECT_EQ(covered("AWS4-HMAC-SHA256 NotSignedHeaders=range"), "");
    EXPECT_EQ(covered("Signature headers=\""), "");
    http::Fields message;
    message.add("Signature-Input", "s=(\"@method\");created=1");
    EXPECT_EQ(field_to_leave_alone(message), "signature-input");
    EXPECT_EQ(field_to_leave_alone(http::Fields()), "");
}

TEST(Forwarding, AFetchSpeaksForAClientWhoseFieldsItHas) {
    http::Fields fields;
    for (const std::string_view name :
         {"Host", "User-Agent", "Accept", "Accept-Encoding", "Authorization", "Range", "Connection",
          "x-amz-date", "X-Dragonfly-Tag", "Proxy-Authorization"})
        fields.add(std::string(name), "x");
    EXPECT_TRUE(fetch_says_all(fields));
    for (const std::string_view name : {"X-JFrog-Art-Api", "Accept-Language", "Referer"}) {
        http::Fields more = fields;
        more.add(std::string(name), "x");
        EXPECT_FALSE(fetch_says_all(more)) << name;
    }
}

TEST(Forwarding, ARequestThatWasHereBeforeIsALoop) {
    http::Fields fields;
    fields.add("Via", "1.1 a.example, 1.1 me (comment)");
    EXPECT_TRUE(has_looped(fields, "me"));
    EXPECT_TRUE(has_looped(fields, "ME"));
    EXPECT_FALSE(has_looped(fields, "m"));
    EXPECT_FALSE(has_looped(http::Fields(), "me"));
}

TEST(Forwarding, AnOriginsHopByHopFieldsDoNotReachTheClient) {
    http::ResponseHead head;
    head.fields.add("Connection", "close");
    head.fields.add("Proxy-Authenticate", "Basic");
    head.fields.add("ETag", "\"x\"");
    make_relayable(head, "me");
    EXPECT_FALSE(head.fields.has("Connection"));
    EXPECT_FALSE(head.fields.has("Proxy-Authenticate"));
    EXPECT_EQ(head.fields.get("ETag"), "\"x\"");
    EXPECT_EQ(head.fields.get("Via"), "1.1 me");
}

}  // namespace
}  // namespace hawker::proxy
