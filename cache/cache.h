// The cache's door: open a task, read it; look at what there is; remove it.
//
// Owner:   the server; outlives every reader. Loops and pool outlive it.
// Thread:  open() on the loop that passes itself as `home`; the rest from any thread.
// Failure: never the client's: on Errc::exhausted or unavailable the caller goes straight to the
//          origin.
// Stop:    shut_down() ends fetches (readers get Errc::shutting_down), commits, marks the index
//          clean.
#pragma once

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/units.h"
#include "cache/reader.h"
#include "cache/source.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hawker::cache {

using namespace hawker::literals;

enum class Evict : std::uint8_t { lru, fifo, large_first };
enum class OnAbandon : std::uint8_t { finish, stop, finish_if };

// Limits that a reload may change.
struct CacheLimits {
    std::uint64_t max_size = 100_GiB;  // bytes of data on disk
    double max_used_percent = 0;       // of the file system; 0: no such limit
    std::uint64_t min_free = 1_GiB;    // bytes left free on the file system
    double low_watermark = 0.9;        // evict down to this share of the limit that was crossed
    Evict evict = Evict::lru;
};

// What came of asking for descriptors. `coming`: of many files that have just been fetched, once
// the index names them; that is hurried.
enum class Relief : std::uint8_t { given, coming, none };

struct CacheOptions {
    std::filesystem::path directory;
    std::uint64_t inline_limit = 32_KiB;  // bodies up to this live in LMDB
    std::uint64_t map_size = 64_GiB;      // LMDB's address space
    std::uint64_t memory = 128_MiB;       // for what is hot: heads, small bodies, open files
    // A file that gets this descriptor or a higher one says that so many are open: idle files are
    // then closed.
    int descriptors = std::numeric_limits<int>::max();
    std::chrono::milliseconds commit_interval{200};
    // So many in a row that met no disk, and loops look into the index themselves.
    std::uint32_t calm_look_ups = 4096;
    CacheLimits limits;
};

// How a task is to be fetched, from the rule that matched.
struct FetchOptions {
    std::uint64_t piece_size = 0;  // bytes; 0: chosen by size (4 MiB up to 2 GiB, then larger)
    unsigned connections = 4;      // parallel segments
    unsigned attempts = 5;         // in a row without a new byte, per segment
    OnAbandon on_abandon = OnAbandon::finish;
    unsigned finish_if_percent = 50;
    bool learn_digest = false;  // where none is known: computed, and kept with what is whole
    bool store = true;          // false: collapse concurrent requests, keep nothing afterwards
};

struct OpenRequest {
    TaskId task;
    std::shared_ptr<const Source> source;  // on whose behalf bytes may be fetched
    RangeSpec wanted =
        RangeSpec::whole();        // what will be read first; a hint for the first transfer
    std::optional<Digest> digest;  // what the content must hash to
    // The source is one whose yes, and whose word for the digest (Arrival::digest), are taken: what
    // is stored under `digest` or that one already is linked to, and not fetched again. Never for a
    // source that anybody could be: it would only have to know what content to name.
    bool links_by_digest = false;
    FetchOptions fetch;
    std::string label;  // for people: redacted, printable
    std::string rule;   // name of the rule; for people
};

// One stored object, as an operator sees it.
struct Entry {
    TaskId task;
    std::string label;
    std::string rule;
    std::optional<std::uint64_t> size;
    std::uint64_t stored = 0;  // bytes present
    // Of what several tasks have together, the same for all of them: its bytes are there once.
    std::optional<std::uint64_t> shared_file;
    std::optional<Digest> digest;
    std::int64_t stored_at = 0, used_at = 0;  // Unix seconds
    std::uint64_t hits = 0;
    bool complete = false, fetching = false;
};

// Told once for each fetch that ended; from any thread.
struct FetchReport {
    TaskId task;
    std::string label;
    std::string rule;
    std::uint64_t bytes = 0;  // received from sources
    std::chrono::milliseconds cost{0};
    unsigned segments = 0;
    unsigned retries = 0;
    bool complete = false;
    std::optional<Error> error;
};

struct Usage {
    std::uint64_t bytes = 0;  // data on disk, as committed; what several tasks share counts once
    std::uint64_t objects = 0;
    std::uint64_t evictions = 0, evicted_bytes = 0;
    std::uint64_t corrupt_pieces = 0;
    std::uint64_t running_fetches = 0;
    std::uint64_t waiting_bytes = 0;    // changes that wait to be written into the index
    std::uint64_t dropped_changes = 0;  // those that could not be
};

class Cache {
public:
    // Opens or creates the directory. No scan. Errc::invalid in words: a format version we do not
    // know, a network file system, a directory that another hawkerd has open, or one that is not
    // ours to write.
    static Expected<std::unique_ptr<Cache>> open(
        const CacheOptions& options, Executor& pool, const Clock& clock, const Log& log,
        std::function<void(const FetchReport&)> on_fetch_done);
    virtual ~Cache() = default;

    // A reader, once the representation is known: at once on a hit, after the source's first answer
    // on a miss. Errors are the source's (Transfer::head) or Errc::exhausted.
    virtual Task<Expected<std::unique_ptr<Reader>>> open(OpenRequest request, Executor& home) = 0;

    // A reader of what is whole, and live or small, on the loop that passes itself as `home`; null
    // where open() has more to do or may have to wait. `digest`: what the content must hash to. A
    // piece that turns out to be damaged is Errc::exhausted to this reader, and fetched again for
    // the next.
    virtual std::unique_ptr<Reader> open_at_hand(const TaskId& task,
                                                 const std::optional<Digest>& digest,
                                                 Executor& home) = 0;

    // What is stored under `task` now, without opening it; nullopt when nothing is. Resumes on
    // `home`.
    virtual Task<std::optional<Representation>> find(TaskId task, Executor& home) = 0;

    // Replaces what is remembered about a representation that its source confirmed unchanged
    // (policy http). No effect when `generation` is not the stored one.
    virtual void refresh(const TaskId& task, std::uint64_t generation, std::string head) = 0;

    // Forgets a task; open readers keep their bytes. True when there was something.
    virtual Task<bool> remove(TaskId task, Executor& home) = 0;
    // The same of one generation: what has taken its place since stays.
    virtual Task<bool> remove_generation(TaskId task, std::uint64_t generation, Executor& home) = 0;

    // Resumes on `home` when what was removed before is written down: a process that is killed from
    // then on does not bring it back. Costs a commit that others may have to share.
    virtual Task<void> settle_removals(Executor& home) = 0;

    // Up to `most` entries after `after`, in task ID order. May wait for the disk: call it on the
    // pool.
    virtual std::vector<Entry> list(std::optional<TaskId> after, std::size_t most) const = 0;

    virtual Usage usage() const = 0;
    virtual void set_limits(const CacheLimits& limits) = 0;
    // Descriptors are wanted elsewhere: up to about `most` files that nobody reads are closed.
    virtual Relief close_idle_files(std::size_t most) = 0;

    // Ends what is still being fetched, commits and closes. Call it when the loops run no reader
    // any more, but still run: fetches end on them (it waits ten seconds for that, and for the
    // disk).
    virtual void shut_down() = 0;
};

}  // namespace hawker::cache
