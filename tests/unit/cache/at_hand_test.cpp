// What a loop serves by itself, at once.
#include "tests/unit/cache/world.h"

#include <gtest/gtest.h>

namespace hawker::cache {
namespace {

using testing::Client;
using testing::some_content;

class AtHandTest : public testing::World {};

TEST_F(AtHandTest, WhatIsLiveAndWholeIsAtHand) {
    EXPECT_EQ(cache->open_at_hand(task, {}, loop), nullptr);
    visit();
    const auto reader = cache->open_at_hand(task, {}, loop);
    ASSERT_NE(reader, nullptr);
    EXPECT_EQ(reader->origin(), Origin::hit);
    EXPECT_EQ(reader->representation().size, origin.content.size());
}

TEST_F(AtHandTest, WhatIsStillBeingFetchedIsNotAtHand) {
    arrive(request());
    EXPECT_EQ(cache->open_at_hand(task, {}, loop), nullptr);
}

TEST_F(AtHandTest, WhatHashesToSomethingElseIsNotAtHand) {
    visit();
    EXPECT_EQ(cache->open_at_hand(task, Digest(sha256_of("another")), loop), nullptr);
}

// Started anew, with an index that is taken to be in memory.
class IndexAtHandTest : public testing::World {
protected:
    IndexAtHandTest() { calm_look_ups = 0; }
    void keep(std::size_t bytes) {
        restart();
        EXPECT_TRUE(take(some_content(bytes)).finished);
        restart();
    }
    // Somebody who knows what it hashes to.
    Client& take(std::string content) {
        origin.content = std::move(content);
        OpenRequest wanted = request();
        wanted.digest = Digest(sha256_of(origin.content));
        Client& client = arrive(std::move(wanted));
        crank();
        return client;
    }
};

TEST_F(IndexAtHandTest, ASmallOneNeedsNoPool) {
    keep(5'000);
    const auto reader = cache->open_at_hand(task, {}, loop);
    ASSERT_NE(reader, nullptr);
    EXPECT_EQ(reader->origin(), Origin::hit);
    EXPECT_EQ(reader->representation().size, 5'000U);
    Client& second = arrive(request());
    while (loop.turn()) {
    }
    EXPECT_TRUE(second.finished);
    EXPECT_EQ(second.received, origin.content);
}

// A start reads it through, as it is small.
class SmallIndexAtHandTest : public IndexAtHandTest {
protected:
    SmallIndexAtHandTest() { calm_look_ups = 4096; }
};

TEST_F(SmallIndexAtHandTest, ASmallOneNeedsNoPoolRightAfterAStart) {
    keep(5'000);
    EXPECT_NE(cache->open_at_hand(task, {}, loop), nullptr);
}

TEST_F(IndexAtHandTest, AFileIsOpenedByThePool) {
    keep(1'000'000);
    EXPECT_EQ(cache->open_at_hand(task, {}, loop), nullptr);
    EXPECT_EQ(visit().origin, Origin::hit);
}

TEST_F(IndexAtHandTest, WhatIsNotThereComesFromTheOrigin) {
    restart();
    EXPECT_EQ(cache->open_at_hand(task, {}, loop), nullptr);
    EXPECT_EQ(visit().origin, Origin::led);
}

TEST_F(IndexAtHandTest, AnotherContentIsReplaced) {
    keep(5'000);
    const std::string other = some_content(6'000);
    EXPECT_EQ(cache->open_at_hand(task, Digest(sha256_of(other)), loop), nullptr);
    EXPECT_EQ(take(other).received, other);
}

}  // namespace
}  // namespace hawker::cache
