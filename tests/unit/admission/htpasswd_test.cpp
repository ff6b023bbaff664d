#include "daemon/admission/htpasswd.h"

#include "daemon/admission/basic_credentials.h"
#include "daemon/admission/bcrypt.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace hawker::admission {
namespace {

// The test vectors of bcrypt's authors: U*U*U, cost 5.
constexpr const char* kHash = "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a";
constexpr const char* kPassword = "U*U*U";

std::string complaint(std::string_view text) {
    const auto users = Htpasswd::parse(text, "users");
    return users ? "none" : users.error().what;
}

TEST(Bcrypt, TheRightPasswordAndNoOther) {
    EXPECT_TRUE(verify_bcrypt(kPassword, kHash));
    EXPECT_FALSE(verify_bcrypt("U*U*", kHash));
    EXPECT_FALSE(verify_bcrypt("", kHash));
}

TEST(Bcrypt, TheWaysOfWritingTheKindAreOne) {
    std::string hash = kHash;
    for (const char kind : {'a', 'b', 'y'}) {
        hash[2] = kind;
        EXPECT_EQ(bcrypt_cost(hash), 5U);
        EXPECT_TRUE(verify_bcrypt(kPassword, hash)) << kind;
    }
}

TEST(Bcrypt, WhatBcryptWouldNotLookAtIsNoPassword) {
    EXPECT_FALSE(verify_bcrypt(std::string(73, 'x'), kHash));
    EXPECT_FALSE(verify_bcrypt(std::string("U*U*U\0more", 10), kHash));
}

TEST(Bcrypt, NobodyCostsWhatAnybodyCostsAndHasNoPassword) {
    const std::string nobody = hash_of_nobody(5);
    EXPECT_EQ(bcrypt_cost(nobody), 5U);
    EXPECT_FALSE(verify_bcrypt(kPassword, nobody));
    EXPECT_FALSE(verify_bcrypt("", nobody));
}

TEST(Bcrypt, OtherHashesHaveNoCost) {
    for (const std::string_view other :
         {"", "$apr1$salt$hash", "{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "$2y$05$tooshort",
          "$2x$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
          "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4:"})
        EXPECT_FALSE(bcrypt_cost(other)) << other;
}

TEST(Htpasswd, UsersAreFoundAndStrangersAreNobody) {
    const auto users =
        Htpasswd::parse(std::string("# who\n\nalice:") + kHash + "\r\nbob:" + kHash, "users");
    ASSERT_TRUE(users) << users.error().what;
    EXPECT_EQ((*users)->size(), 2U);
    EXPECT_EQ((*users)->hash_of("alice"), kHash);
    EXPECT_EQ((*users)->hash_of("bob"), kHash);
    EXPECT_EQ((*users)->hash_of("mallory"), hash_of_nobody(5));
}

TEST(Htpasswd, EveryComplaintNamesLineAndCure) {
    const std::string good = std::string("alice:") + kHash + "\n";
    EXPECT_NE(
        complaint(good + "bob:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=").find("users:2: `htpasswd -B"),
        std::string::npos);
    EXPECT_NE(complaint(good + "bob").find("users:2:"), std::string::npos);
    EXPECT_NE(complaint(":" + good).find("users:1:"), std::string::npos);
    EXPECT_NE(complaint(good + good).find("users:2: user alice stands here twice"),
              std::string::npos);
    EXPECT_NE(complaint("# nobody\n").find("htpasswd -B users USER"), std::string::npos);
    std::string dear = good;
    dear.replace(10, 2, "31");
    EXPECT_NE(complaint(dear).find("cost up to"), std::string::npos);
}

TEST(Htpasswd, AComplaintHoldsNothingOfAHash) {
    EXPECT_EQ(complaint("bob:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=").find("2jmj7l5r"),
              std::string::npos);
}

TEST(Htpasswd, AFileThatOthersMayWriteIsRefused) {
    const auto file =
        std::filesystem::temp_directory_path() / ("hawker-htpasswd-" + std::to_string(::getpid()));
    std::ofstream(file) << "alice:" << kHash << '\n';
    std::filesystem::permissions(file, std::filesystem::perms(0640));
    EXPECT_TRUE(Htpasswd::load(file));
    std::filesystem::permissions(file, std::filesystem::perms(0660));
    const auto refused = Htpasswd::load(file);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("chmod go-w"), std::string::npos);
    std::filesystem::remove(file);
    EXPECT_FALSE(Htpasswd::load(file));
}

TEST(BasicCredentials, AreUserAndPassword) {
    const auto both = parse_basic("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    ASSERT_TRUE(both);
    EXPECT_EQ(both->user, "Aladdin");
    EXPECT_EQ(both->password, "open sesame");
    EXPECT_TRUE(parse_basic("bASIC  QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
}

TEST(BasicCredentials, AColonBelongsToThePassword) {
    EXPECT_EQ(parse_basic("Basic YTpiOmM=")->password, "b:c");
}

TEST(BasicCredentials, OtherSchemesAndGarbageAreNone) {
    for (const std::string_view other :
         {"", "Basic", "Basic ",
          "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic QWxhZGRpbg==", "Basic QWxh*GRp",
          "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ", "BasicQWxhZGRpbjpvcGVuIHNlc2FtZQ=="})
        EXPECT_FALSE(parse_basic(other)) << other;
}

}  // namespace
}  // namespace hawker::admission
