// How long to wait before asking a source again: exponential with jitter, or as long as the source
// said.
#pragma once

#include "base/error.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

namespace hawker::cache {

class Backoff {
public:
    // `attempts` in a row may fail; then it is over. A source that asks for more than `patience`
    // gets no other attempt: whoever waits would rather hear of it.
    Backoff(unsigned attempts, std::chrono::milliseconds patience)
        : attempts_(attempts), patience_(patience) {}

    // A new byte came: the row begins anew.
    void progress() { failures_ = 0; }
    unsigned failures() const { return failures_; }

    // After a failure: how long to wait; nullopt when it was the last attempt.
    std::optional<std::chrono::milliseconds> next(const Error& error) {
        if (++failures_ >= attempts_) return std::nullopt;
        if (error.retry_after && *error.retry_after > patience_) return std::nullopt;
        if (error.retry_after) return std::max(*error.retry_after, kNone);
        const unsigned doublings = std::min(failures_ - 1, 6U);
        const auto whole =
            std::min<std::chrono::milliseconds>(kFirst * (1U << doublings), kLongest);
        // Half of it for certain, the other half by chance: those who failed together do not come
        // back together.
        std::random_device entropy;
        std::uniform_int_distribution<std::int64_t> chance(0, whole.count() / 2);
        return whole / 2 + std::chrono::milliseconds(chance(entropy));
    }

private:
    static constexpr std::chrono::milliseconds kNone{0}, kFirst{100}, kLongest{5'000};
    unsigned attempts_;
    std::chrono::milliseconds patience_;
    unsigned failures_ = 0;
};

}  // namespace hawker::cache
