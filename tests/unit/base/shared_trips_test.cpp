#include "base/shared_trips.h"

#include "base/task.h"
#include "base/task_group.h"
#include "tests/unit/base/hand_executor.h"

#include <vector>

#include <gtest/gtest.h>

namespace hawker {
namespace {

Task<void> ask(SharedTrips& trips, Executor& home, int number, std::vector<int>& answers) {
    auto work = [number] { return number * 2; };
    const int answer = co_await trips.along(home, work);
    answers.push_back(answer);
}

TEST(SharedTrips, WhatIsAskedInOneTurnGoesAndComesBackTogether) {
    HandExecutor pool, home;
    SharedTrips trips(pool);
    TaskGroup tasks(home);
    std::vector<int> answers;
    for (int i = 0; i < 5; ++i) tasks.spawn(ask(trips, home, i, answers));
    EXPECT_EQ(pool.run(), 0U) << "the turn is not over";
    EXPECT_EQ(home.run(), 1U);
    EXPECT_EQ(pool.run(), 1U);
    EXPECT_TRUE(answers.empty());
    home.run();
    EXPECT_EQ(answers, (std::vector<int>{0, 2, 4, 6, 8}));
}

TEST(SharedTrips, ManyGoInSeveralTripsSoThatOneSlowAnswerHoldsUpFew) {
    HandExecutor pool, home;
    SharedTrips trips(pool);
    TaskGroup tasks(home);
    std::vector<int> answers;
    for (int i = 0; i < 100; ++i) tasks.spawn(ask(trips, home, i, answers));
    home.run();
    EXPECT_EQ(pool.run(), 4U);
    home.run();
    EXPECT_EQ(answers.size(), 100U);
}

TEST(SharedTrips, EachHomeHasItsOwn) {
    HandExecutor pool, one, other;
    SharedTrips trips(pool);
    TaskGroup of_one(one), of_other(other);
    std::vector<int> answers;
    of_one.spawn(ask(trips, one, 1, answers));
    of_other.spawn(ask(trips, other, 2, answers));
    one.run();
    pool.run();
    one.run();
    EXPECT_EQ(answers, (std::vector<int>{2}));
    other.run();
    pool.run();
    other.run();
    EXPECT_EQ(answers, (std::vector<int>{2, 4}));
}

}  // namespace
}  // namespace hawker
