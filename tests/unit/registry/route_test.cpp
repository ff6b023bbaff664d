#include "daemon/registry/route.h"

#include <gtest/gtest.h>

namespace hawker::registry {
namespace {

const std::string kHex(64, 'a');
const std::string kDigest = "sha256:" + kHex;

Subject subject(std::string_view target) { return route_of(target).subject; }

TEST(RegistryRoute, AManifestIsNamedByATagOrADigest) {
    const Route tag = route_of("/v2/library/debian/manifests/bookworm-slim?x=1");
    EXPECT_EQ(tag.subject, Subject::manifest);
    EXPECT_EQ(tag.name, "library/debian");
    EXPECT_EQ(tag.reference, "bookworm-slim");
    EXPECT_FALSE(tag.digest);
    const Route digest = route_of("/v2/debian/manifests/" + kDigest);
    EXPECT_EQ(digest.subject, Subject::manifest);
    ASSERT_TRUE(digest.digest);
    EXPECT_EQ(digest_text(*digest.digest), kDigest);
}

TEST(RegistryRoute, ABlobIsNamedByItsDigestHoweverItsColonIsWritten) {
    for (const std::string& target :
         {"/v2/a/b/c/blobs/" + kDigest, "/v2/a/b/c/blobs/sha256%3A" + kHex,
          "/v2/a/b/c/blobs/sha256%3a" + kHex, "/v2/%61/b/c/blobs/" + kDigest}) {
        const Route route = route_of(target);
        EXPECT_EQ(route.subject, Subject::blob) << target;
        EXPECT_EQ(route.name, "a/b/c");
        EXPECT_EQ(route.reference, kDigest);
    }
}

TEST(RegistryRoute, ListingsAreKnown) {
    EXPECT_EQ(subject("/v2/"), Subject::base);
    EXPECT_EQ(subject("/v2/_catalog?n=100"), Subject::catalog);
    EXPECT_EQ(subject("/v2/a/tags/list?n=5&last=x"), Subject::tags);
    EXPECT_EQ(subject("/v2/a/referrers/" + kDigest + "?artifactType=x"), Subject::referrers);
}

TEST(RegistryRoute, ARepositoryMayHaveTheWordsInItsName) {
    EXPECT_EQ(route_of("/v2/manifests/blobs/manifests/tags").name, "manifests/blobs");
    EXPECT_EQ(route_of("/v2/a/manifests/tags/list").name, "a/manifests");
}

TEST(RegistryRoute, UploadsAndOtherDigestsArePassedOn) {
    for (const std::string& target :
         {std::string("/v2/a/blobs/uploads/"), std::string("/v2/a/blobs/uploads/0123"),
          "/v2/a/blobs/sha512:" + std::string(128, 'a'), "/v2/a/blobs/sha256:" + kHex + "0",
          "/v2/a/blobs/sha256:" + std::string(64, 'A'), "/v2/a/blobs/" + kHex,
          std::string("/v2/a/referrers/latest")})
        EXPECT_EQ(subject(target), Subject::other) << target;
}

TEST(RegistryRoute, WhatCouldBeReadTwoWaysIsPassedOn) {
    for (const std::string_view target : {"",
                                          "/",
                                          "*",
                                          "/v2",
                                          "/v1/a/tags/list",
                                          "/v2/manifests/x",
                                          "/v2//manifests/x",
                                          "/v2/a//manifests/x",
                                          "/v2/A/manifests/x",
                                          "/v2/a/../b/manifests/x",
                                          "/v2/a%2Fb/manifests/x",
                                          "/v2/a/manifests/x/",
                                          "/v2/a/manifests/",
                                          "/v2/a/manifests/.x",
                                          "/v2/a/manifests/-x",
                                          "/v2/a/manifests/a%20b",
                                          "/v2/a./manifests/x",
                                          "/v2/a___b/manifests/x",
                                          "/v2/a..b/manifests/x",
                                          "/v2/_a/manifests/x",
                                          "/v2/a/manifests/a%zz"})
        EXPECT_EQ(subject(target), Subject::other) << target;
    EXPECT_EQ(subject("/v2/" + std::string(256, 'a') + "/manifests/x"), Subject::other);
    EXPECT_EQ(subject("/v2/a/manifests/" + std::string(129, 'a')), Subject::other);
}

TEST(RegistryRoute, NamesHaveTheSeparatorsOfTheSpecification) {
    for (const std::string_view target : {"/v2/a.b/manifests/x", "/v2/a_b/manifests/x",
                                          "/v2/a__b/manifests/x", "/v2/a---b/manifests/_x.Y-z"})
        EXPECT_EQ(subject(target), Subject::manifest) << target;
}

}  // namespace
}  // namespace hawker::registry
