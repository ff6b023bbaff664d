// Makes room: when a limit of CacheLimits is crossed, objects leave in the order of `evict` until
// the low watermark is reached.
//
// Pinned tasks, open readers and running fetches are never victims: `try_remove` says no for them.
// Owner:  the cache; index, files and log outlive it.
// Thread: run() on the pool, it waits for the disk; a second one at the same time returns at once.
// The rest from any thread
//         (statfs, no disk).
// Counting: the index counts, as it is committed. A data file counts once, however many names it
// has, and an object that shares its file with one that stays makes no room.
#pragma once

#include "base/log.h"
#include "cache/cache.h"
#include "cache/data_files.h"
#include "cache/index.h"

#include <cstdint>
#include <functional>
#include <memory>

namespace hawker::cache {

// Errc::exhausted: it is larger than the cache may become.
inline std::unexpected<Error> no_room() {
    return fail(Errc::exhausted, "the object is larger than the cache has room for");
}

class Eviction {
public:
    // `try_remove` removes an object if nobody uses it and returns whether it did.
    using TryRemove = std::function<bool(const TaskId& task, std::uint64_t generation)>;

    Eviction(Index& index, const DataFiles& files, const Log& log, TryRemove try_remove);

    void set_limits(const CacheLimits& limits);
    // Bytes have been stored.
    void note_stored(std::uint64_t bytes);
    // The index had no room for something: excess() until run() has made some.
    void note_full_index();
    // Whether excess() is worth asking after something was stored: the cache's own limit is
    // crossed, or so much came since the last time that the disk may be full. No system call.
    bool is_due() const;
    // How many bytes must go now; 0 when every limit holds.
    std::uint64_t excess() const;
    // Would `bytes` more fit, after evicting if need be? False: the object is larger than the
    // cache. Does not wait: the kernel knows the free space by heart.
    bool could_fit(std::uint64_t bytes) const;
    // Evicts if need be. Returns the bytes that went. Comes back when the removals are committed,
    // so that data files unlinked by Index::remove()'s callback are gone, and excess() tells the
    // truth.
    std::uint64_t run();

    std::uint64_t bytes() const;
    std::uint64_t evictions() const;
    std::uint64_t evicted_bytes() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace hawker::cache
