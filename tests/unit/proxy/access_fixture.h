// What tests of remembered rights need: a clock that a hand moves, and tasks with short names.
#pragma once

#include "base/clock.h"
#include "base/digest.h"

#include <chrono>

#include <gtest/gtest.h>

namespace hawker::proxy {

class HandClock final : public Clock {
public:
    SteadyTime now() const override { return {}; }
    WallTime wall() const override { return time; }
    WallTime time{std::chrono::hours(24 * 365 * 50)};
};

class WithHandClock : public testing::Test {
protected:
    WallTime in(int seconds) const { return clock.time + std::chrono::seconds(seconds); }
    static TaskId task(unsigned char name) {
        TaskId id;
        id.bytes[0] = std::byte{name};
        return id;
    }

    HandClock clock;
};

}  // namespace hawker::proxy
