// A disk that does not keep up: what is asked for now waits for it, but not for ever.
#include "tests/unit/cache/world.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace hawker::cache {
namespace {

using testing::Client;
using testing::some_content;
using testing::task_named;
using namespace std::chrono_literals;

// Writes nothing by itself: what is queued waits until the cache is closed.
class IdleScribe final : public Scribe {
public:
    Time now() const override { return std::chrono::steady_clock::now(); }
    void begin(Turn) override {}
    void wake(Hurry) override {}
    void end() override {}
};

class BehindTest : public testing::World {
protected:
    BehindTest() {
        scribe = std::make_shared<IdleScribe>();
        map_size = 1ULL << 30U;
        restart();
        origin.content = some_content(64'000);
    }
    Client& ask(int number) {
        task = task_named(std::to_string(number));
        return visit();
    }
};

TEST_F(BehindTest, AMissWaitsForTheDiskButNotForABrokenOne) {
    int number = 0;
    while (ask(number).finished) ASSERT_LT(++number, 2'000);
    EXPECT_GT(number, 100);
    Client& waiting = clients.back();
    pass(50ms);
    EXPECT_FALSE(waiting.finished);
    pass(60ms);
    EXPECT_TRUE(waiting.finished);
    EXPECT_EQ(waiting.received, origin.content);

    EXPECT_TRUE(ask(0).finished) << "a hit waits for nothing";
    options.store = false;
    EXPECT_TRUE(ask(-1).finished) << "what is not stored waits for nothing";

    restart();
    options.store = true;
    const std::uint64_t sent = origin.bytes_sent();
    for (int earlier = 0; earlier <= number; ++earlier) ask(earlier);
    EXPECT_EQ(origin.bytes_sent(), sent) << "nothing was forgotten";
}

}  // namespace
}  // namespace hawker::cache
