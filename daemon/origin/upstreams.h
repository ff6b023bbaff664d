// Several servers that have the same things: which is asked first, and which are left alone for a
// while because they failed. What failed comes back by itself: when its rest is over, one request
// tries it, and the others go on without it until that went well.
//
// Thread: any.
#pragma once

#include "base/clock.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace hawker::origin {

// What whoever asks can do if no server answers: nothing, or give what is held.
enum class Otherwise : std::uint8_t { nothing, something };

class Upstreams {
public:
    static constexpr std::chrono::milliseconds kPatience{4'000};

    explicit Upstreams(std::size_t count, std::chrono::milliseconds patience = kPatience)
        : patience_(patience), states_(count) {}
    Upstreams(const Upstreams&) = delete;
    Upstreams& operator=(const Upstreams&) = delete;

    // In the order to ask: those in good health as they were configured, then, where there is
    // nothing otherwise, those that rest, in the order of their ends.
    std::vector<std::size_t> order(SteadyTime now, Otherwise otherwise = Otherwise::nothing);
    // How long to wait for the head of this one's answer (Request::patience): nullopt where no
    // other one is well, and there is nothing otherwise.
    std::optional<std::chrono::milliseconds> patience(std::size_t which, SteadyTime now,
                                                      Otherwise otherwise) const;
    bool is_well(std::size_t which, SteadyTime now) const;
    // False while all of them rest: whoever has something older need not wait for them.
    bool is_any_well(SteadyTime now) const;
    // Not reached, too slow, or 5xx: it rests for a second, then two, four, at most thirty, and
    // never for less than it took to find that out. What fails while it rests already is no news.
    void failed(std::size_t which, SteadyTime now, SteadyTime::duration took = {});
    void worked(std::size_t which);

private:
    struct State {
        SteadyTime rests_until{};
        std::chrono::milliseconds rest{0};  // zero: in good health
        bool is_tried = false;              // by one request, before its rest is over
    };
    const std::chrono::milliseconds patience_;
    mutable std::mutex mutex_;
    std::vector<State> states_;
};

}  // namespace hawker::origin
