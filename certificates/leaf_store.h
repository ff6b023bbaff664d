// The leaves of the hosts that were intercepted lately.
//
// Thread:  any. find() is a lookup under a lock; mint() costs a signature, made outside of it: not
//          for a loop. Two threads that mint for one host at once get the same leaf.
// Failure: mint() as Authority::mint(); nothing is remembered of it.
#pragma once

#include "certificates/authority.h"

#include <cstddef>
#include <memory>
#include <string_view>

namespace hawker::certificates {

// Short, because nobody can revoke a leaf.
inline constexpr std::chrono::hours kLeafValidity{7 * 24};

class LeafStore {
public:
    LeafStore(std::shared_ptr<const Authority> authority, std::size_t most_leaves,
              const Clock& clock);
    ~LeafStore();
    LeafStore(const LeafStore&) = delete;
    LeafStore& operator=(const LeafStore&) = delete;

    const Authority& authority() const;
    // Null when there is none, or its end is near (a quarter of its life is left).
    std::shared_ptr<const Identity> find(std::string_view host) const;
    // find(), else a new one, which is kept; the least recently used ones go beyond the bound.
    Expected<std::shared_ptr<const Identity>> mint(std::string_view host);
    std::size_t size() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace hawker::certificates
