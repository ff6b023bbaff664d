#include "cache/live_table.h"

#include <algorithm>
#include <utility>

namespace hawker::cache {

LiveTable::LiveTable(std::uint64_t memory) : most_per_shard_(memory / kShards) {}

LiveTable::Shard& LiveTable::shard_of(const TaskId& task) {
    return shards_[std::to_integer<std::size_t>(task.bytes.back()) % kShards];
}

const LiveTable::Shard& LiveTable::shard_of(const TaskId& task) const {
    return shards_[std::to_integer<std::size_t>(task.bytes.back()) % kShards];
}

void LiveTable::erase(Shard& shard, const TaskId& task) {
    const auto it = shard.slots.find(task);
    shard.weight -= it->second.weight;
    shard.by_use.erase(it->second.place);
    shard.slots.erase(it);
}

std::shared_ptr<LiveObject> LiveTable::enter(const TaskId& task) {
    Shard& shard = shard_of(task);
    const std::scoped_lock lock(shard.mutex);
    if (const auto it = shard.slots.find(task); it != shard.slots.end()) {
        shard.by_use.splice(shard.by_use.begin(), shard.by_use, it->second.place);
        return it->second.object;
    }
    shard.weight += kObjectWeight;
    let_idle_ones_go(shard, most_per_shard_);
    shard.by_use.push_front(task);
    Slot slot;
    slot.object = std::make_shared<LiveObject>(task);
    slot.place = shard.by_use.begin();
    return shard.slots.emplace(task, std::move(slot)).first->second.object;
}

std::shared_ptr<LiveObject> LiveTable::use(const TaskId& task) {
    Shard& shard = shard_of(task);
    const std::scoped_lock lock(shard.mutex);
    const auto it = shard.slots.find(task);
    if (it == shard.slots.end()) return nullptr;
    shard.by_use.splice(shard.by_use.begin(), shard.by_use, it->second.place);
    return it->second.object;
}

std::shared_ptr<LiveObject> LiveTable::find(const TaskId& task) const {
    const Shard& shard = shard_of(task);
    const std::scoped_lock lock(shard.mutex);
    const auto it = shard.slots.find(task);
    return it == shard.slots.end() ? nullptr : it->second.object;
}

void LiveTable::weigh(const LiveObject& object, const Body* body) {
    Shard& shard = shard_of(object.task);
    const std::scoped_lock lock(shard.mutex);
    const auto it = shard.slots.find(object.task);
    if (it == shard.slots.end() || it->second.object.get() != &object) return;
    const std::uint64_t weight = kObjectWeight + (body ? body->capacity() : kFileWeight);
    shard.weight += weight - std::exchange(it->second.weight, weight);
    let_idle_ones_go(shard, most_per_shard_);
}

void LiveTable::put_last(const LiveObject& object) {
    Shard& shard = shard_of(object.task);
    const std::scoped_lock lock(shard.mutex);
    const auto it = shard.slots.find(object.task);
    if (it == shard.slots.end() || it->second.object.get() != &object) return;
    if (++shard.sweeps % kSweepsPerStay == 0) return;
    shard.by_use.splice(shard.by_use.end(), shard.by_use, it->second.place);
}

void LiveTable::leave(const LiveObject& object) {
    Shard& shard = shard_of(object.task);
    const std::scoped_lock lock(shard.mutex);
    const auto it = shard.slots.find(object.task);
    if (it != shard.slots.end() && it->second.object.get() == &object) erase(shard, object.task);
}

void LiveTable::leave_if_absent(const std::shared_ptr<LiveObject>& object) {
    Shard& shard = shard_of(object->task);
    const std::scoped_lock lock(shard.mutex);
    const auto it = shard.slots.find(object->task);
    if (it == shard.slots.end() || it->second.object != object) return;
    // The table's and the caller's.
    if (object.use_count() > 2) return;
    const bool is_absent = object->lock()->phase == Phase::absent;
    if (is_absent) erase(shard, object->task);
}

bool LiveTable::take_idle(const TaskId& task, std::uint64_t generation) {
    Shard& shard = shard_of(task);
    const std::scoped_lock lock(shard.mutex);
    if (const auto it = shard.slots.find(task); it != shard.slots.end()) {
        // Only the table can hand out another reference, and it is locked: one reference means
        // idle.
        if (it->second.object.use_count() > 1) return false;
        {
            auto live = it->second.object->lock();
            if (live->phase == Phase::ready && live->representation->generation != generation)
                return false;
        }
        erase(shard, task);
    }
    std::uint64_t& doomed = shard.doomed[task];
    doomed = std::max(doomed, generation);
    return true;
}

void LiveTable::doom(const TaskId& task, std::uint64_t generation) {
    Shard& shard = shard_of(task);
    const std::scoped_lock lock(shard.mutex);
    std::uint64_t& doomed = shard.doomed[task];
    doomed = std::max(doomed, generation);
}

void LiveTable::spare(const TaskId& task, std::uint64_t generation) {
    Shard& shard = shard_of(task);
    const std::scoped_lock lock(shard.mutex);
    const auto it = shard.doomed.find(task);
    if (it != shard.doomed.end() && it->second == generation) shard.doomed.erase(it);
}

bool LiveTable::is_doomed(const TaskId& task, std::uint64_t generation) const {
    const Shard& shard = shard_of(task);
    const std::scoped_lock lock(shard.mutex);
    const auto it = shard.doomed.find(task);
    return it != shard.doomed.end() && generation <= it->second;
}

// From the least recently used on; what is in use is not that.
void LiveTable::let_idle_ones_go(Shard& shard, std::uint64_t most) {
    for (std::size_t left = shard.by_use.size(); left > 0 && shard.weight > most; --left) {
        const auto it = shard.slots.find(shard.by_use.back());
        if (it->second.object.use_count() == 1)
            erase(shard, it->first);
        else
            shard.by_use.splice(shard.by_use.begin(), shard.by_use, it->second.place);
    }
}

void LiveTable::clear() {
    for (Shard& shard : shards_) {
        const std::scoped_lock lock(shard.mutex);
        shard.slots.clear();
        shard.by_use.clear();
        shard.weight = 0;
    }
}

}  // namespace hawker::cache
