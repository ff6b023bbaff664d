#include "daemon/hub/route.h"

#include <gtest/gtest.h>

namespace hawker::hub {
namespace {

constexpr std::string_view kRouteCommit = "0123456789abcdef0123456789abcdef01234567";

Subject subject(std::string_view target, std::string_view method = "GET") {
    return route_of(method, target).subject;
}

TEST(Route, AModelsFileHasNoTypeInItsPath) {
    const Route route = route_of("GET", "/org/name/resolve/main/dir/a%20b.bin?download=true");
    EXPECT_EQ(route.subject, Subject::file);
    EXPECT_EQ(route.type, "models");
    EXPECT_EQ(route.repo, "org/name");
    EXPECT_EQ(route.revision, "main");
    EXPECT_EQ(route.path, "dir/a%20b.bin");
    EXPECT_EQ(route.query, "download=true");
    EXPECT_FALSE(route.is_immutable());
}

TEST(Route, TypesAreNoOrganisations) {
    const Route dataset = route_of("HEAD", "/datasets/squad/resolve/main/x");
    EXPECT_EQ(dataset.name(), "datasets/squad");
    EXPECT_EQ(route_of("GET", "/spaces/org/s/resolve/main/x").name(), "spaces/org/s");
    EXPECT_EQ(route_of("GET", "/gpt2/resolve/main/x").name(), "models/gpt2");
    EXPECT_EQ(subject("/datasets/resolve/main/x"), Subject::other);
    EXPECT_EQ(subject("/api/resolve/main/x"), Subject::other);
}

TEST(Route, ARevisionIsDecodedAndARepositoryMayBeCalledResolve) {
    EXPECT_EQ(route_of("GET", "/o/n/resolve/refs%2Fpr%2F1/f").revision, "refs/pr/1");
    const Route parquet = route_of("GET", "/datasets/o/n/resolve/refs/convert/parquet/a/0.parquet");
    EXPECT_EQ(parquet.revision, "refs/convert/parquet");
    EXPECT_EQ(parquet.path, "a/0.parquet");
    EXPECT_EQ(route_of("GET", "/o/n/resolve/refs/pr/1/f").revision, "refs/pr/1");
    EXPECT_EQ(route_of("GET", "/o/n/resolve/main/resolve/f").path, "resolve/f");
    EXPECT_EQ(route_of("GET", "/o/n/resolve/a%0Ab/f").subject, Subject::other);
}

TEST(Route, OnlyFortyHexadecimalDigitsAreACommit) {
    EXPECT_TRUE(is_commit(kRouteCommit));
    EXPECT_FALSE(is_commit("0123456"));
    EXPECT_FALSE(is_commit("0123456789ABCDEF0123456789abcdef01234567"));
    EXPECT_TRUE(route_of("GET", "/o/n/resolve/" + std::string(kRouteCommit) + "/f").is_immutable());
}

TEST(Route, TheApiIsKnownByItsWords) {
    EXPECT_EQ(subject("/api/models/o/n"), Subject::info);
    EXPECT_EQ(subject("/api/models/n"), Subject::info);
    EXPECT_EQ(subject("/api/datasets/o/n/revision/main"), Subject::info);
    EXPECT_EQ(subject("/api/models/o/n/tree/main?recursive=true"), Subject::tree);
    EXPECT_EQ(route_of("GET", "/api/models/o/n/tree/main/a/b").path, "a/b");
    EXPECT_EQ(subject("/api/models/o/n/refs"), Subject::listing);
    EXPECT_EQ(subject("/api/models/o/n/commits/main"), Subject::listing);
    EXPECT_EQ(subject("/api/models/o/n/paths-info/main", "POST"), Subject::paths_info);
    EXPECT_EQ(subject("/api/models/o/n/paths-info/main"), Subject::other);
    EXPECT_EQ(subject("/api/models"), Subject::other);
    EXPECT_EQ(subject("/api/whoami-v2"), Subject::other);
    EXPECT_EQ(subject("/api/models/o/n/xet-read-token/main"), Subject::other);
    EXPECT_EQ(subject("/api/models/o/n", "DELETE"), Subject::other);
    EXPECT_EQ(subject("/o/n/resolve/main/f", "PUT"), Subject::other);
}

TEST(Route, ASlashAtTheEndOfAnApiPathChangesNothing) {
    EXPECT_EQ(subject("/api/models/o/n/"), Subject::info);
    EXPECT_EQ(subject("/api/models/o/n/refs/"), Subject::listing);
    EXPECT_EQ(subject("/api/models/o/n/paths-info/main/", "POST"), Subject::paths_info);
    const Route tree = route_of("GET", "/api/models/o/n/tree/main/?recursive=true");
    EXPECT_EQ(tree.subject, Subject::tree);
    EXPECT_EQ(listing_target(tree, kRouteCommit),
              "/api/models/o/n/tree/" + std::string(kRouteCommit) + "?recursive=true");
    EXPECT_EQ(route_of("GET", "/api/models/o/n/tree/main/a/b/").path, "a/b");
    EXPECT_EQ(subject("/api/models/o/n/tree/main//"), Subject::other);
    EXPECT_EQ(subject("/o/n/resolve/main/f/"), Subject::other);
}

TEST(Route, WhatIsMissingCanBeSaidInWords) {
    const auto words = [](std::string_view target) { return in_words(route_of("GET", target)); };
    EXPECT_EQ(words("/o/n/resolve/main/a/b.bin?x"), "'a/b.bin' of models/o/n at 'main'");
    EXPECT_EQ(words("/api/datasets/o/n"), "the repository datasets/o/n");
    EXPECT_EQ(words("/api/models/o/n/revision/refs%2Fpr%2F1"),
              "the revision 'refs/pr/1' of models/o/n");
    EXPECT_EQ(words("/api/models/o/n/tree/main/a"),
              "the listing of 'a' in the revision 'main' of models/o/n");
    EXPECT_EQ(words("/api/models/o/n/refs"), "the listing of the repository models/o/n");
    EXPECT_EQ(words("/api/whoami-v2"), "");
}

TEST(Route, TheBatchApiAndItsLinksAreKnown) {
    EXPECT_EQ(subject("/o/n.git/info/lfs/objects/batch", "POST"), Subject::lfs_batch);
    EXPECT_EQ(subject("/datasets/o/n.git/info/lfs/objects/batch", "POST"), Subject::lfs_batch);
    EXPECT_EQ(subject("/o/n.git/info/lfs/objects/batch"), Subject::other);
    EXPECT_EQ(subject("/o/n.git/info/refs?service=git-upload-pack"), Subject::other);
    EXPECT_EQ(subject("/.hawker/lfs/x"), Subject::lfs_object);
}

TEST(Route, WhatCouldBeReadTwoWaysIsPassedOn) {
    for (const std::string_view target :
         {"/o/n/resolve/main/../x", "/o/n/resolve/main//x", "/o/n/resolve/main/%2e%2e/x",
          "/o/n/resolve/main/x/", "/o/n/resolve/main/a%zz", "/o/n/resolve/main", "/", "*", "",
          "/o%2Fn/resolve/main/x", "/a/b/c/resolve/main/x"})
        EXPECT_EQ(subject(target), Subject::other) << target;
}

TEST(Route, AFileUnderACommitHasOneNameHoweverItIsWritten) {
    const Route plain = route_of("GET", "/o/n/resolve/main/a%2Db%20c");
    const Route same = route_of("GET", "/o/n/resolve/v1/a-b%20c?download=true");
    EXPECT_EQ(file_name(plain, kRouteCommit), file_name(same, kRouteCommit));
    EXPECT_NE(file_name(plain, kRouteCommit),
              file_name(route_of("GET", "/o/n/resolve/main/a"), kRouteCommit));
    EXPECT_NE(file_name(route_of("GET", "/o/n/resolve/main/a"), kRouteCommit),
              file_name(route_of("GET", "/datasets/o/n/resolve/main/a"), kRouteCommit));
}

TEST(Route, TheHubIsAskedForTheSameFileUnderTheCommit) {
    const Route route = route_of("GET", "/datasets/o/n/resolve/refs%2Fpr%2F1/a%20b?download=true");
    EXPECT_EQ(file_target(route, kRouteCommit),
              "/datasets/o/n/resolve/" + std::string(kRouteCommit) + "/a%20b?download=true");
    EXPECT_EQ(revision_target(route), "/api/datasets/o/n/revision/refs%2Fpr%2F1");
    const Route tree = route_of("GET", "/api/spaces/n/tree/refs%2Fpr%2F1/a%20b?recursive=true");
    EXPECT_EQ(listing_target(tree, kRouteCommit),
              "/api/spaces/n/tree/" + std::string(kRouteCommit) + "/a%20b?recursive=true");
    const Route paths = route_of("POST", "/api/models/o/n/paths-info/main");
    EXPECT_EQ(listing_target(paths, kRouteCommit),
              "/api/models/o/n/paths-info/" + std::string(kRouteCommit));
}

TEST(Route, AQuestionExpandsUnlessItSaysThatItDoesNot) {
    for (const std::string_view question :
         {"", "recursive=true&expand=false", "expand=False&limit=3", "paths=expand&expand=0",
          R"({"paths":["a"],"expand": false})", R"({"paths":["expand.txt"]})"})
        EXPECT_FALSE(expands(question)) << question;
    for (const std::string_view question :
         {"expand", "expand=true", "recursive=true&expand=1", "expand[]=sha", "e%78pand=true",
          "expand=false&expand=true", R"({"expand":true,"paths":[]})", R"({"expand" : 1})"})
        EXPECT_TRUE(expands(question)) << question;
}

}  // namespace
}  // namespace hawker::hub
