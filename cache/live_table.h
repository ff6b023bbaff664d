// The live objects of all tasks: those in use, and the most recently used idle ones, kept hot so
// that a hit needs neither the index nor an open().
//
// Thread: any. Lock order: a shard's, then an object's; nobody calls the table while holding an
// object.
//
// The index answers with what is committed. Between a removal and its commit the old record is
// still there, so the table remembers such generations as doomed; and an object with uncommitted
// records is kept in use until they are committed.
#pragma once

#include "base/digest.h"
#include "base/units.h"
#include "cache/live_object.h"

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace hawker::cache {

class LiveTable {
public:
    // Idle objects are kept while all that are live weigh no more than `memory` (bytes).
    explicit LiveTable(std::uint64_t memory);

    // The object of a task; a new one, unloaded, when there is none.
    std::shared_ptr<LiveObject> enter(const TaskId& task);
    // The object of a task that somebody uses now, if it is live.
    std::shared_ptr<LiveObject> use(const TaskId& task);
    // The object of a task, if it is live.
    std::shared_ptr<LiveObject> find(const TaskId& task) const;
    // It has its body now, or else its file: what it weighs from here on.
    void weigh(const LiveObject& object, const Body* body);
    // It is cheap to have again: the first to go, unless it is used once more. Else a sweep over
    // many would take the place of what is hot, and each would leave cold memory behind. Every
    // kSweepsPerStay-th stays as if it had been used, so that what has become hot finds its way in
    // (Qureshi et al., "Adaptive Insertion Policies for High Performance Caching", ISCA 2007).
    void put_last(const LiveObject& object);
    // This object is not the task's any more.
    void leave(const LiveObject& object);

    // The same, if nothing is stored and only the caller holds it: looking must not push out what
    // is hot.
    void leave_if_absent(const std::shared_ptr<LiveObject>& object);

    // Takes the task away if nobody uses it, or if it is not live at all; `generation` is then
    // doomed.
    bool take_idle(const TaskId& task, std::uint64_t generation);

    // Until spared, a record of this or an earlier generation is as good as removed.
    void doom(const TaskId& task, std::uint64_t generation);
    void spare(const TaskId& task, std::uint64_t generation);
    // The latest generation that is doomed; 0: none.
    std::uint64_t doomed(const TaskId& task) const;
    bool is_doomed(const TaskId& task, std::uint64_t generation) const;

    // Descriptors are wanted: up to about `most` idle objects with a file go, those least recently
    // used first. How many went.
    std::size_t close_idle_files(std::size_t most);

    void clear();

private:
    static constexpr std::size_t kShards = 16;
    static constexpr std::uint32_t kSweepsPerStay = 32;
    // An object with its head, stored and prepared; measured.
    static constexpr std::uint64_t kObjectWeight = 4_KiB;
    // The kernel's part of an open one: struct file, dentry, inode.
    static constexpr std::uint64_t kFileWeight = 2_KiB;

    struct Slot {
        std::shared_ptr<LiveObject> object;
        std::list<TaskId>::iterator place;
        std::optional<std::list<TaskId>::iterator> place_among_files;
        std::uint64_t weight = kObjectWeight;
    };
    struct Shard {
        mutable std::mutex mutex;
        std::unordered_map<TaskId, Slot> slots;
        std::list<TaskId> by_use;        // most recent first
        std::list<TaskId> files_by_use;  // of these, those with a file
        std::unordered_map<TaskId, std::uint64_t> doomed;
        std::uint64_t weight = 0;  // of all slots
        std::uint32_t sweeps = 0;  // objects put last, counted

        void put_first(Slot& slot);
    };

    Shard& shard_of(const TaskId& task);
    const Shard& shard_of(const TaskId& task) const;
    static void erase(Shard& shard, const TaskId& task);
    // What is in use stays, as if it had been used just now.
    static bool let_go_if_idle(Shard& shard, const TaskId& task);
    static void let_idle_ones_go(Shard& shard, std::uint64_t most);

    std::array<Shard, kShards> shards_;
    std::uint64_t most_per_shard_;  // weight
};

}  // namespace hawker::cache
