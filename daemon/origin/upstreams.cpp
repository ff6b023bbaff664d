#include "daemon/origin/upstreams.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace hawker::origin {

namespace {

constexpr std::chrono::milliseconds kFirstRest{1'000};
constexpr std::chrono::milliseconds kLongestRest{30'000};

}  // namespace

std::vector<std::size_t> Upstreams::order(SteadyTime now, Otherwise otherwise) {
    const std::scoped_lock lock(mutex_);
    std::vector<std::size_t> places(states_.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    if (otherwise == Otherwise::something)
        std::erase_if(places,
                      [this, now](std::size_t place) { return states_[place].rests_until > now; });
    std::ranges::sort(places, {}, [this, now](std::size_t place) {
        return std::pair(std::max(states_[place].rests_until, now), place);
    });
    if (places.empty()) return places;
    // Whoever is first and was ill is being tried now; once is enough for the moment.
    State& first = states_[places.front()];
    if (first.rest.count() == 0) return places;
    first.rests_until = std::max(first.rests_until, now + first.rest);
    first.is_tried = true;
    return places;
}

std::optional<std::chrono::milliseconds> Upstreams::patience(std::size_t which, SteadyTime now,
                                                             Otherwise otherwise) const {
    if (otherwise == Otherwise::something) return patience_;
    const std::scoped_lock lock(mutex_);
    for (std::size_t place = 0; place < states_.size(); ++place)
        if (place != which && states_[place].rests_until <= now) return patience_;
    return std::nullopt;
}

bool Upstreams::is_well(std::size_t which, SteadyTime now) const {
    const std::scoped_lock lock(mutex_);
    return states_[which].rests_until <= now;
}

bool Upstreams::is_any_well(SteadyTime now) const {
    const std::scoped_lock lock(mutex_);
    return std::ranges::any_of(states_,
                               [now](const State& state) { return state.rests_until <= now; });
}

void Upstreams::failed(std::size_t which, SteadyTime now, SteadyTime::duration took) {
    const std::scoped_lock lock(mutex_);
    State& state = states_[which];
    // Whatever was under way there fails with it: that is one failure.
    if (state.rests_until > now && !state.is_tried) return;
    state.is_tried = false;
    state.rest = std::max(std::clamp(state.rest * 2, kFirstRest, kLongestRest),
                          std::chrono::ceil<std::chrono::milliseconds>(took));
    state.rests_until = now + state.rest;
}

void Upstreams::worked(std::size_t which) {
    const std::scoped_lock lock(mutex_);
    states_[which] = State();
}

}  // namespace hawker::origin
