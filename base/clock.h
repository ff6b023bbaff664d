// The time, as something a test can turn by hand.
#pragma once

#include <chrono>

namespace hawker {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

class Clock {
public:
    virtual ~Clock() = default;
    virtual SteadyTime now() const = 0;  // for deadlines and durations
    virtual WallTime wall() const = 0;   // for records, Date and Age
};

class SystemClock final : public Clock {
public:
    SteadyTime now() const override { return std::chrono::steady_clock::now(); }
    WallTime wall() const override { return std::chrono::system_clock::now(); }
};

}  // namespace hawker
