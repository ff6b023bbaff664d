#include "daemon/hub/answers.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::hub {
namespace {

using testing::Eq;
using testing::Optional;

const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";
const std::string kSha(64, 'a');

http::ResponseHead head(int status, std::vector<std::pair<std::string, std::string>> fields) {
    http::ResponseHead made;
    made.status = status;
    for (const auto& [name, value] : fields) made.fields.add(name, value);
    return made;
}

TEST(FileHead, WhatTheHubSaidBeforeTheRedirectJoinsTheLastAnswer) {
    const std::vector<http::ResponseHead> hops = {head(302, {{"X-Repo-Commit", kCommit},
                                                             {"X-Linked-Etag", "\"" + kSha + "\""},
                                                             {"X-Linked-Size", "7"},
                                                             {"X-Xet-Hash", "beef"},
                                                             {"Location", "https://cdn/x"}})};
    http::ResponseHead last =
        head(200, {{"ETag", "\"the-cdns-own\""}, {"Content-Type", "x/y"}, {"Set-Cookie", "a=b"}});
    ASSERT_TRUE(join_file_head(hops, last));
    EXPECT_THAT(last.fields.get("ETag"), Optional(Eq("\"" + kSha + "\"")));
    EXPECT_THAT(last.fields.get("X-Linked-Etag"), Optional(Eq("\"" + kSha + "\"")));
    EXPECT_THAT(last.fields.get("X-Linked-Size"), Optional(Eq("7")));
    EXPECT_THAT(last.fields.get("X-Repo-Commit"), Optional(Eq(kCommit)));
    EXPECT_THAT(last.fields.get("Content-Type"), Optional(Eq("x/y")));
    for (const std::string_view gone : {"X-Xet-Hash", "Set-Cookie", "Location"})
        EXPECT_FALSE(last.fields.has(gone)) << gone;
}

TEST(FileHead, ASmallFilesTagIsMadeStrong) {
    http::ResponseHead last = head(200, {{"ETag", "W/\"abc\""}, {"X-Repo-Commit", kCommit}});
    ASSERT_TRUE(join_file_head({}, last));
    EXPECT_THAT(last.fields.get("ETag"), Optional(Eq("\"abc\"")));
    EXPECT_FALSE(last.fields.has("X-Linked-Etag"));
}

TEST(FileHead, WhatDoesNotNameItsCommitIsNoFile) {
    http::ResponseHead portal = head(200, {{"Content-Type", "text/html"}});
    EXPECT_FALSE(join_file_head({}, portal));
    http::ResponseHead branch = head(200, {{"X-Repo-Commit", "main"}});
    EXPECT_FALSE(join_file_head({}, branch));
}

TEST(FileHead, OnlyLinksToXetAreTakenAway) {
    http::ResponseHead last =
        head(200, {{"X-Repo-Commit", kCommit},
                   {"Link",
                    "<https://h/api/models/o/n/xet-read-token/x>; rel=\"xet-auth\", "
                    "<https://cas/v1/reconstructions/x>; rel=\"xet-reconstruction-info\", "
                    "<https://h/a,b>; rel=\"canonical\""}});
    ASSERT_TRUE(join_file_head({}, last));
    EXPECT_EQ(last.fields.joined("Link"), "<https://h/a,b>; rel=\"canonical\"");
}

TEST(LinkedContent, IsWhatTheHubItselfSaidOfThePlaceThatItLedTo) {
    const std::vector<std::string> bases = {"https://hub"};
    const std::string bridge = "https://cdn/xet-bridge-us/x/y?Signature=z";
    const auto led = head(302, {{"X-Linked-Etag", "\"" + kSha + "\""}, {"Location", bridge}});
    const auto renamed = head(307, {{"Location", "/new/name/resolve/main/f"}});
    for (const auto& hops : {std::vector{led}, std::vector{renamed, led}}) {
        const auto linked = linked_content(hops, bases);
        ASSERT_TRUE(linked);
        EXPECT_EQ(linked->url, bridge);
        EXPECT_EQ(linked->sha256.hex(), kSha);
    }
}

TEST(LinkedContent, IsNoOtherServersWord) {
    const std::vector<std::string> bases = {"https://hub"};
    const auto led = head(302, {{"X-Linked-Etag", kSha}, {"Location", "https://cdn/x"}});
    const auto away = head(302, {{"Location", "https://hub.evil/x"}});
    const auto without =
        head(302, {{"X-Linked-Etag", "\"no-sha\""}, {"Location", "https://cdn/x"}});
    const auto small = head(307, {{"Location", "https://hub/api/resolve-cache/x"}});
    for (const auto& hops : {std::vector{away, led}, std::vector{without}, std::vector{small}})
        EXPECT_FALSE(linked_content(hops, bases));
    EXPECT_FALSE(linked_content({}, bases));
}

TEST(WithoutMember, GoesWhereverItStandsAndLeavesTheRest) {
    const auto strip = [](std::string_view json) { return without_member(json, "xetHash"); };
    EXPECT_EQ(strip(R"([{"path":"a","xetHash":"x","size":1}])"), R"([{"path":"a","size":1}])");
    EXPECT_EQ(strip(R"({"a":1, "xetHash" : "x" })"), R"({"a":1})");
    EXPECT_EQ(strip(R"({"xetHash":null})"), "{}");
    EXPECT_EQ(strip(R"({"xetHash":{"a":[1,"}"]},"b":2})"), R"({"b":2})");
    EXPECT_EQ(strip(R"({"lfs":{"xetHash":"x"},"b":["xetHash"]})"), R"({"lfs":{},"b":["xetHash"]})");
    EXPECT_EQ(strip(R"({"a":"xetHash\":1","b":"\"xetHash\""})"),
              R"({"a":"xetHash\":1","b":"\"xetHash\""})");
    EXPECT_EQ(strip(R"({"xetHash":1,"xetHash":2})"), "{}");
}

TEST(WithoutMember, TextThatIsNoJsonDoesNoHarm) {
    for (const std::string_view text :
         {"", "\"xetHash\"", "\"xetHash\":", "{\"xetHash\":\"", "{\"xetHash\":[[", "\"\\"})
        (void)without_member(text, "xetHash");
    EXPECT_EQ(without_member("plain", "xetHash"), "plain");
}

TEST(CommitIn, IsTheShaOfTheRepositoryAndOfNothingInside) {
    EXPECT_THAT(commit_in(R"({"id":"o/n", "sha": ")" + kCommit + R"(", "x":1})"),
                Optional(kCommit));
    EXPECT_FALSE(commit_in(R"({"inner":{"sha":")" + kCommit + R"("}})"));
    EXPECT_FALSE(commit_in(R"({"sha":"main"})"));
    EXPECT_FALSE(commit_in(R"({"sha":null})"));
    EXPECT_FALSE(commit_in("<html>"));
    EXPECT_FALSE(commit_in(R"({"a":"sha)"));
}

TEST(OpennessIn, IsOpenOnlyWhereAllOfItSaysSo) {
    const std::string open = R"({"sha":"x", "private" : false , "gated":false,"disabled":false})";
    EXPECT_EQ(openness_in(open), Openness::open);
    EXPECT_EQ(openness_in("{\"private\":false,\"gated\":false\n}"), Openness::open);
    EXPECT_EQ(openness_in(R"({"private":true,"gated":false})"), Openness::hidden);
    EXPECT_EQ(openness_in(R"({"gated":false,"private":true})"), Openness::hidden);
    for (const std::string gated : {R"("auto")", R"("manual")", "true", "null", R"("false")"})
        EXPECT_EQ(openness_in(R"({"private":false,"gated":)" + gated + "}"), Openness::gated);
    for (const std::string unsaid :
         {R"({"private":false})", R"({"gated":false})", R"({"private":null,"gated":false})",
          R"({"private":"false","gated":false})", R"({"private":0,"gated":false})",
          R"({"private":false,"gated":false,"disabled":true})",
          R"({"cardData":{"private":false,"gated":false}})", R"([{"private":false,"gated":false}])",
          R"({"private":false,"gated")", "<html>", ""})
        EXPECT_EQ(openness_in(unsaid), Openness::unsaid) << unsaid;
}

TEST(Links, OfTheUpstreamsLeadToUs) {
    const std::vector<std::string> bases = {"https://huggingface.co", "http://h:8"};
    EXPECT_EQ(links_in_our_name(R"(<https://huggingface.co/api/models?cursor=a,b>; rel="next")",
                                bases, "http://m:1"),
              R"(<http://m:1/api/models?cursor=a,b>; rel="next")");
    EXPECT_EQ(links_in_our_name("<http://h:8/x>; rel=next, <http://h:80/y>; rel=prev", bases, "M"),
              "<M/x>; rel=next, <http://h:80/y>; rel=prev");
    EXPECT_EQ(links_in_our_name("</relative>; rel=next", bases, "M"), "</relative>; rel=next");
}

TEST(OfTheApi, IsJsonThatCallsItselfSo) {
    const auto is_it = [](const char* type, std::string_view body) {
        return is_of_the_api(head(200, {{"Content-Type", type}}), body);
    };
    EXPECT_TRUE(is_it("application/json; charset=utf-8", "{}"));
    EXPECT_TRUE(is_it("Application/JSON", " \n[1]"));
    EXPECT_TRUE(is_of_the_api(head(200, {}), "[]"));
    EXPECT_FALSE(is_it("text/html", "{}"));
    EXPECT_FALSE(is_it("application/json", "<html>"));
    EXPECT_FALSE(is_it("application/json", ""));
}

TEST(NoEntry, IsA404ThatNamesItself) {
    EXPECT_TRUE(says_no_entry(head(404, {{"X-Error-Code", "EntryNotFound"}})));
    EXPECT_FALSE(says_no_entry(head(404, {{"X-Error-Code", "RevisionNotFound"}})));
    EXPECT_FALSE(says_no_entry(head(404, {})));
    EXPECT_FALSE(says_no_entry(head(200, {{"X-Error-Code", "EntryNotFound"}})));
}

}  // namespace
}  // namespace hawker::hub
