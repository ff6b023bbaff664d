#include "daemon/origin/landings.h"

#include <utility>

namespace hawker::origin {

LandingPtr Landings::find(const Digest& name, SteadyTime now) {
    const std::scoped_lock lock(mutex_);
    const auto place = places_.find(name);
    if (place == places_.end() || now >= place->second->until) return nullptr;
    return place->second->landing;
}

void Landings::keep(const Digest& name, LandingPtr landing, SteadyTime now) {
    const std::scoped_lock lock(mutex_);
    forget(name);
    if (!landing) return;
    Kept kept;
    kept.name = name;
    kept.landing = std::move(landing);
    kept.until = now + life_;
    kept_.push_back(std::move(kept));
    places_.emplace(name, std::prev(kept_.end()));
    while (kept_.size() > most_) forget(Digest(kept_.front().name));
}

void Landings::forget(const Digest& name) {
    const auto place = places_.find(name);
    if (place == places_.end()) return;
    kept_.erase(place->second);
    places_.erase(place);
}

}  // namespace hawker::origin
