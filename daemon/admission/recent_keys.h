// Keys for a while, bounded in number: those that were not touched for longest leave first.
//
// Thread: one at a time; who shares it locks.
#pragma once

#include "base/clock.h"
#include "base/digest.h"

#include <chrono>
#include <cstddef>
#include <list>
#include <unordered_map>

namespace hawker::admission {

class RecentKeys {
public:
    explicit RecentKeys(std::size_t most) : most_(most) {}

    void add(const Digest& key, SteadyTime now, std::chrono::milliseconds lifetime);
    bool contains(const Digest& key, SteadyTime now) const;
    // The same, and if so its lifetime begins anew.
    bool touch(const Digest& key, SteadyTime now);
    std::size_t size() const { return places_.size(); }

private:
    struct Entry {
        Digest key;
        std::chrono::milliseconds lifetime;
        SteadyTime until;
    };

    const std::size_t most_;
    std::list<Entry> order_;  // longest untouched first
    std::unordered_map<Digest, std::list<Entry>::iterator> places_;
};

}  // namespace hawker::admission
