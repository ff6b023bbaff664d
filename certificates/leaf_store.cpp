#include "certificates/leaf_store.h"

#include "base/host_pattern.h"

#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace hawker::certificates {

namespace {

struct Leaf {
    std::string host;
    std::shared_ptr<const Identity> identity;
    WallTime made;
    // A quarter of its life before its end, which may be the authority's own and therefore near.
    WallTime renewed;
};

}  // namespace

struct LeafStore::State {
    std::shared_ptr<const Authority> authority;
    std::size_t most_leaves;
    const Clock& clock;

    std::mutex mutex;
    std::list<Leaf> leaves;  // the most recently used first
    std::unordered_map<std::string_view, std::list<Leaf>::iterator> by_host;

    std::shared_ptr<const Identity> find(std::string_view host, WallTime now) {
        const auto found = by_host.find(host);
        if (found == by_host.end()) return nullptr;
        const Leaf& leaf = *found->second;
        // Before it was made: the clock was set back, and clients may think so, too.
        if (now >= leaf.renewed || now + std::chrono::hours(1) < leaf.made) return nullptr;
        leaves.splice(leaves.begin(), leaves, found->second);
        return leaf.identity;
    }

    void forget(std::string_view host) {
        const auto found = by_host.find(host);
        if (found == by_host.end()) return;
        const auto leaf = found->second;
        by_host.erase(found);
        leaves.erase(leaf);
    }

    void keep(Leaf leaf) {
        forget(leaf.host);
        leaves.push_front(std::move(leaf));
        by_host.emplace(leaves.front().host, leaves.begin());
        while (leaves.size() > most_leaves) forget(leaves.back().host);
    }
};

LeafStore::LeafStore(std::shared_ptr<const Authority> authority, std::size_t most_leaves,
                     const Clock& clock)
    : state_(std::make_unique<State>(std::move(authority), most_leaves, clock)) {}
LeafStore::~LeafStore() = default;

const Authority& LeafStore::authority() const { return *state_->authority; }

std::shared_ptr<const Identity> LeafStore::find(std::string_view host) const {
    const WallTime now = state_->clock.wall();
    const std::string plain = plain_host(host);
    const std::scoped_lock lock(state_->mutex);
    return state_->find(plain, now);
}

Expected<std::shared_ptr<const Identity>> LeafStore::mint(std::string_view host) {
    if (auto kept = find(host)) return kept;
    const WallTime now = state_->clock.wall();
    auto minted = state_->authority->mint(host, now, kLeafValidity);
    if (!minted) return minted;
    Leaf leaf(plain_host(host), std::move(*minted), now, now);
    leaf.renewed += (leaf.identity->not_after() - now) / 4 * 3;
    const std::scoped_lock lock(state_->mutex);
    if (auto first = state_->find(leaf.host, now)) return first;
    std::shared_ptr<const Identity> identity = leaf.identity;
    state_->keep(std::move(leaf));
    return identity;
}

std::size_t LeafStore::size() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->leaves.size();
}

}  // namespace hawker::certificates
