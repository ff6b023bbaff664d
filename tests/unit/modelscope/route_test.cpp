#include "daemon/modelscope/route.h"

#include <gtest/gtest.h>

namespace hawker::modelscope {
namespace {

constexpr std::string_view kCommit = "0123456789abcdef0123456789abcdef01234567";

Subject subject(std::string_view target, std::string_view method = "GET") {
    return route_of(method, target).subject;
}

TEST(ModelScopeRoute, AFileIsNamedByTwoParameters) {
    const Route route = route_of(
        "GET", "/api/v1/models/org/name.v2/repo?Revision=master&FilePath=dir%2Fa+b%20%C3%BC.bin");
    EXPECT_EQ(route.subject, Subject::file);
    EXPECT_EQ(route.name(), "models/org/name.v2");
    EXPECT_EQ(route.revision, "master");
    EXPECT_EQ(route.path, "dir/a b \xC3\xBC.bin");
    EXPECT_FALSE(route.is_immutable());
}

TEST(ModelScopeRoute, AFileHasAnAddressForBrowsersToo) {
    const Route route = route_of("HEAD", "/datasets/o/n/resolve/v1.0/dir/a%20b+c.csv?x=1");
    EXPECT_EQ(route.subject, Subject::file);
    EXPECT_EQ(route.name(), "datasets/o/n");
    EXPECT_EQ(route.revision, "v1.0");
    EXPECT_EQ(route.path, "dir/a b+c.csv");
}

TEST(ModelScopeRoute, OnlyFortyHexadecimalDigitsAreACommit) {
    Route route;
    route.revision = kCommit;
    EXPECT_TRUE(route.is_immutable());
    route.revision.back() = 'G';
    EXPECT_FALSE(route.is_immutable());
}

TEST(ModelScopeRoute, WhatTwoServersCouldReadTwoWaysIsPassedOn) {
    const std::string file = "/api/v1/models/o/n/repo?Revision=master&FilePath=";
    EXPECT_EQ(subject(file + "a"), Subject::file);
    for (const char* const path : {"", "..%2Fa", "a%2F%2Fb", "%2Fa", "a%2F.", "a%0Ab",
                                   "a&FilePath=b", "a&filepath=b", "a&revision=v2", "a%2"})
        EXPECT_EQ(subject(file + path), Subject::other) << path;
    EXPECT_EQ(subject("/api/v1/models/o/n/repo?FilePath=a"), Subject::other);
    EXPECT_EQ(subject("/api/v1/models/o/../repo?Revision=m&FilePath=a"), Subject::other);
    EXPECT_EQ(subject("/models/o/n/resolve/master/a/../b"), Subject::other);
    EXPECT_EQ(subject("/models/o/n/resolve/master/"), Subject::other);
}

TEST(ModelScopeRoute, WhatWritesIsPassedOn) {
    EXPECT_EQ(subject("/api/v1/models/o/n/repo?Revision=m&FilePath=a", "DELETE"), Subject::other);
    EXPECT_EQ(subject("/api/v1/login", "POST"), Subject::other);
    EXPECT_EQ(subject("/api/v1/repos/models/o/n/info/lfs/objects/batch"), Subject::other);
    EXPECT_EQ(subject("/openapi/v1/models"), Subject::other);
}

TEST(ModelScopeRoute, ListingsAndInformation) {
    EXPECT_EQ(subject("/api/v1/models/o/n/repo/files?Revision=m&Recursive=True"), Subject::listing);
    EXPECT_EQ(subject("/api/v1/datasets/o/n/repo/tree?PageNumber=1"), Subject::listing);
    EXPECT_EQ(subject("/api/v1/models/o/n/revisions?EndTime=1"), Subject::info);
    EXPECT_EQ(subject("/api/v1/models/o/n"), Subject::info);
    EXPECT_EQ(subject("/api/v1/repos/internalAccelerationInfo"), Subject::info);
    EXPECT_EQ(subject("/api/v1/models/o/n/repo/tag"), Subject::other);
    EXPECT_EQ(subject("/api/v1/models/o"), Subject::other);
}

TEST(ModelScopeRoute, ADatasetMayBeCalledByItsNumber) {
    const Route route = route_of("GET", "/api/v1/datasets/4711/repo/tree?Revision=master");
    EXPECT_EQ(route.subject, Subject::listing);
    EXPECT_EQ(route.name(), "datasets/4711");
}

TEST(ModelScopeRoute, AFilesListingsAreAskedForAsClientsAskForThem) {
    Route route = route_of("GET", "/api/v1/models/o/n/repo?Revision=a+b&FilePath=d%2Fe%26%2Ff");
    EXPECT_EQ(listing_target(route, 1),
              "/api/v1/models/o/n/repo/files?Revision=a+b&Recursive=True");
    EXPECT_EQ(folder_target(route, 1),
              "/api/v1/models/o/n/repo/files?Revision=a+b&Recursive=False&Root=d%2Fe%26");
    route.type = "datasets";
    route.path = "f";
    EXPECT_EQ(
        listing_target(route, 2),
        "/api/v1/datasets/o/n/repo/tree?Revision=a+b&Recursive=True&PageNumber=2&PageSize=200");
    EXPECT_EQ(route_of("GET", folder_target(route, 1)).subject, Subject::listing);
}

TEST(ModelScopeRoute, TheOrderOfParametersIsNoDifference) {
    EXPECT_EQ(document_name("/a?x=1&y=%2f"), document_name("/a?y=%2F&x=1"));
    EXPECT_NE(document_name("/a?x=1"), document_name("/a?x=2"));
    EXPECT_NE(document_name("/a?x=1%26y=2"), document_name("/a?x=1&y=2"));
}

}  // namespace
}  // namespace hawker::modelscope
