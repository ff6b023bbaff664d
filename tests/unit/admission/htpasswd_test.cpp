#include "daemon/admission/htpasswd.h"

#include "daemon/admission/basic_credentials.h"
#include "daemon/admission/bcrypt.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hawker::admission {
namespace {

// The test vectors of bcrypt's authors: U*U*U, cost 5.
constexpr const char* kHashOfPassword =
    "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a";
constexpr const char* kPassword = "U*U*U";

std::string complaint(std::string_view text) {
    const auto users = Htpasswd::parse(text, "users");
    return users ? "none" : users.error().what;
}

TEST(Bcrypt, TheRightPasswordAndNoOther) {
    EXPECT_TRUE(verify_bcrypt(kPassword, kHashOfPassword));
    EXPECT_FALSE(verify_bcrypt("U*U*", kHashOfPassword));
    EXPECT_FALSE(verify_bcrypt("", kHashOfPassword));
}

TEST(Bcrypt, TheWaysOfWritingTheKindAreOne) {
    std::string hash = kHashOfPassword;
    for (const char kind : {'a', 'b', 'y'}) {
        hash[2] = kind;
        EXPECT_EQ(bcrypt_cost(hash), 5U);
        EXPECT_TRUE(verify_bcrypt(kPassword, hash)) << kind;
    }
}

TEST(Bcrypt, WhatBcryptWouldNotLookAtIsNoPassword) {
    EXPECT_FALSE(verify_bcrypt(std::string(73, 'x'), kHashOfPassword));
    EXPECT_FALSE(verify_bcrypt(std::string("U*U*U\0more", 10), kHashOfPassword));
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
    const auto users = Htpasswd::parse(
        std::string("# who\n\nalice:") + kHashOfPassword + "\r\nbob:" + kHashOfPassword, "users");
    ASSERT_TRUE(users) << users.error().what;
    EXPECT_EQ((*users)->size(), 2U);
    EXPECT_EQ((*users)->hash_of("alice"), kHashOfPassword);
    EXPECT_EQ((*users)->hash_of("bob"), kHashOfPassword);
    EXPECT_EQ((*users)->hash_of("mallory"), hash_of_nobody(5));
}

std::chrono::nanoseconds processor_time() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

TEST(Htpasswd, ANoTakesAsLongForACheapHashAsForADearOneAndForAStranger) {
    std::string dear = std::string("bob:") + kHashOfPassword;
    dear.replace(dear.find("$05$"), 4, "$09$");  // sixteen times as long
    const auto users =
        Htpasswd::parse(std::string("alice:") + kHashOfPassword + "\n" + dear, "users");
    ASSERT_TRUE(users) << users.error().what;
    // The least of several: what a busy machine adds to one of them is not the hash's.
    const auto cost_of = [&users](std::string_view user) {
        auto least = std::chrono::nanoseconds::max();
        for (int i = 0; i < 5; ++i) {
            const auto start = processor_time();
            EXPECT_FALSE((*users)->verify(user, "guess"));
            least = std::min(least, processor_time() - start);
        }
        return least;
    };
    const auto stranger = cost_of("mallory");
    EXPECT_GT(cost_of("alice") * 3, stranger);
    EXPECT_LT(cost_of("alice"), stranger * 3);
    EXPECT_GT(cost_of("bob") * 3, stranger);
}

TEST(Htpasswd, TheRightPasswordIsVerified) {
    const auto users = Htpasswd::parse(std::string("alice:") + kHashOfPassword, "users");
    EXPECT_TRUE((*users)->verify("alice", kPassword));
    EXPECT_FALSE((*users)->verify("bob", kPassword));
}

TEST(Htpasswd, ANameHasNothingThatBreaksALine) {
    EXPECT_TRUE(is_user_name("Alice Liddell"));
    EXPECT_TRUE(is_user_name("J\xC3\xBCrgen"));
    for (const std::string_view no : {"", "a\nb", "a\x1B[2J", "a\x7F"})
        EXPECT_FALSE(is_user_name(no)) << no;
    EXPECT_FALSE(is_user_name(std::string(129, 'a')));
    EXPECT_FALSE(is_user_name(std::string_view("a\0b", 3)));
}

TEST(Htpasswd, EveryComplaintNamesLineAndCure) {
    const std::string good = std::string("alice:") + kHashOfPassword + "\n";
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
    std::ofstream(file) << "alice:" << kHashOfPassword << '\n';
    std::filesystem::permissions(file, std::filesystem::perms(0640));
    EXPECT_TRUE(Htpasswd::load(file));
    std::filesystem::permissions(file, std::filesystem::perms(0660));
    const auto refused = Htpasswd::load(file);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("chmod go-w"), std::string::npos);
    std::filesystem::remove(file);
    EXPECT_FALSE(Htpasswd::load(file));
}

TEST(Htpasswd, AFifoInItsPlaceIsRefusedWithoutAWait) {
    const auto fifo =
        std::filesystem::temp_directory_path() / ("hawker-fifo-" + std::to_string(::getpid()));
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    const auto refused = Htpasswd::load(fifo);
    std::filesystem::remove(fifo);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("no regular file"), std::string::npos);
}

TEST(Htpasswd, AFileOfSomebodyElsesIsRefused) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
    const auto file =
        std::filesystem::temp_directory_path() / ("hawker-given-" + std::to_string(::getpid()));
    std::ofstream(file) << "alice:" << kHashOfPassword << '\n';
    ASSERT_EQ(::chown(file.c_str(), 12345, 12345), 0);
    const auto refused = Htpasswd::load(file);
    std::filesystem::remove(file);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("sudo chown root"), std::string::npos);
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
