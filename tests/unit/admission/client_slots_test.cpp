#include "daemon/admission/client_slots.h"

#include "tests/unit/base/hand_executor.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hawker::admission {
namespace {

class ClientSlotsTest : public testing::Test {
protected:
    ClientSlots::Place enter(const std::string& client) { return slots.enter(client, 2, 3, home); }
    HandExecutor home;
    ClientSlots slots;
};

TEST_F(ClientSlotsTest, SoManyRunTheNextOnesWaitAndOneMoreIsTurnedAway) {
    std::vector<ClientSlots::Place> places;
    for (int i = 0; i < 6; ++i) places.push_back(enter("greedy"));
    EXPECT_TRUE(places[0].slot && places[1].slot);
    EXPECT_TRUE(places[2].seat && places[3].seat && places[4].seat);
    EXPECT_FALSE(places[5].slot || places[5].seat);
    EXPECT_EQ(slots.waiting(), 3U);
}

TEST_F(ClientSlotsTest, AnotherClientHasALineOfItsOwn) {
    std::vector<ClientSlots::Place> places;
    for (int i = 0; i < 5; ++i) places.push_back(enter("greedy"));
    EXPECT_TRUE(enter("polite").slot);
}

TEST_F(ClientSlotsTest, WhoWaitsIsCalledInOrder) {
    auto first = enter("a");
    auto second = enter("a");
    auto third = enter("a");
    auto fourth = enter("a");
    Task<std::optional<ClientSlots::Slot>> third_waits = third.seat->wait();
    Task<std::optional<ClientSlots::Slot>> fourth_waits = fourth.seat->wait();
    first.slot.reset();
    home.run();
    ASSERT_TRUE(third_waits.done());
    EXPECT_FALSE(fourth_waits.done());
    EXPECT_TRUE(third_waits.take());  // and gives it back
    home.run();
    EXPECT_TRUE(fourth_waits.take());
}

TEST_F(ClientSlotsTest, ALimitThatChangesHoldsForThoseInLineToo) {
    auto first = slots.enter("a", 1, 9, home);
    auto second = slots.enter("a", 1, 9, home);
    auto third = slots.enter("a", 1, 9, home);
    Task<std::optional<ClientSlots::Slot>> second_waits = second.seat->wait();
    Task<std::optional<ClientSlots::Slot>> third_waits = third.seat->wait();
    auto fourth = slots.enter("a", 3, 9, home);
    EXPECT_FALSE(fourth.slot) << "nobody comes before those who wait";
    home.run();
    auto second_slot = second_waits.take();
    auto third_slot = third_waits.take();
    ASSERT_TRUE(second_slot && third_slot);

    auto fifth = slots.enter("a", 1, 9, home);
    Task<std::optional<ClientSlots::Slot>> fourth_waits = fourth.seat->wait();
    first.slot.reset();
    home.run();
    EXPECT_FALSE(fourth_waits.done()) << "two still run";
    second_slot.reset();
    third_slot.reset();
    home.run();
    EXPECT_TRUE(fourth_waits.take());
}

TEST_F(ClientSlotsTest, WhoLeftTheLineIsPassedOver) {
    auto first = enter("a");
    auto second = enter("a");
    auto third = enter("a");
    auto fourth = enter("a");
    Task<std::optional<ClientSlots::Slot>> third_waits = third.seat->wait();
    Task<std::optional<ClientSlots::Slot>> fourth_waits = fourth.seat->wait();
    third.seat->leave();
    home.run();
    EXPECT_FALSE(third_waits.take());
    first.slot.reset();
    home.run();
    EXPECT_TRUE(fourth_waits.take());
}

TEST_F(ClientSlotsTest, NothingIsKeptOfClientsThatAreGone) {
    for (int i = 0; i < 1000; ++i) enter("client " + std::to_string(i)).slot.reset();
    EXPECT_EQ(slots.clients(), 0U);
}

TEST_F(ClientSlotsTest, ManyThreadsOfOneClientNeverRunMoreThanItsShare) {
    std::atomic<int> running = 0;
    std::atomic<int> most = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int k = 0; k < 2000; ++k) {
                const auto place = slots.enter("a", 2, 0, home);
                if (!place.slot) continue;
                const int now = ++running;
                int seen = most.load();
                while (now > seen && !most.compare_exchange_weak(seen, now)) {
                }
                --running;
            }
        });
    for (std::thread& each : threads) each.join();
    EXPECT_LE(most.load(), 2);
    EXPECT_EQ(slots.clients(), 0U);
}

}  // namespace
}  // namespace hawker::admission
