// Several servers that have the same things: which is asked first, and which are left alone for a
// while because they failed. What failed comes back by itself: when its rest is over, one request
// tries it, and the others go on without it until that went well.
//
// Thread: any.
#pragma once

#include "base/clock.h"

#include <chrono>
#include <cstddef>
#include <mutex>
#include <vector>

namespace hawker::origin {

class Upstreams {
public:
    explicit Upstreams(std::size_t count) : states_(count) {}
    Upstreams(const Upstreams&) = delete;
    Upstreams& operator=(const Upstreams&) = delete;

    // All of them, in the order to ask: those in good health as they were configured, then those
    // that rest, in the order of their ends.
    std::vector<std::size_t> order(SteadyTime now);
    // False while all of them rest: whoever has something older need not wait for them.
    bool is_any_well(SteadyTime now) const;
    // Not reached, too slow, or 5xx: it rests for a second, then two, four, at most thirty.
    // What fails while it rests already is no news.
    void failed(std::size_t which, SteadyTime now);
    void worked(std::size_t which);

private:
    struct State {
        SteadyTime rests_until{};
        std::chrono::milliseconds rest{0};  // zero: in good health
        bool is_tried = false;              // by one request, before its rest is over
    };
    mutable std::mutex mutex_;
    std::vector<State> states_;
};

}  // namespace hawker::origin
