#include "daemon/admission/authenticator.h"

#include "tests/unit/base/hand_executor.h"

#include <gtest/gtest.h>

namespace hawker::admission {
namespace {

using namespace std::chrono_literals;

constexpr const char* kHash = "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a";

class HandClock final : public Clock {
public:
    SteadyTime now() const override { return SteadyTime() + passed; }
    WallTime wall() const override { return WallTime() + passed; }
    std::chrono::milliseconds passed{0};
};

class AuthenticatorTest : public testing::Test {
protected:
    static std::shared_ptr<const Htpasswd> file(const std::string& text) {
        return Htpasswd::parse(text, "users").value();
    }
    static BasicCredentials alice(std::string password = "U*U*U") {
        BasicCredentials credentials;
        credentials.user = "alice";
        credentials.password = std::move(password);
        return credentials;
    }
    Task<Expected<bool>> check(BasicCredentials credentials) {
        return authenticator.check(users, std::move(credentials), 5min, home);
    }
    // How many passwords were verified until everybody had an answer.
    std::size_t settle() {
        std::size_t verified = 0;
        for (std::size_t now = 1; now > 0; verified += now) {
            now = verifying.run();
            home.run();
        }
        return verified;
    }

    HandClock clock;
    HandExecutor verifying;
    HandExecutor home;
    Authenticator authenticator{verifying, clock};
    std::shared_ptr<const Htpasswd> users = file(std::string("alice:") + kHash);
};

TEST_F(AuthenticatorTest, TheRightPasswordIsVerifiedOnceAndRemembered) {
    auto first = check(alice());
    EXPECT_FALSE(first.done());
    EXPECT_EQ(settle(), 1U);
    EXPECT_TRUE(first.take().value());
    auto second = check(alice());
    ASSERT_TRUE(second.done());
    EXPECT_TRUE(second.take().value());
    EXPECT_EQ(authenticator.recall(*users, alice()), true);
}

TEST_F(AuthenticatorTest, AWrongPasswordAndAStrangerAreVerifiedToo) {
    auto wrong = check(alice("guess"));
    BasicCredentials mallory = alice();
    mallory.user = "mallory";
    auto stranger = check(mallory);
    EXPECT_EQ(settle(), 2U);
    EXPECT_FALSE(wrong.take().value());
    EXPECT_FALSE(stranger.take().value());
}

TEST_F(AuthenticatorTest, WhatIsRememberedEnds) {
    auto right = check(alice());
    auto wrong = check(alice("guess"));
    settle();
    clock.passed = 31s;
    EXPECT_EQ(authenticator.recall(*users, alice()), true);
    EXPECT_EQ(authenticator.recall(*users, alice("guess")), std::nullopt);
    clock.passed = 5min + 1s;
    EXPECT_EQ(authenticator.recall(*users, alice()), std::nullopt);
}

TEST_F(AuthenticatorTest, ManyWhoAskAtOnceCostOneVerification) {
    std::vector<Task<Expected<bool>>> asking;
    for (int i = 0; i < 50; ++i) asking.push_back(check(alice()));
    EXPECT_EQ(settle(), 1U);
    for (auto& each : asking) EXPECT_TRUE(each.take().value());
}

TEST_F(AuthenticatorTest, ANewHashEndsWhatWasRemembered) {
    auto right = check(alice());
    settle();
    std::string other = kHash;
    other.back() = 'b';
    users = file("alice:" + other);
    auto again = check(alice());
    EXPECT_EQ(settle(), 1U);
    EXPECT_FALSE(again.take().value());
    users = file(std::string("bob:") + kHash);
    auto gone = check(alice());
    EXPECT_EQ(settle(), 1U);
    EXPECT_FALSE(gone.take().value());
}

TEST_F(AuthenticatorTest, WhoeverGuessesFindsTheQueueFullAndIsToldWhenToComeBack) {
    std::vector<Task<Expected<bool>>> guesses;
    for (int i = 0; i < 64; ++i) guesses.push_back(check(alice("guess" + std::to_string(i))));
    auto late = check(alice("one more"));
    ASSERT_TRUE(late.done());
    const auto refused = late.take();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::exhausted);
    EXPECT_EQ(refused.error().retry_after, 2s);
    EXPECT_EQ(settle(), 64U);
    auto now = check(alice());
    settle();
    EXPECT_TRUE(now.take().value());
}

}  // namespace
}  // namespace hawker::admission
