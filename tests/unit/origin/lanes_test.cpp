// Who goes, who waits and who is turned away; on two executors that are cranked by hand.
#include "daemon/origin/lanes.h"

#include "tests/unit/base/hand_executor.h"

#include <gtest/gtest.h>

namespace hawker::origin {
namespace {

using Entry = Lanes::Entry;
using Kind = Lanes::Kind;

class Traveller final : public Lanes::Passenger {
public:
    Traveller(Executor& home, std::string origin)
        : ticket(std::make_shared<Lanes::Ticket>(home, *this, std::move(origin))) {}
    void depart() override { departed = true; }
    std::shared_ptr<Lanes::Ticket> ticket;
    bool departed = false;
};

class LanesTest : public testing::Test {
public:
    LanesTest() { lanes->set_limits(2, 2); }
    Entry enter(Traveller& who, Kind kind = Kind::first) { return lanes->enter(who.ticket, kind); }
    void leave() { lanes->leave("a"); }
    void crank() {
        one.run();
        other.run();
    }

    HandExecutor one;
    HandExecutor other;
    std::shared_ptr<Lanes> lanes = std::make_shared<Lanes>();
    Traveller first{one, "a"}, second{other, "a"}, third{one, "a"}, fourth{other, "a"},
        fifth{one, "a"};
};

TEST_F(LanesTest, PlacesAreSharedByAllLoopsAndGivenInTurn) {
    EXPECT_EQ(enter(first), Entry::go);
    EXPECT_EQ(enter(second), Entry::go);
    EXPECT_EQ(enter(third), Entry::wait);
    EXPECT_EQ(enter(fourth), Entry::wait);
    EXPECT_EQ(lanes->waiting(), 2U);
    leave();
    EXPECT_FALSE(third.departed);  // as a job of its home, not before
    crank();
    EXPECT_TRUE(third.departed);
    EXPECT_FALSE(fourth.departed);
    leave();
    crank();
    EXPECT_TRUE(fourth.departed);
    EXPECT_EQ(lanes->waiting(), 0U);
}

TEST_F(LanesTest, TheQueueHasAnEnd) {
    for (Traveller* who : {&first, &second, &third, &fourth}) enter(*who);
    EXPECT_EQ(enter(fifth), Entry::full);
    Traveller elsewhere(one, "b");
    EXPECT_EQ(enter(elsewhere), Entry::go);
}

TEST_F(LanesTest, WhoStopsWaitingIsPassedOver) {
    for (Traveller* who : {&first, &second, &third, &fourth}) enter(*who);
    lanes->stop_waiting(*third.ticket);
    leave();
    crank();
    EXPECT_FALSE(third.departed);
    EXPECT_TRUE(fourth.departed);
}

TEST_F(LanesTest, APlaceGivenToSomebodyWhoHasJustLeftGoesToTheNext) {
    for (Traveller* who : {&first, &second, &third, &fourth}) enter(*who);
    leave();                             // third is called,
    lanes->stop_waiting(*third.ticket);  // and leaves before it hears
    crank();
    EXPECT_FALSE(third.departed);
    EXPECT_TRUE(fourth.departed);
}

TEST_F(LanesTest, AFurtherPartOnlyTakesAPlaceToSpare) {
    lanes->set_limits(4, 10);  // one of four is kept
    EXPECT_EQ(enter(first), Entry::go);
    EXPECT_EQ(enter(second, Kind::further_part), Entry::go);
    EXPECT_EQ(enter(third, Kind::further_part), Entry::go);
    EXPECT_EQ(enter(fourth, Kind::further_part), Entry::full);
    EXPECT_EQ(enter(fifth), Entry::go);
}

TEST_F(LanesTest, MorePlacesAreGivenAtOnce) {
    for (Traveller* who : {&first, &second, &third, &fourth}) enter(*who);
    lanes->set_limits(3, 2);
    crank();
    EXPECT_TRUE(third.departed);
    EXPECT_FALSE(fourth.departed);
    lanes->set_limits(4, 2);
    crank();
    EXPECT_TRUE(fourth.departed);
}

}  // namespace
}  // namespace hawker::origin
