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
    Task<Expected<bool>> check(BasicCredentials credentials, std::string client = "10.0.0.1") {
        return authenticator.check(users, std::move(credentials), std::move(client), 5min, home);
    }
    // `many` passwords, none of them right, and none like another.
    std::vector<Task<Expected<bool>>> guess(std::size_t many, const std::string& client) {
        std::vector<Task<Expected<bool>>> guesses;
        for (std::size_t i = 0; i < many; ++i)
            guesses.push_back(check(alice(client + std::to_string(++guessed_)), client));
        return guesses;
    }
    static bool is_told_to_come_back(Task<Expected<bool>>& late) {
        if (!late.done()) return false;
        const auto refused = late.take();
        return !refused && refused.error().code == Errc::exhausted &&
               refused.error().retry_after == 2s;
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

private:
    std::size_t guessed_ = 0;
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
    clock.passed = 29s;
    EXPECT_EQ(authenticator.recall(*users, alice("guess")), false);
    clock.passed = 31s;
    EXPECT_EQ(authenticator.recall(*users, alice("guess")), std::nullopt);
    clock.passed = 5min + 1s;
    EXPECT_EQ(authenticator.recall(*users, alice()), std::nullopt);
}

TEST_F(AuthenticatorTest, APasswordThatIsInUseIsNotVerifiedAgain) {
    auto right = check(alice());
    settle();
    for (int request = 1; request <= 5; ++request) {
        clock.passed += 4min;
        EXPECT_EQ(authenticator.recall(*users, alice()), true);
    }
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

TEST_F(AuthenticatorTest, WhoeverGuessesIsSoonToldToComeBackAndKeepsNobodyElseWaiting) {
    auto guesses = guess(16, "10.0.0.66");
    auto one_more = check(alice("one more"), "10.0.0.66");
    EXPECT_TRUE(is_told_to_come_back(one_more));
    auto mine = check(alice(), "10.0.0.1");
    EXPECT_FALSE(mine.done());
    EXPECT_EQ(settle(), 17U);
    EXPECT_TRUE(mine.take().value());
    auto later = check(alice("one more"), "10.0.0.66");
    EXPECT_EQ(settle(), 1U);
    EXPECT_FALSE(later.take().value());
}

TEST_F(AuthenticatorTest, WhoeverAsksWhatIsBeingAskedNeedsNoPlaceInTheQueue) {
    auto mine = check(alice(), "10.0.0.1");
    auto guesses = guess(16, "10.0.0.66");
    auto same = check(alice(), "10.0.0.66");
    settle();
    EXPECT_TRUE(same.take().value());
}

TEST_F(AuthenticatorTest, WhenAllQueuesAreFullThePasswordsInUseStillCount) {
    auto mine = check(alice());
    settle();
    std::vector<std::vector<Task<Expected<bool>>>> crowd;
    for (const char* client : {"10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"})
        crowd.push_back(guess(16, client));
    auto late = check(alice("one more"), "10.0.0.6");
    EXPECT_TRUE(is_told_to_come_back(late));
    auto again = check(alice());
    ASSERT_TRUE(again.done());
    EXPECT_TRUE(again.take().value());
    EXPECT_EQ(settle(), 64U);
}

TEST_F(AuthenticatorTest, AfterStopNobodyWaitsAndNothingIsVerified) {
    auto guesses = guess(10, "10.0.0.1");
    auto first = check(alice());
    auto joined = check(alice());
    authenticator.stop();
    settle();
    for (auto* each : {&first, &joined}) {
        ASSERT_TRUE(each->done());
        EXPECT_EQ(each->take().error().code, Errc::shutting_down);
    }
    auto late = check(alice());
    EXPECT_EQ(late.take().error().code, Errc::shutting_down);
}

}  // namespace
}  // namespace hawker::admission
