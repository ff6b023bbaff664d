// Real shapes of signed URLs: names as the services write them, values made up.
#include "filters/signed_urls.h"

#include "tests/unit/filters/fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::filters {
namespace {

using testing::ElementsAre;

constexpr std::int64_t kNewYear = 1'767'225'600;  // 2026-01-01T00:00:00Z

TEST(SignedUrl, AwsSigV4) {
    const auto d =
        stripped_by({"aws-sigv4"},
                    "https://bucket.s3.eu-west-1.amazonaws.com/a/"
                    "b%20c.bin?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20260101"
                    "%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires="
                    "3600&X-Amz-SignedHeaders=host&"
                    "X-Amz-Security-Token=IQoJb3&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&x-id="
                    "GetObject&X-Amz-Signature=5d1a");
    EXPECT_EQ(d.road, Road::cache);
    EXPECT_EQ(d.canonical_url, "https://bucket.s3.eu-west-1.amazonaws.com/a/b%20c.bin");
    EXPECT_EQ(d.credentials_expire, kNewYear + 3600);
    EXPECT_EQ(stripped_names(d).size(), 9U);
    EXPECT_TRUE(d.credentials.ends_with("&X-Amz-Signature=5d1a"));
}

TEST(SignedUrl, AwsSigV2) {
    const auto d = stripped_by(
        {"aws-sigv2"},
        "https://b.s3.amazonaws.com/k?AWSAccessKeyId=AKIA&Expires=1767225600&Signature=vj%3D");
    EXPECT_EQ(d.canonical_url, "https://b.s3.amazonaws.com/k");
    EXPECT_EQ(d.credentials_expire, kNewYear);
}

TEST(SignedUrl, CloudFrontCannedAndCustom) {
    const auto canned = stripped_by(
        {"cloudfront"},
        "https://d1.cloudfront.net/k?v=2&Expires=1767225600&Signature=a~b-&Key-Pair-Id=K2");
    EXPECT_EQ(canned.canonical_url, "https://d1.cloudfront.net/k?v=2");
    EXPECT_EQ(canned.credentials_expire, kNewYear);
    // {"Statement":[{"Resource":"*","Condition":{"DateGreaterThan":{"AWS:EpochTime":1},"DateLessThan":{"AWS:EpochTime":1767225600}}}]}
    const auto custom = stripped_by(
        {"cloudfront"},
        "https://d1.cloudfront.net/"
        "k?Policy="
        "eyJTdGF0ZW1lbnQiOlt7IlJlc291cmNlIjoiKiIsIkNvbmRpdGlvbiI6eyJEYXRlR3JlYXRlclRoYW4iOnsiQVdTOk"
        "Vwb2NoVGltZSI6MX0sIkRhdGVMZXNzVGhhbiI6eyJBV1M6RXBvY2hUaW1lIjoxNzY3MjI1NjAwfX19XX0_&"
        "Signature=x&Key-Pair-Id=K2");
    EXPECT_EQ(custom.canonical_url, "https://d1.cloudfront.net/k");
    EXPECT_EQ(custom.credentials_expire, kNewYear);
}

TEST(SignedUrl, GoogleV4AndV2) {
    const auto v4 = stripped_by({"gcs"},
                                "https://storage.googleapis.com/b/"
                                "o?X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=a%40b&"
                                "X-Goog-Date=20260101T000000Z&X-Goog-Expires=60&X-Goog-"
                                "SignedHeaders=host&X-Goog-Signature=77&"
                                "generation=12");
    EXPECT_EQ(v4.canonical_url, "https://storage.googleapis.com/b/o?generation=12");
    EXPECT_EQ(v4.credentials_expire, kNewYear + 60);
    const auto v2 = stripped_by({"gcs"},
                                "https://storage.googleapis.com/b/"
                                "o?GoogleAccessId=a%40b&Expires=1767225600&Signature=s%2B");
    EXPECT_EQ(v2.canonical_url, "https://storage.googleapis.com/b/o");
    EXPECT_EQ(v2.credentials_expire, kNewYear);
}

TEST(SignedUrl, AzureServiceAndUserDelegation) {
    const auto service =
        stripped_by({"azure-sas"},
                    "https://a.blob.core.windows.net/c/"
                    "b?sv=2022-11-02&st=2025-12-31T00%3A00%3A00Z&se=2026-01-01T00%3A00%3A00Z&sr=b&"
                    "sp=r&spr=https&sip=10.0.0.1&snapshot=2025-01-01T00:00:00Z&sig=a%2Bb%3D");
    EXPECT_EQ(service.canonical_url,
              "https://a.blob.core.windows.net/c/b?snapshot=2025-01-01T00:00:00Z");
    EXPECT_EQ(service.credentials_expire, kNewYear);
    const auto delegated =
        stripped_by({"azure-sas"},
                    "https://a.blob.core.windows.net/c/"
                    "b?sp=r&sv=2022-11-02&sr=b&se=2026-01-01T01%3A00%3A00Z&skoid=1&sktid=2&"
                    "skt=2025-12-31T00%3A00%3A00Z&ske=2026-01-01T00%3A00%3A00Z&sks=b&skv=2022-11-"
                    "02&sig=x&rscd=inline&rsct=text%2Fplain");
    EXPECT_EQ(delegated.canonical_url, "https://a.blob.core.windows.net/c/b");
    EXPECT_EQ(delegated.credentials_expire, kNewYear)
        << "the delegated key ends before the signature";
    EXPECT_EQ(delegated.overrides.content_disposition, "inline");
    EXPECT_EQ(delegated.overrides.content_type, "text/plain");
}

TEST(SignedUrl, AlibabaOssV1AndV4) {
    const auto v1 =
        stripped_by({"aliyun-oss"},
                    "https://b.oss-cn-hangzhou.aliyuncs.com/"
                    "o?OSSAccessKeyId=L&Expires=1767225600&Signature=s&security-token=t");
    EXPECT_EQ(v1.canonical_url, "https://b.oss-cn-hangzhou.aliyuncs.com/o");
    EXPECT_EQ(v1.credentials_expire, kNewYear);
    const auto v4 =
        stripped_by({"aliyun-oss"},
                    "https://b.oss-cn-hangzhou.aliyuncs.com/"
                    "o?x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential=L%2F20260101&"
                    "x-oss-date=20260101T000000Z&x-oss-expires=600&x-oss-signature=9f&x-oss-"
                    "process=image%2Fresize%2Cw_100");
    EXPECT_EQ(v4.canonical_url,
              "https://b.oss-cn-hangzhou.aliyuncs.com/o?x-oss-process=image%2Fresize%2Cw_100");
    EXPECT_EQ(v4.credentials_expire, kNewYear + 600);
    const auto v2 = stripped_by({"aliyun-oss"},
                                "https://b.oss.aliyuncs.com/"
                                "o?x-oss-signature-version=OSS2&x-oss-expires=1767225600&x-oss-"
                                "access-key-id=L&x-oss-signature=s");
    EXPECT_EQ(v2.credentials_expire, kNewYear);
}

TEST(SignedUrl, TencentCos) {
    const auto d =
        stripped_by({"tencent-cos"},
                    "https://b-1.cos.ap-beijing.myqcloud.com/"
                    "o?q-sign-algorithm=sha1&q-ak=AKID&q-sign-time=1767222000%3B1767225600&"
                    "q-key-time=1767222000;1767229200&q-header-list=host&q-url-param-list=&q-"
                    "signature=ab&x-cos-security-token=t&imageMogr2/thumbnail/200x");
    EXPECT_EQ(d.canonical_url,
              "https://b-1.cos.ap-beijing.myqcloud.com/o?imageMogr2/thumbnail/200x");
    EXPECT_EQ(d.credentials_expire, kNewYear);
}

TEST(SignedUrl, HuaweiObs) {
    const auto d = stripped_by({"huawei-obs"},
                               "https://b.obs.cn-north-4.myhuaweicloud.com/"
                               "o?AccessKeyId=H&Expires=1767225600&x-obs-security-token=t&"
                               "Signature=s&x-image-process=style%2Fa");
    EXPECT_EQ(d.canonical_url,
              "https://b.obs.cn-north-4.myhuaweicloud.com/o?x-image-process=style%2Fa");
    EXPECT_EQ(d.credentials_expire, kNewYear);
}

TEST(SignedUrl, AlibabaCdnWithAFileName) {
    const auto d = stripped_by({"aliyun-cdn"},
                               "https://cdn-lfs-cn-1.modelscope.cn/prod/"
                               "o?auth_key=1767225600-5ef-0-9a&filename=a%20b.bin");
    EXPECT_EQ(d.canonical_url, "https://cdn-lfs-cn-1.modelscope.cn/prod/o");
    EXPECT_EQ(d.credentials_expire, kNewYear + 1'800) << "it names when it was signed";
    EXPECT_EQ(d.overrides.content_disposition, "attachment; filename=\"a b.bin\"");
    EXPECT_EQ(stripped_by({"aliyun-cdn"}, "https://a.b/o?filename=x").canonical_url,
              "https://a.b/o?filename=x");
}

TEST(SignedUrl, GithubLfs) {
    const auto d = stripped_by({"aws-sigv4", "github-lfs"},
                               "https://github-cloud.githubusercontent.com/alambic/media/1/"
                               "o?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A&"
                               "X-Amz-Date=20260101T000000Z&X-Amz-Expires=3600&X-Amz-Signature=f&X-"
                               "Amz-SignedHeaders=host&actor_id=5&key_id=0&repo_id=9&token=1");
    EXPECT_EQ(d.canonical_url, "https://github-cloud.githubusercontent.com/alambic/media/1/o");
    EXPECT_EQ(stripped_by({"github-lfs"}, "https://a.b/o?token=1").canonical_url,
              "https://a.b/o?token=1");
}

TEST(SignedUrl, GithubReleaseOnAzureAndOnS3) {
    const auto azure =
        stripped_by({"github-release"},
                    "https://release-assets.githubusercontent.com/"
                    "x?sp=r&sv=2018-11-09&sr=b&spr=https&se=2026-01-01T00%3A00%3A00Z&"
                    "rscd=attachment%3B+filename%3Dfoo.tar.gz&rsct=application%2Foctet-stream&"
                    "skoid=9&sktid=3&skt=2025-12-31T23%3A00%3A00Z&"
                    "ske=2026-01-01T00%3A00%3A01Z&sks=b&skv=2018-11-09&sig=a%3D&jwt=eyJ.x.y&"
                    "response-content-disposition=attachment%3B%20filename%3Dfoo.tar.gz&response-"
                    "content-type=application%2Foctet-stream");
    EXPECT_EQ(azure.road, Road::cache) << azure.reason;
    EXPECT_EQ(azure.canonical_url, "https://release-assets.githubusercontent.com/x");
    EXPECT_EQ(azure.overrides.content_disposition, "attachment; filename=foo.tar.gz");
    EXPECT_EQ(azure.overrides.content_type, "application/octet-stream");
    EXPECT_EQ(azure.credentials_expire, kNewYear);
    const auto s3 = stripped_by(
        {"github-release"},
        "https://objects.githubusercontent.com/"
        "x?X-Amz-Algorithm=A&X-Amz-Credential=B&X-Amz-Date=20260101T000000Z&X-Amz-Expires=300&"
        "X-Amz-Signature=f&X-Amz-SignedHeaders=host&actor_id=0&key_id=0&repo_id=7&response-content-"
        "type=a%2Fb");
    EXPECT_EQ(s3.canonical_url, "https://objects.githubusercontent.com/x");
}

TEST(SignedUrl, HuggingFaceBridgeThenAndNow) {
    const auto now = stripped_by(
        {"huggingface"},
        "https://us.aws.cdn.hf.co/xet-bridge-us/r/"
        "h?X-Xet-Cas-Uid=public&response-content-disposition=inline%3B+filename*%3DUTF-8%27%27"
        "model.safetensors%3B+filename%3D%22model.safetensors%22%3B&user_id=1&Expires=1767225600&"
        "Policy=e30_&Signature=s~&Key-Pair-Id=K");
    EXPECT_EQ(now.canonical_url, "https://us.aws.cdn.hf.co/xet-bridge-us/r/h");
    EXPECT_EQ(now.overrides.content_disposition,
              "inline; filename*=UTF-8''model.safetensors; filename=\"model.safetensors\";");
    EXPECT_EQ(now.credentials_expire, kNewYear);
    const auto then =
        stripped_by({"huggingface"},
                    "https://cas-bridge.xethub.hf.co/xet-bridge-us/r/"
                    "h?X-Amz-Algorithm=A&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=c&"
                    "X-Amz-Date=20260101T000000Z&X-Amz-Expires=3600&X-Amz-Signature=s&X-Amz-"
                    "SignedHeaders=host&X-Xet-Cas-Uid=u&x-id=GetObject");
    EXPECT_EQ(then.canonical_url, "https://cas-bridge.xethub.hf.co/xet-bridge-us/r/h");
}

TEST(SignedUrl, EverySetOfTheListIsThere) {
    for (const char* name :
         {"aws-sigv4", "aws-sigv2", "cloudfront", "gcs", "azure-sas", "aliyun-oss", "tencent-cos",
          "huawei-obs", "aliyun-cdn", "github-lfs", "github-release", "huggingface"})
        EXPECT_NE(find_parameter_set(name), nullptr) << name;
    for (const ParameterSet& set : parameter_sets())
        for (const std::string_view included : set.includes)
            EXPECT_NE(find_parameter_set(included), nullptr) << included;
}

TEST(SignedUrl, NoSetHoldsWhatSelectsContent) {
    for (const ParameterSet& set : parameter_sets()) {
        for (const std::string_view name : set.own) EXPECT_FALSE(selects_content(name)) << name;
        for (const std::string_view name : set.generic) EXPECT_FALSE(selects_content(name)) << name;
    }
}

TEST(Strip, GenericNamesGoOnlyWithTheWholeSet) {
    const std::vector<std::string> all = {"aws-sigv2",  "cloudfront", "gcs",        "azure-sas",
                                          "aliyun-oss", "huawei-obs", "github-lfs", "huggingface"};
    for (const char* query : {"Expires=1", "Signature=x", "Expires=1&Signature=x", "token=t",
                              "se=1&sp=2&sv=3&sr=4", "sig=1", "Policy=p", "user_id=1&repo_id=2",
                              "AccessKeyId=1&Signature=2", "filename=x", "st=1"})
        EXPECT_EQ(stripped_by(all, "http://a.b/o?" + std::string(query)).canonical_url,
                  "http://a.b/o?" + std::string(query));
}

TEST(Strip, ARuleThatNamesAGenericParameterStripsIt) {
    EXPECT_EQ(stripped_by({"Expires", "token"}, "http://a.b/o?expires=1&TOKEN=2&x=3").canonical_url,
              "http://a.b/o?x=3");
}

TEST(Strip, NamesCompareWithoutCaseAndWithoutNeedlessEscapes) {
    EXPECT_EQ(
        stripped_by({"aws-sigv4"}, "http://a.b/o?x-amz-signature=1&X%2DAMZ%2Ddate=2").canonical_url,
        "http://a.b/o");
}

TEST(Strip, ATrailingStarIsAPrefix) {
    EXPECT_EQ(stripped_by({"x-foo-*"}, "http://a.b/o?X-Foo-A=1&X-Foo=2&x-foo-=3").canonical_url,
              "http://a.b/o?X-Foo=2");
}

TEST(Strip, EvenAStarLeavesWhatSelectsContent) {
    EXPECT_EQ(
        stripped_by({"*"}, "http://a.b/o?a=1&versionId=2&partNumber=3&x-oss-process=i&rsce=gzip")
            .canonical_url,
        "http://a.b/o?versionId=2&partNumber=3&x-oss-process=i&rsce=gzip");
}

TEST(Strip, KeepWins) {
    auto spec = rule("^http", {"x-*", "aws-sigv4"});
    spec.keep = {"X-Keep", "x-amz-cred*"};
    const auto d =
        get(*rules({spec}), "http://a.b/?x-keep=1&x-drop=2&X-Amz-Credential=3&X-Amz-Signature=4");
    EXPECT_EQ(d.canonical_url, "http://a.b/?x-keep=1&X-Amz-Credential=3");
}

TEST(Strip, CredentialsAreEverythingThatWasStrippedInItsOrder) {
    const auto d = stripped_by({"b", "c"}, "http://a.b/?c=1&a=2&b=%7e&c=3");
    EXPECT_EQ(d.credentials, "c=1&b=%7e&c=3");
    EXPECT_THAT(stripped_names(d), ElementsAre("c", "b", "c"));
    EXPECT_FALSE(d.credentials_expire);
}

TEST(SignedFields, ASignatureOverMoreThanHostPasses) {
    for (const char* query :
         {"X-Amz-SignedHeaders=host%3Brange", "X-Goog-SignedHeaders=host;if-range",
          "q-header-list=Accept-Encoding;host", "x-oss-additional-headers=range",
          "x-amz-signedheaders=host%3bx-amz-request-payer"}) {
        const auto d = stripped_by({"aws-sigv4"}, "http://a.b/o?" + std::string(query));
        EXPECT_EQ(d.road, Road::pass) << query;
        EXPECT_NE(d.signed_field, "") << query;
    }
    EXPECT_EQ(stripped_by({}, "http://a.b/?X-Amz-SignedHeaders=host%3Brange").signed_field,
              "range");
    EXPECT_EQ(stripped_by({}, "http://a.b/?X-Tos-SignedHeaders=host%3Bif-match").signed_field,
              "if-match");
    EXPECT_EQ(stripped_by({}, "http://a.b/?X-Amz-SignedHeaders=host%3B%0D%0Aevil").signed_field,
              "unknown");
    EXPECT_EQ(stripped_by({}, "http://a.b/?X-Amz-SignedHeaders=host").road, Road::cache);
}

TEST(SignedFields, AXetUrlGoodForARangePasses) {
    const auto d =
        stripped_by({"huggingface"},
                    "https://transfer.xethub.hf.co/xorbs/default/"
                    "h?X-Xet-Signed-Range=bytes%3D0-9&Expires=1&Signature=s&Key-Pair-Id=k");
    EXPECT_EQ(d.road, Road::pass);
    EXPECT_EQ(d.signed_field, "range");
}

TEST(SignedFields, WhereRangesAreObjectsASignatureMayCoverTheRange) {
    auto spec = rule("^https?://", {"huggingface", "aws-sigv4"});
    spec.range = true;
    const auto set = rules({spec});
    const std::string xorb = "https://transfer.xethub.hf.co/xorbs/default/h";
    const auto one = get_range(
        *set, xorb + "?X-Xet-Signed-Range=bytes%3D0-9&Expires=1&Signature=s&Key-Pair-Id=k",
        "bytes=0-9");
    EXPECT_EQ(one.road, Road::cache);
    EXPECT_EQ(one.canonical_url, xorb);
    EXPECT_EQ(one.part, ByteRange(0, 10));
    EXPECT_TRUE(one.credentials.contains("X-Xet-Signed-Range"));
    const auto another = get_range(
        *set, xorb + "?X-Amz-Credential=c&X-Amz-Signature=s&X-Amz-SignedHeaders=host%3Brange",
        "bytes=0-9");
    EXPECT_EQ(another.task_id, one.task_id);
    EXPECT_EQ(get_range(*set, xorb + "?X-Amz-SignedHeaders=host%3Brange%3Bx", "bytes=0-9").road,
              Road::pass);
}

TEST(Overrides, AreDecodedAndNotPartOfTheKey) {
    const auto d = stripped_by(
        {"aws-sigv4"},
        "http://a.b/"
        "o?response-content-type=text%2Fplain%3B+charset%3Dutf-8&response-cache-control=no-cache&"
        "response-content-language=de&response-expires=Thu%2C%2001%20Jan%202026%2000%3A00%3A00%"
        "20GMT&response-content-encoding=gzip");
    EXPECT_EQ(d.canonical_url, "http://a.b/o?response-content-encoding=gzip");
    EXPECT_EQ(d.overrides.content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(d.overrides.cache_control, "no-cache");
    EXPECT_EQ(d.overrides.content_language, "de");
    EXPECT_EQ(d.overrides.expires, "Thu, 01 Jan 2026 00:00:00 GMT");
}

TEST(Overrides, AControlByteSendsTheRequestToTheOrigin) {
    for (const char* value : {"a%0D%0ASet-Cookie:x", "a%0a", "%00", "a%7F", "a%09b"}) {
        const auto d =
            stripped_by({"aws-sigv4"}, "http://a.b/o?response-content-type=" + std::string(value));
        EXPECT_EQ(d.road, Road::pass) << value;
        EXPECT_TRUE(d.overrides.empty()) << value;
    }
}

TEST(Overrides, AFieldThatIsAskedForTwiceInTwoWaysIsTheOriginsBusiness) {
    EXPECT_EQ(
        stripped_by({"aws-sigv4"}, "http://a.b/o?response-content-type=a&response-content-type=b")
            .road,
        Road::pass);
    EXPECT_EQ(
        stripped_by({"aws-sigv4"}, "http://a.b/o?response-content-type=a&response-content-type=a")
            .road,
        Road::cache);
}

TEST(Overrides, AFileNameBeyondAsciiIsWrittenInTheExtendedNotation) {
    EXPECT_EQ(stripped_by({"FileName"}, "http://a.b/o?FileName=%E6%A8%A1%22.bin")
                  .overrides.content_disposition,
              "attachment; filename*=UTF-8''%E6%A8%A1%22.bin");
}

TEST(Expiry, WhatDoesNotParseIsNotThere) {
    for (const char* query :
         {"X-Amz-Date=20260101T000000Z", "X-Amz-Expires=60", "X-Amz-Date=2026&X-Amz-Expires=60",
          "X-Amz-Date=20261301T000000Z&X-Amz-Expires=60",
          "X-Amz-Date=20260101T000000Z&X-Amz-Expires=-1",
          "X-Amz-Date=20260101T000000Z&X-Amz-Expires=99999999999999999999", "auth_key=abc-1",
          "auth_key="})
        EXPECT_FALSE(stripped_by({"aws-sigv4", "aliyun-cdn"}, "http://a.b/?" + std::string(query))
                         .credentials_expire)
            << query;
    for (const char* query : {"Expires=", "Expires=1e9", "se=", "se=tomorrow", "se=2026-02-30",
                              "q-sign-time=", "q-sign-time=1", "Policy=%%", "Policy="})
        EXPECT_FALSE(stripped_by({"Expires", "se", "q-sign-time", "Policy"},
                                 "http://a.b/?" + std::string(query))
                         .credentials_expire)
            << query;
}

}  // namespace
}  // namespace hawker::filters
