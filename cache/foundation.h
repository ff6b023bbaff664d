// What the cache stands on, apart from executors and the clock: the disk of its data files, the two
// calls that make the index last, and whose time and thread write it.
//
// Owner:   whoever opens the cache; shared with it.
// Thread:  each says.
#pragma once

#include "cache/cache.h"
#include "cache/disk.h"

#include <chrono>
#include <functional>
#include <memory>

struct MDB_env;
struct MDB_txn;

namespace hawker::cache {

// How changes to the index become lasting. Answers are LMDB's: 0, an error number or MDB_…
// Thread: one call at a time, on the thread that writes.
class IndexCalls {
public:
    virtual ~IndexCalls() = default;
    // Ends the transaction either way: mdb_txn_commit(3).
    virtual int commit(MDB_txn* txn) = 0;
    // What is committed cannot be lost any more: mdb_env_sync(3).
    virtual int sync(MDB_env* env) = 0;
};

// Runs the writing of the index.
class Scribe {
public:
    using Time = std::chrono::steady_clock::time_point;
    // Writes what is due; returns when to come again if nothing new comes before.
    using Turn = std::function<Time()>;
    enum class Hurry : std::uint8_t { no, somebody_waits };

    virtual ~Scribe() = default;
    virtual Time now() const = 0;
    // Once, before anything else but now(). Turns never overlap.
    virtual void begin(Turn turn) = 0;
    // There is something new: a turn soon, never before the caller has let go of its locks. Any
    // thread; does not wait for the disk, unless somebody waits anyway.
    virtual void wake(Hurry hurry) = 0;
    // No turn runs when it has returned, nor afterwards. Idempotent.
    virtual void end() = 0;
};

struct Foundation {
    std::shared_ptr<Disk> disk;
    std::shared_ptr<IndexCalls> index;
    std::shared_ptr<Scribe> scribe;  // for one index

    // The system's disk, LMDB's own calls, a thread for the writing.
    static Foundation of_the_system();
};

// Cache::open() on a foundation of one's own.
Expected<std::unique_ptr<Cache>> open_cache(const Foundation& foundation,
                                            const CacheOptions& options, Executor& pool,
                                            const Clock& clock, const Log& log,
                                            std::function<void(const FetchReport&)> on_fetch_done);

}  // namespace hawker::cache
