#include "daemon/proxy/access_questions.h"

#include "tests/unit/base/hand_executor.h"

#include <algorithm>
#include <array>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hawker::proxy {
namespace {

using Waiting = Task<std::shared_ptr<const Verdict>>;

class AccessQuestionsTest : public testing::Test {
protected:
    static Digest key(unsigned char name) {
        Digest digest;
        digest.bytes[0] = std::byte{name};
        return digest;
    }
    static std::shared_ptr<const Verdict> no() {
        return std::make_shared<Verdict>(fail(Errc::refused, "no"));
    }
    AccessQuestions::Place take(unsigned char name) { return questions.take(key(name), home); }

    HandExecutor home;
    AccessQuestions questions{2};
};

TEST_F(AccessQuestionsTest, TheFirstAsksAndTheOthersGetItsAnswer) {
    auto first = take(1);
    auto second = take(1);
    auto third = take(1);
    ASSERT_TRUE(first.lead);
    EXPECT_EQ(questions.waiting(), 2U);
    ASSERT_TRUE(second.seat && third.seat && !second.lead && !third.lead);
    Waiting waiting[] = {second.seat->wait(), third.seat->wait()};
    const auto answer = no();
    first.lead->tell(answer);
    for (Waiting& each : waiting) EXPECT_FALSE(each.done());  // never inside the call
    home.run();
    for (Waiting& each : waiting) EXPECT_EQ(each.take(), answer);
}

TEST_F(AccessQuestionsTest, AnAnswerIsNotRememberedBeyondThoseWhoWaited) {
    take(1).lead->tell(no());
    EXPECT_EQ(questions.open(), 0U);
    EXPECT_TRUE(take(1).lead);
}

TEST_F(AccessQuestionsTest, ALeadThatGoesSendsTheOthersToAskAgain) {
    auto first = take(1);
    auto second = take(1);
    Waiting waiting = second.seat->wait();
    first.lead.reset();
    home.run();
    EXPECT_EQ(waiting.take(), nullptr);
    EXPECT_FALSE(second.seat->has_left());
    EXPECT_TRUE(take(1).lead);
}

TEST_F(AccessQuestionsTest, WhoLeavesDisturbsNobody) {
    auto first = take(1);
    auto second = take(1);
    auto third = take(1);
    Waiting leaving = second.seat->wait();
    Waiting staying = third.seat->wait();
    second.seat->leave();
    home.run();
    EXPECT_EQ(leaving.take(), nullptr);
    EXPECT_TRUE(second.seat->has_left());
    EXPECT_FALSE(staying.done());
    second.seat.reset();
    first.lead->tell(no());
    home.run();
    EXPECT_TRUE(staying.take());
}

TEST_F(AccessQuestionsTest, TheirNumberIsBounded) {
    const auto first = take(1);
    const auto second = take(2);
    const auto third = take(3);
    EXPECT_TRUE(first.lead && second.lead);
    EXPECT_FALSE(third.lead || third.seat);
    EXPECT_TRUE(take(2).seat);  // an open one takes any number
}

TEST_F(AccessQuestionsTest, ABurstFromManyThreadsHasOneLead) {
    constexpr std::size_t kThreads = 8;
    std::array<HandExecutor, kThreads> homes;
    std::array<AccessQuestions::Place, kThreads> places;
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kThreads; ++i)
        threads.emplace_back([&, i] { places.at(i) = questions.take(key(1), homes.at(i)); });
    threads.clear();
    const auto leads = std::ranges::count_if(places, [](const auto& each) { return !!each.lead; });
    const auto seats = std::ranges::count_if(places, [](const auto& each) { return !!each.seat; });
    EXPECT_EQ(leads, 1);
    EXPECT_EQ(seats, static_cast<std::ptrdiff_t>(kThreads) - 1);
}

}  // namespace
}  // namespace hawker::proxy
