#include "daemon/admission/recent_keys.h"

#include <iterator>

namespace hawker::admission {

void RecentKeys::add(const Digest& key, SteadyTime now, std::chrono::milliseconds lifetime) {
    if (const auto found = places_.find(key); found != places_.end()) {
        order_.erase(found->second);
        places_.erase(found);
    }
    Entry entry;
    entry.key = key;
    entry.lifetime = lifetime;
    entry.until = now + lifetime;
    order_.push_back(entry);
    places_.emplace(key, std::prev(order_.end()));
    while (order_.size() > most_) {
        places_.erase(order_.front().key);
        order_.pop_front();
    }
}

bool RecentKeys::contains(const Digest& key, SteadyTime now) const {
    const auto found = places_.find(key);
    return found != places_.end() && now < found->second->until;
}

bool RecentKeys::touch(const Digest& key, SteadyTime now) {
    if (!contains(key, now)) return false;
    const auto entry = places_.find(key)->second;
    entry->until = now + entry->lifetime;
    order_.splice(order_.end(), order_, entry);
    return true;
}

}  // namespace hawker::admission
