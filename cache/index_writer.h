// The one writer of the index: gathers mutations into batches, syncs the data they name, commits,
// calls back. Its scribe says when, and on which thread.
//
// Owner:   the index; outlived by the environment, the run, the scribe, the clock and the log.
// Thread:  push() and touch() from any thread, without waiting for the disk; callbacks on the
// writing thread. Failure: an addition that cannot be written is dropped and counted in one log
// line; a removal is tried again every second,
//          because until it is committed its data file must stay.
// Stop:    close() writes what is queued. Dropping the writer without it drops what is queued: an
// unclean stop.
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "cache/foundation.h"
#include "cache/index_apply.h"
#include "cache/index_run.h"
#include "cache/index_tables.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace hawker::cache {

class IndexWriter {
public:
    // Told of the bytes that came (or, below zero, went) with each commit, before whoever waits for
    // it is called back.
    using OnStored = std::function<void(std::int64_t)>;
    using OnLost = decltype(IndexOptions::on_lost);  // may be empty
    IndexWriter(Environment& environment, IndexRun& run, Scribe& scribe,
                std::chrono::milliseconds commit_interval, OnStored on_stored, OnLost on_lost,
                const Clock& clock, const Log& log);
    ~IndexWriter();
    IndexWriter(const IndexWriter&) = delete;
    IndexWriter& operator=(const IndexWriter&) = delete;

    // After close(): a Flush is answered at once, the rest is dropped.
    void push(Mutation mutation);
    void touch(const TaskId& task);
    // What waits is written now. It does not wait for that.
    void hurry();
    // Half of what may wait does. Any thread, without a lock.
    bool is_behind() const;
    // What waits to be written (bytes), and the additions that were given up since the start. Any
    // thread, without a lock.
    std::uint64_t waiting_bytes() const { return weight_.load(std::memory_order_relaxed); }
    std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
    void close();

private:
    using Batch = std::vector<Mutation>;
    using Touches = std::unordered_map<TaskId, AccessRecord>;
    using Time = Scribe::Time;
    using Generation = std::pair<TaskId, std::uint64_t>;
    using Lost = std::set<Generation>;
    enum class Stop : std::uint8_t { no, after_the_queue, at_once };
    enum class Progress : std::uint8_t { waits, goes_on, ended };

    // Writes every batch that is due; returns when the next one will be.
    Time turn();
    Progress write_one_batch();
    // The next batch; an empty one means that only the clock has moved.
    Batch take_batch(std::uint64_t at_once);
    std::uint64_t batches_at_once() const;
    bool is_full() const;
    Time next_deadline() const;
    void work(Batch batch, bool touches_are_due, Stop stop);
    // Returns what is committed, in order: whoever waits for it may be called back.
    Batch write(Batch batch, Stop stop);
    Expected<WriteTxn> begin_write();
    Expected<void> write_in_one(const Batch& batch);
    Batch write_one_by_one(Batch batch, Error why);
    void sync_files(Batch& batch);
    void keep_honest(Batch& batch);
    void drop_additions(Batch& batch, const std::function<bool(const Mutation&)>& hopeless,
                        Loss loss, const Error& why);
    void give_up(const Mutation& addition, Loss loss);
    void write_touches();
    void sync_if_due(Stop stop);
    void complain(std::size_t dropped, const Error& why);
    void stop(Stop how);

    Environment& environment_;
    IndexRun& run_;
    Scribe& scribe_;
    const std::chrono::milliseconds commit_interval_;
    const OnStored on_stored_;
    const OnLost on_lost_;
    const Clock& clock_;
    const Log& log_;

    std::mutex mutex_;
    std::deque<Mutation> queue_;
    std::atomic<std::uint64_t> weight_ = 0;  // of the queue; changed under the mutex
    Time first_queued_;
    bool hurry_ = false;  // somebody does not wait for the interval
    Stop stop_ = Stop::no;
    std::uint64_t refused_ = 0;  // additions that found the queue full, not yet logged
    Lost refused_pieces_;        // by the queue
    Lost refused_rows_;          // the same, with the object's own row
    std::atomic<std::uint64_t> dropped_ = 0;
    Touches touches_;
    Time touches_due_;

    // The writing thread's own.
    Batch stuck_;  // removals to be tried again
    Lost lost_;    // generations that had a piece dropped: never called complete
    std::map<Generation, Loss> given_up_;  // not told yet
    Time retry_at_;
    Time synced_at_;
    bool unsynced_ = false;    // commits since the last sync
    bool complained_ = false;  // said once, until writing works again
};

}  // namespace hawker::cache
