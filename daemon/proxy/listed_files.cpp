#include "daemon/proxy/listed_files.h"

#include <utility>

namespace hawker::proxy {

origin::LandingPtr ListedFiles::find(const Digest& name, SteadyTime now) {
    const std::scoped_lock lock(mutex_);
    if (now < rests_until_) return nullptr;
    return places_.find(name, now);
}

void ListedFiles::keep(const Digest& name, origin::LandingPtr place, SteadyTime now) {
    places_.keep(name, std::move(place), now);
}

void ListedFiles::failed(const Digest& name, SteadyTime now) {
    places_.keep(name, nullptr, now);
    const std::scoped_lock lock(mutex_);
    rests_until_ = now + kRest;
}

}  // namespace hawker::proxy
