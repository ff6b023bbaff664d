#include "daemon/hub/listed_files.h"

#include <gtest/gtest.h>

namespace hawker::hub {
namespace {

const std::string kListedCommit(40, 'c');
const std::string kListedOid(40, '0');

std::string entry(std::string_view path, std::string_view more = "") {
    return R"({"type":"file","oid":")" + kListedOid + R"(","size":7,"path":")" + std::string(path) +
           R"(")" + std::string(more) + "}";
}

TEST(ListedFiles, ThoseInGitAreTold) {
    const auto files = files_in_git(
        "[" + entry("config.json") + "," +
        entry("model.bin", R"(,"lfs":{"oid":"f","size":7,"pointerSize":132},"xetHash":"a")") +
        R"(,{"type":"directory","oid":"0000000000000000000000000000000000000000","path":"dir"},)" +
        entry("dir/a b+\xc3\xa4#.txt") + "]");
    ASSERT_EQ(files.size(), 2U);
    EXPECT_EQ(files[0].path, "config.json");
    EXPECT_EQ(files[0].oid, kListedOid);
    EXPECT_FALSE(files[0].is_empty);
    EXPECT_TRUE(files_in_git("[" + entry("a", R"(,"size":0)") + "]")[0].is_empty);
    EXPECT_EQ(files[1].path, "dir/a%20b%2B%C3%A4%23.txt");
}

TEST(ListedFiles, WhatIsNoListingHasNone) {
    for (const std::string_view text :
         {"", "{", "{}", "null", "[1,\"x\",null,[]]", "[{\"type\":\"file\"}]",
          "[{\"type\":1,\"path\":2,\"oid\":3}]",
          "[{\"type\":\"file\",\"path\":\"x\",\"oid\":\"/../../\"}]"})
        EXPECT_TRUE(files_in_git(text).empty()) << text;
}

TEST(ListedFiles, TheirPlaceIsTheOneThatTheHubRedirectsTo) {
    const Route model = route_of("GET", "/org/name/resolve/main/a%20b.json?download=true");
    EXPECT_EQ(place_in_git(model, kListedCommit, kListedOid),
              "/api/resolve-cache/models/org/name/" + kListedCommit +
                  "/a%20b.json?%2Forg%2Fname%2F" + "resolve%2F" + kListedCommit +
                  "%2Fa%2520b.json=&etag=%22" + kListedOid + "%22");
    const Route dataset = route_of("GET", "/datasets/squad/resolve/main/x");
    EXPECT_TRUE(place_in_git(dataset, kListedCommit, kListedOid)
                    .starts_with("/api/resolve-cache/datasets/squad/" + kListedCommit +
                                 "/x?%2Fdatasets%2Fsquad%2Fresolve%2F"));
}

}  // namespace
}  // namespace hawker::hub
