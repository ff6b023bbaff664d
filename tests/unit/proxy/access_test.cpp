#include "daemon/proxy/access_question.h"
#include "daemon/proxy/proxy.h"

#include <gtest/gtest.h>

namespace hawker::proxy {
namespace {

class HandClock final : public Clock {
public:
    SteadyTime now() const override { return {}; }
    WallTime wall() const override { return time; }
    WallTime time{std::chrono::hours(24 * 365 * 50)};
};

class Access : public testing::Test {
protected:
    HandClock clock;
    std::unique_ptr<AccessMemory> memory = AccessMemory::create(3, clock);
    WallTime in(int seconds) const { return clock.time + std::chrono::seconds(seconds); }
    static TaskId task(unsigned char name) {
        TaskId id;
        id.bytes[0] = std::byte{name};
        return id;
    }
};

TEST_F(Access, AYesIsForThisPrincipalAndThisTaskAlone) {
    memory->allow("alice", task(1), in(60));
    EXPECT_TRUE(memory->is_allowed("alice", task(1)));
    EXPECT_FALSE(memory->is_allowed("mallory", task(1)));
    EXPECT_FALSE(memory->is_allowed("alice", task(2)));
}

TEST_F(Access, AYesEnds) {
    memory->allow("alice", task(1), in(60));
    clock.time += std::chrono::seconds(60);
    EXPECT_FALSE(memory->is_allowed("alice", task(1)));
}

TEST_F(Access, TheOldestYesIsForgottenFirst) {
    for (unsigned char i = 1; i <= 4; ++i) memory->allow("alice", task(i), in(60));
    EXPECT_FALSE(memory->is_allowed("alice", task(1)));
    EXPECT_TRUE(memory->is_allowed("alice", task(4)));
}

TEST_F(Access, AForgottenTaskAsksEverybodyAgain) {
    memory->allow("alice", task(1), in(60));
    memory->allow("bob", task(2), in(60));
    memory->forget(task(1));
    EXPECT_FALSE(memory->is_allowed("alice", task(1)));
    EXPECT_TRUE(memory->is_allowed("bob", task(2)));
}

TEST_F(Access, AYesNeverOutlivesItsSignature) {
    const std::chrono::milliseconds hour = std::chrono::hours(1);
    const auto end =
        std::chrono::duration_cast<std::chrono::seconds>(in(10).time_since_epoch()).count();
    EXPECT_EQ(allowed_until(clock.time, hour, end), in(10));
    EXPECT_EQ(allowed_until(clock.time, hour, std::nullopt), in(3600));
    EXPECT_EQ(allowed_until(clock.time, std::chrono::seconds(5), end), in(5));
}

TEST_F(Access, TheSameThingHasTheSameValidatorOrIsNamedByItsDigest) {
    cache::Representation held;
    held.size = 10;
    held.validator = "etag:\"a\"";
    cache::Arrival now;
    now.size = 10;
    now.validator = "etag:\"a\"";
    EXPECT_TRUE(is_the_same(now, held));
    now.validator = "etag:\"b\"";
    EXPECT_FALSE(is_the_same(now, held));
    held.digest = Digest();
    EXPECT_TRUE(is_the_same(now, held));
    now.size = 11;
    EXPECT_FALSE(is_the_same(now, held));
}

}  // namespace
}  // namespace hawker::proxy
