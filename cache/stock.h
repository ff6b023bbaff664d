// What the parts of the cache share: index, files, eviction, the live table; and the few deeds that
// need all of them.
//
// Owner:   shared by the cache, its fetches and its readers; it goes with the last of them.
// Thread:  each deed says whether it may wait.
#pragma once

#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/shared_trips.h"
#include "cache/cache.h"
#include "cache/data_files.h"
#include "cache/eviction.h"
#include "cache/foundation.h"
#include "cache/index.h"
#include "cache/live_table.h"
#include "cache/source.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace hawker::cache {

class Stock : public std::enable_shared_from_this<Stock> {
public:
    static Expected<std::shared_ptr<Stock>> open(
        const Foundation& foundation, const CacheOptions& options, Executor& pool,
        const Clock& clock, const Log& log, std::function<void(const FetchReport&)> on_fetch_done);

    // Fills `object` from the index, or from another task with the same digest, where the request
    // may link. Waits for the disk.
    void load(const std::shared_ptr<LiveObject>& object, const OpenRequest& request);
    // The same on a loop. False: it takes a wait, or is likely to; `object` is as it was.
    bool load_at_once(LiveObject& object, const std::optional<Digest>& digest);
    // The same for what a source has just said of `object`: whether another task has these bytes.
    // Waits for the disk.
    bool link_told(const std::shared_ptr<LiveObject>& object, const Arrival& arrival,
                   const std::string& label, const std::string& rule);
    // Makes the file of `object`, whose first bytes have come; a nameless one when they will not be
    // kept. Waits for the disk.
    Expected<void> make_file(LiveObject& object, DataFile& file);
    // As Cache::close_idle_files().
    Relief close_idle_files(std::size_t most) const;
    // The index answers with what is committed: until what is queued for `object` is, the table
    // must not forget it.
    void keep_until_recorded(const std::shared_ptr<LiveObject>& object) const;
    // Takes a representation away from its task. With a failure its readers are cut, without one
    // they keep their bytes. Does not wait.
    void retire(LiveObject& object, std::optional<Error> failure);
    // For the eviction: removes an object that nobody uses.
    bool remove_idle(const TaskId& task, std::uint64_t generation);

    // Could what is missing of `wanted` be here beside what is?
    bool has_room_for(const LiveState& live, const RangeSpec& wanted) const;
    // Evicts at once if need be. Waits for the disk.
    void make_room() { eviction->run(); }
    // The work that recurs: once after the start the orphans are swept, then limits are checked
    // from time to time.
    void begin_upkeep();

    // False when the cache is closing: then there will be no fetch.
    bool fetch_begins(const std::shared_ptr<Fetch>& fetch);
    // The last thing that a fetch does.
    void fetch_ended(const Fetch& fetch, const FetchReport& report);
    // From now on no fetch begins; those that run are told to stop.
    void stop_fetches(const Error& why);
    std::size_t running_fetches() const;
    Usage usage() const;
    // Waits until no fetch runs; false when that took too long.
    bool wait_for_fetches(std::chrono::milliseconds patience);

    const CacheOptions options;
    Executor& pool;
    SharedTrips look_ups;  // to the pool, for load()
    const Clock& clock;
    const Log& log;
    // Apart from this object: what the index calls after a commit holds them, and only them.
    std::shared_ptr<LiveTable> table;
    std::shared_ptr<DataFiles> files;
    std::unique_ptr<Eviction> eviction;
    std::unique_ptr<Index> index;  // goes before what it calls: see note_stored()
    std::atomic<std::uint64_t> corrupt_pieces{0};
    std::atomic<bool> stopping{false};

private:
    Stock(const CacheOptions& opened_with, Executor& worker_pool, const Clock& the_clock,
          const Log& the_log)
        : options(opened_with),
          pool(worker_pool),
          look_ups(worker_pool),
          clock(the_clock),
          log(the_log) {}

    // An object as the index and the files have it.
    struct Stored {
        ObjectRecord record;
        std::vector<PieceRecord> pieces;
        std::shared_ptr<DataFile> file;
        std::shared_ptr<Body> body;
    };
    std::optional<IndexedObject> find_indexed(const TaskId& task) const;
    // Errors: exhausted (there are no descriptors: it is still there), else it is lost.
    Expected<Stored> take_out(IndexedObject found) const;
    void leave_out_of_reach(LiveObject& object, Error why);
    // Its descriptor says that as many are open as may be: the kernel gives the lowest free one.
    bool is_among_the_last(const DataFile& file) const { return file.fd() >= options.descriptors; }
    // Closes idle files, and waits a while for the disk where that makes some idle. False: there
    // are none.
    bool free_descriptors() const;
    struct Words {  // of a second task for the same bytes; where absent, those of the first
        const Arrival& arrival;
        const std::string& label;
        const std::string& rule;
    };
    std::optional<Stored> link_same_content(const TaskId& task, const Digest& digest,
                                            const Words* own = nullptr);
    // What became of `object`: it is ready with what is stored, or absent.
    void settle(LiveObject& object, std::optional<Stored> stored);
    void adopt(LiveObject& object, Stored stored) const;
    void remove_rows(const TaskId& task, std::uint64_t generation);
    // From the writing thread, which must not be the last to hold this: bytes have been stored.
    void note_stored(std::uint64_t bytes);
    // From there too: something of a generation could not be recorded.
    void note_lost(const TaskId& task, std::uint64_t generation, Loss loss);
    void give_up(const TaskId& task, std::uint64_t generation, Loss loss);
    void evict_in_background();
    void sweep_orphans();
    void tick();

    std::function<void(const FetchReport&)> on_fetch_done_;
    std::uint64_t first_generation_ = 0;  // of this run
    // Objects with a file that keep_until_recorded() keeps.
    std::shared_ptr<std::atomic<int>> unrecorded_files_ = std::make_shared<std::atomic<int>>(0);
    std::atomic<bool> evicting_{false};
    mutable std::mutex fetches_mutex_;
    std::condition_variable fetch_ended_;
    std::map<const Fetch*, std::weak_ptr<Fetch>> fetches_;  // running
};

}  // namespace hawker::cache
