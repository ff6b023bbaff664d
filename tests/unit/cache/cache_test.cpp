// The cache as a whole: what is found again, what is not, and what an operator sees.
#include "tests/unit/cache/world.h"

#include <fstream>

namespace hawker::cache {
namespace {

using testing::Client;
using testing::some_content;
using testing::task_named;

class CacheTest : public testing::World {};

TEST_F(CacheTest, TheSecondVisitIsAHitAndCostsTheOriginNothing) {
    Client& first = visit("alice");
    EXPECT_EQ(first.received, origin.content);
    EXPECT_EQ(first.origin, Origin::led);
    const auto sent = origin.bytes_sent();
    Client& second = visit("bob");
    EXPECT_EQ(second.received, origin.content);
    EXPECT_EQ(second.origin, Origin::hit);
    EXPECT_EQ(origin.bytes_sent(), sent);
    EXPECT_EQ(sent, origin.content.size());
}

TEST_F(CacheTest, AHitOfSomethingHotNeedsNoPool) {
    visit();
    Client& second = arrive(request());
    while (loop.turn()) {
    }
    EXPECT_TRUE(second.finished);
}

}  // namespace
}  // namespace hawker::cache
