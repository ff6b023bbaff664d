// Xet's servers in a mirror's name, and back.
#include "daemon/hub/xet.h"

#include <array>

#include <gtest/gtest.h>

namespace hawker::hub {
namespace {

class Xet : public testing::Test {
protected:
    const std::string hash = std::string(64, 'a');
    const std::array<HostPattern, 1> servers = {*HostPattern::parse("*.hf.co")};
    const XetNames names = {"http://mirror:8090", servers};
    const std::array<std::string, 1> upstreams = {"https://huggingface.co"};
};

TEST_F(Xet, AUrlGoesThereAndBackWithItsSignature) {
    const std::string url =
        "https://us.aws.cdn.hf.co/xorbs/default/" + hash + "?Signature=s%2B&x=/";
    const auto ours = xet_url_in_our_name(url, names);
    EXPECT_EQ(ours, "http://mirror:8090/xet/https/us.aws.cdn.hf.co/xorbs/default/" + hash +
                        "?Signature=s%2B&x=/");
    EXPECT_EQ(xet_server_url(ours->substr(names.own_base.size()), names), url);
}

TEST_F(Xet, OnlyItsServersAreSpokenTo) {
    for (const char* target :
         {"/xet/https/evil.example/x", "/xet/http/cas.hf.co/x", "/xet/https/hf.co/x",
          "/xet/https/cas.hf.co@evil.example/x", "/xet/https/evil.example#.hf.co/x", "/xet/https",
          "/xet/", "/xet/https/", "/xet//cas.hf.co/x", "/other/https/cas.hf.co/x",
          "/xet/https/cas.hf.co.evil.example/x", "/xet/https/127.0.0.1/x"})
        EXPECT_FALSE(xet_server_url(target, names)) << target;
    EXPECT_TRUE(xet_server_url("/xet/https/cas.hf.co:443/x", names));
}

TEST_F(Xet, RoutesAreToldByThePath) {
    EXPECT_EQ(xet_route_of("/api/models/o/m/xet-read-token/main"), XetRoute::token);
    EXPECT_EQ(xet_route_of("/api/models/o/m/xet-write-token/main?x"), XetRoute::write_token);
    EXPECT_EQ(xet_route_of("/xet/https/c.hf.co/v2/reconstructions/a"), XetRoute::reconstruction);
    EXPECT_EQ(xet_route_of("/xet/https/c.hf.co/xorbs/default/a?x=/reconstructions"),
              XetRoute::server);
    EXPECT_EQ(xet_route_of("/o/m/resolve/main/xet-read-token"), XetRoute::none);
    EXPECT_EQ(xet_route_of("/xet/model/resolve/main/model.bin"), XetRoute::none);
    EXPECT_EQ(xet_route_of("/xet/https-notes/resolve/main/reconstructions"), XetRoute::none);
}

TEST_F(Xet, AnAnswersUrlsAreRewrittenAndNothingElse) {
    EXPECT_EQ(
        xet_urls_in_our_name(
            R"({"url":"https://a.hf.co/x?b=\"c","n":1,"u":"https:\/\/a.hf.co\/y","z":"https://b.c/"})",
            names),
        R"({"url":"https://a.hf.co/x?b=\"c","n":1,"u":"http://mirror:8090/xet/https/a.hf.co/y","z":"https://b.c/"})");
    EXPECT_EQ(xet_urls_in_our_name(R"({"casUrl":"https://cas-server.xethub.hf.co"})", names),
              R"({"casUrl":"http://mirror:8090/xet/https/cas-server.xethub.hf.co"})");
}

TEST_F(Xet, TextThatBreaksOffIsStillThere) {
    for (const char* broken : {"", "\"", "\"\\", R"({"a":"htt)", R"(["b\)", "not json"})
        EXPECT_EQ(xet_urls_in_our_name(broken, names), broken);
}

TEST_F(Xet, AFilesHeadIsCompleteAndLeadsToUs) {
    http::ResponseHead head;
    head.status = 302;
    head.fields.add("X-Repo-Commit", std::string(40, '1'));
    head.fields.add("X-Linked-Etag", "\"" + hash + "\"");
    head.fields.add("X-Linked-Size", "77");
    head.fields.add("X-Xet-Hash", hash);
    head.fields.add("Location", "https://us.aws.cdn.hf.co/x");
    head.fields.add("Link",
                    "<https://huggingface.co/api/models/o/m/xet-read-token/1>; "
                    "rel=\"xet-auth\", <https://cas.hf.co/v1/reconstructions/a>; "
                    "rel=\"xet-reconstruction-info\"");
    ASSERT_TRUE(xet_file_head(head, upstreams, names));
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.fields.get("Content-Length"), "77");
    EXPECT_EQ(head.fields.get("ETag"), "\"" + hash + "\"");
    EXPECT_EQ(head.fields.get("X-Xet-Hash"), hash);
    EXPECT_FALSE(head.fields.has("Location"));
    EXPECT_EQ(head.fields.get("Link"),
              "<http://mirror:8090/api/models/o/m/xet-read-token/1>; rel=\"xet-auth\", "
              "<http://mirror:8090/xet/https/cas.hf.co/v1/reconstructions/a>; "
              "rel=\"xet-reconstruction-info\"");
}

TEST_F(Xet, AFileThatIsNotInXetKeepsItsHead) {
    http::ResponseHead head;
    head.status = 307;
    head.fields.add("X-Repo-Commit", std::string(40, '1'));
    head.fields.add("Location", "/api/resolve-cache/x");
    EXPECT_FALSE(xet_file_head(head, upstreams, names));
    EXPECT_EQ(head.status, 307);
    EXPECT_TRUE(head.fields.has("Location"));
}

}  // namespace
}  // namespace hawker::hub
