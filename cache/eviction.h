// Makes room: when a limit of CacheLimits is crossed, objects leave in the order of `evict` until the low watermark is reached.
//
// Pinned tasks, open readers and running fetches are never victims: `try_remove` says no for them.
// Thread: check() runs on the pool; at most one at a time. account() and the counters from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/log.h"
#include "cache/cache.h"
#include "cache/data_files.h"
#include "cache/index.h"

namespace hawker::cache {

class Eviction {
public:
    // `try_remove` removes an object if nobody uses it and returns whether it did.
    using TryRemove = std::function<bool(const TaskId& task, std::uint64_t generation)>;

    Eviction(const Index& index, const DataFiles& files, const Log& log, TryRemove try_remove);

    void set_limits(const CacheLimits& limits);
    // Bytes that came or went.
    void account(std::int64_t bytes);
    // How many bytes must go now; 0 when every limit holds.
    std::uint64_t excess() const;
    // Would `bytes` more fit, after evicting if need be? False: the object is larger than the cache.
    bool could_fit(std::uint64_t bytes) const;
    // Evicts if need be. Returns the bytes that went.
    std::uint64_t run();

    std::uint64_t bytes() const;
    std::uint64_t evictions() const;
    std::uint64_t evicted_bytes() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace hawker::cache
