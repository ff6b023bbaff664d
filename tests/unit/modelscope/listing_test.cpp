#include "daemon/modelscope/listing.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hawker::modelscope {
namespace {

const std::string kSha(64, 'a');

std::string listing_of(const std::string& files) {
    return fmt::format(R"({{"Code":200,"Data":{{"Files":[{}],"IsVisual":0}},"Success":true}})",
                       files);
}

std::string file(const std::string& path, const std::string& more) {
    return fmt::format(R"({{"CommitMessage":"Path","Path":"{}","Type":"blob"{}}})", path, more);
}

const std::string kGood = fmt::format(R"(,"Sha256":"{}","Size":7)", kSha);

TEST(ModelScopeListing, AFileHasItsDigestAndItsSize) {
    const auto listing = Listing::parse(
        listing_of(file("d/f", kGood) + R"(,{"Path":"d","Type":"tree","Sha256":"","Size":0})"));
    ASSERT_TRUE(listing);
    EXPECT_EQ(listing->entries(), 2U);
    ASSERT_TRUE(listing->find("d/f"));
    EXPECT_EQ(listing->find("d/f")->sha256.hex(), kSha);
    EXPECT_EQ(listing->find("d/f")->size, 7U);
    EXPECT_FALSE(listing->find("d"));
    EXPECT_FALSE(listing->names("d"));
}

TEST(ModelScopeListing, WhatIsSaidHalfIsNoName) {
    for (const std::string& more :
         {std::string(), R"(,"Sha256":")" + kSha + "\"",
          R"(,"Sha256":"abc","Size":7)" + std::string(), R"(,"Sha256":")" + kSha + R"(","Size":-1)",
          R"(,"Sha256":")" + kSha + R"(","Size":"7")"}) {
        const auto listing = Listing::parse(listing_of(file("f", more)));
        ASSERT_TRUE(listing);
        EXPECT_FALSE(listing->find("f")) << more;
        EXPECT_TRUE(listing->names("f")) << more;
    }
}

TEST(ModelScopeListing, APathThatIsSaidTwiceIsNoName) {
    const auto listing = Listing::parse(listing_of(file("f", kGood) + "," + file("f", kGood)));
    ASSERT_TRUE(listing);
    EXPECT_FALSE(listing->find("f"));
}

TEST(ModelScopeListing, ANoMayHaveStatus200) {
    for (const char* const no :
         {R"({"Code":10010205001,"Message":"not exist","Success":false})",
          R"({"Code":404,"Data":{"Files":[]}})", R"({"Success":false,"Data":{"Files":[]}})",
          R"({"success":false,"Data":[]})", "", "null", "<html>", "[1]", R"({"Data":)"}) {
        EXPECT_FALSE(is_yes(no)) << no;
        EXPECT_FALSE(Listing::parse(no)) << no;
    }
    EXPECT_TRUE(is_yes(R"({"Code":200,"Data":{"Name":"n"},"Success":true})"));
    EXPECT_FALSE(Listing::parse(R"({"Code":200,"Data":{"Name":"n"},"Success":true})"));
}

TEST(ModelScopeListing, AnEmptyRepositoryIsAListing) {
    for (const char* const empty :
         {R"({"Code":200,"Data":{"Files":null},"Success":true})", R"({"Data":[]})"}) {
        const auto listing = Listing::parse(empty);
        ASSERT_TRUE(listing) << empty;
        EXPECT_EQ(listing->entries(), 0U);
    }
}

}  // namespace
}  // namespace hawker::modelscope
