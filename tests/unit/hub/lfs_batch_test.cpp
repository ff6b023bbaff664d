#include "daemon/hub/lfs_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::hub {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNow = 1'000'000;
const std::string kOid(64, 'a');

std::string answer(const std::string& action, const std::string& name = "download") {
    return R"({"objects":[{"oid":")" + kOid + R"(","size":7,"actions":{")" + name + "\":" + action +
           "}}]}";
}

std::string linked(const std::string& text, std::string_view token = {}) {
    const auto rewritten = with_our_links(text, kNow, token, [](const LfsDownload& each) {
        return "OURS" + lfs_target(each, "seal");
    });
    return rewritten.value_or("none");
}

TEST(LfsQuestion, AsksForPlainDownloadsOnly) {
    const auto plain = plain_download(
        R"({"operation":"download","transfers":["xet","basic"],"objects":[{"oid":"x","size":1}]})");
    ASSERT_TRUE(plain);
    EXPECT_THAT(*plain, AllOf(HasSubstr(R"("transfers":["basic"])"), HasSubstr(R"("oid":"x")"),
                              Not(HasSubstr("xet"))));
}

TEST(LfsQuestion, WhatIsNoneForDownloadsIsPassedOn) {
    EXPECT_FALSE(plain_download(R"({"operation":"upload"})"));
    EXPECT_FALSE(plain_download("[]"));
    EXPECT_FALSE(plain_download("{\"operation\":"));
    EXPECT_FALSE(plain_download(""));
}

TEST(LfsAnswer, EveryDownloadLeadsToUs) {
    EXPECT_THAT(
        linked(answer(R"({"href":"https://cdn/x?sig=1","expires_in":60})")),
        AllOf(HasSubstr("OURS/.hawker/lfs/" + kOid + "/7/1000060/-/seal/"), Not(HasSubstr("cdn"))));
    EXPECT_THAT(linked(answer(R"({"href":"https://h/x","header":{"Authorization":"B"}})")),
                HasSubstr("/7/1003600/c/seal/"));
}

TEST(LfsAnswer, WhatHoldsTheMirrorsTokenIsForNobodysEyes) {
    for (const std::string& value :
         {std::string("Bearer T0ken"), std::string("Basic dTpUMGtlbg==")}) {
        const std::string said = linked(
            answer(R"({"href":"h","header":{"Accept":"a","Authorization":")" + value + "\"}}"),
            "T0ken");
        EXPECT_THAT(said, AllOf(HasSubstr("/t/seal/"), HasSubstr(R"("Accept":"a")"),
                                Not(HasSubstr(value))));
        EXPECT_THAT(linked(answer(R"({"href":"h","header":{"X-Key":")" + value + "\"}}", "verify"),
                           "T0ken"),
                    Not(HasSubstr(value)));
    }
    EXPECT_THAT(
        linked(answer(R"({"href":"h","header":{"Authorization":"RemoteAuth x"}})"), "T0ken"),
        AllOf(HasSubstr("/c/seal/"), HasSubstr("RemoteAuth x")));
}

TEST(LfsAnswer, ALinkEndsWhenTheHostsOwnDoes) {
    const auto ends = [](const std::string& when) {
        return linked(answer(R"({"href":"https://h/x",)" + when + "}"));
    };
    EXPECT_THAT(ends(R"("expires_at":"1970-01-12T13:47:40Z")"), HasSubstr("/7/1000060/-/"));
    EXPECT_THAT(ends(R"("expires_at":"1970-01-12T15:47:40.25+02:00")"), HasSubstr("/7/1000060/-/"));
    EXPECT_THAT(ends(R"("expires_at":"1970-01-01T00:00:00Z")"), HasSubstr("/7/1000000/-/"));
    EXPECT_THAT(ends(R"("expires_at":"2070-01-01T00:00:00Z")"), HasSubstr("/7/1086400/-/"));
    EXPECT_THAT(ends(R"("expires_in":0,"expires_at":"1970-01-12T13:47:40Z")"),
                AllOf(HasSubstr("/7/1000060/-/"), HasSubstr(R"("expires_in":60)"),
                      Not(HasSubstr("expires_at"))));
    for (const char* garbage :
         {"soon", "1970-01-12", "1970-01-12T13:47:40", "1970-01-12T13:47:40+2"})
        EXPECT_THAT(ends(R"("expires_at":")" + std::string(garbage) + "\""),
                    HasSubstr("/7/1003600/-/"))
            << garbage;
}

TEST(LfsAnswer, ALinkThatComesWithMoreThanCredentialsStaysTheHosts) {
    EXPECT_THAT(linked(answer(R"({"href":"https://h/x","header":{"X-Store-Key":"k"}})")),
                HasSubstr("\"href\":\"https://h/x\""));
    EXPECT_THAT(linked(answer(R"({"href":"https://h/x","header":{"accept":"*/*"}})")),
                HasSubstr("/-/seal/"));
    EXPECT_THAT(linked(answer(R"({"href":"https://h/x","header":{"authorization":"B"}})")),
                HasSubstr("/c/seal/"));
}

TEST(LfsAnswer, UploadsAndOtherNamesKeepTheirLinks) {
    EXPECT_THAT(linked(answer(R"({"href":"https://h/up"})", "upload")), HasSubstr("https://h/up"));
    EXPECT_THAT(
        linked(R"({"objects":[{"oid":"short","size":1,"actions":{"download":{"href":"h"}}}]})"),
        HasSubstr(R"("href":"h")"));
    EXPECT_EQ(linked("[]"), "none");
    EXPECT_EQ(linked("{}"), "none");
    EXPECT_EQ(linked(R"({"objects":[1,null,{"oid":1},{"actions":[]}]})").substr(0, 4), "{\"ob");
}

TEST(LfsTarget, IsReadBackAsItWasWritten) {
    LfsDownload download;
    download.oid = *Digest::from_hex(kOid);
    download.size = 12;
    download.href = "https://cdn.example/a/b?x=y&z=\xC3\xA9";
    download.until = 99;
    download.brings_credentials = true;
    const auto read = read_lfs_target(lfs_target(download, "abc"));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->seal, "abc");
    EXPECT_EQ(read->download.href, download.href);
    EXPECT_EQ(read->download.oid, download.oid);
    EXPECT_EQ(read->download.size, 12U);
    EXPECT_EQ(read->download.until, 99);
    EXPECT_TRUE(read->download.brings_credentials);
}

TEST(LfsTarget, AnythingElseIsNone) {
    const std::string good = "/.hawker/lfs/" + kOid + "/1/2/-/seal/aHR0cA==";
    EXPECT_TRUE(read_lfs_target(good));
    for (const std::string& bad :
         {good + "/more", "/.hawker/lfs/" + kOid, "/.hawker/lfs/" + kOid + "/x/2/-/s/aA==",
          "/.hawker/lfs/" + kOid + "/1/2/?/s/aA==", "/.hawker/lfs/" + kOid + "/1/2/-//aA==",
          "/.hawker/lfs/" + kOid + "/1/2/-/s/???", std::string("/other"), std::string()})
        EXPECT_FALSE(read_lfs_target(bad)) << bad;
}

TEST(LfsBatch, WhatIsDeeperThanAnyBatchIsNotRead) {
    const std::string deep = std::string(400'000, '[') + std::string(400'000, ']');
    EXPECT_FALSE(plain_download(R"({"operation":"download","x":)" + deep + "}"));
    const auto no_link = [](const LfsDownload&) { return std::string(); };
    EXPECT_FALSE(with_our_links(R"({"objects":[)" + deep + "]}", 0, "", no_link));
}

}  // namespace
}  // namespace hawker::hub
