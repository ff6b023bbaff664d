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

void LiveTable::Shard::put_first(Slot& slot) {
    by_use.splice(by_use.begin(), by_use, slot.place);
    if (slot.place_among_files)
        files_by_use.splice(files_by_use.begin(), files_by_use, *slot.place_among_files);
}

void LiveTable::erase(Shard& shard, const TaskId& task) {
    const auto it = shard.slots.find(task);
    shard.weight -= it->second.weight;
    shard.by_use.erase(it->second.place);
    if (const auto& place = it->second.place_among_files) shard.files_by_use.erase(*place);
    shard.slots.erase(it);
}

std::shared_ptr<LiveObject> LiveTable::enter(const TaskId& task) {
    Shard& shard = shard_of(task);
    const std::scoped_lock lock(shard.mutex);
    if (const auto it = shard.slots.find(task); it != shard.slots.end()) {
        shard.put_first(it->second);
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
    shard.put_first(it->second);
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
    Slot& slot = it->second;
    shard.weight += weight - std::exchange(slot.weight, weight);
    if (!body && !slot.place_among_files) {
        shard.files_by_use.push_front(object.task);
        slot.place_among_files = shard.files_by_use.begin();
    }
    let_idle_ones_go(shard, most_per_shard_);
}

void LiveTable::put_last(const LiveObject& object) {
    Shard& shard = shard_of(object.task);
    const std::scoped_lock lock(shard.mutex);
    const auto it = shard.slots.find(object.task);
    if (it == shard.slots.end() || it->second.object.get() != &object) return;
    if (++shard.sweeps % kSweepsPerStay == 0) return;
    shard.by_use.splice(shard.by_use.end(), shard.by_use, it->second.place);
    if (const auto& place = it->second.place_among_files)
        shard.files_by_use.splice(shard.files_by_use.end(), shard.files_by_use, *place);
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

std::uint64_t LiveTable::doomed(const TaskId& task) const {
    const Shard& shard = shard_of(task);
    const std::scoped_lock lock(shard.mutex);
    const auto it = shard.doomed.find(task);
    return it == shard.doomed.end() ? 0 : it->second;
}

bool LiveTable::is_doomed(const TaskId& task, std::uint64_t generation) const {
    const Shard& shard = shard_of(task);
    const std::scoped_lock lock(shard.mutex);
    const auto it = shard.doomed.find(task);
    return it != shard.doomed.end() && generation <= it->second;
}

bool LiveTable::let_go_if_idle(Shard& shard, const TaskId& task) {
    const auto it = shard.slots.find(task);
    const bool is_idle = it->second.object.use_count() == 1;
    if (is_idle)
        erase(shard, it->first);
    else
        shard.put_first(it->second);
    return is_idle;
}

// From the least recently used on; where many are in use, the others' turn comes with later calls.
void LiveTable::let_idle_ones_go(Shard& shard, std::uint64_t most) {
    constexpr std::size_t kLooks = 64;
    for (std::size_t left = std::min(kLooks, shard.by_use.size()); left > 0 && shard.weight > most;
         --left)
        let_go_if_idle(shard, shard.by_use.back());
}

std::size_t LiveTable::close_idle_files(std::size_t most) {
    const std::size_t most_of_a_shard = (most + kShards - 1) / kShards;
    std::size_t closed = 0;
    for (Shard& shard : shards_) {
        const std::scoped_lock lock(shard.mutex);
        const std::size_t enough = closed + most_of_a_shard;
        for (std::size_t left = shard.files_by_use.size(); left > 0 && closed < enough; --left)
            if (let_go_if_idle(shard, shard.files_by_use.back())) ++closed;
    }
    return closed;
}

void LiveTable::clear() {
    for (Shard& shard : shards_) {
        const std::scoped_lock lock(shard.mutex);
        shard.slots.clear();
        shard.by_use.clear();
        shard.files_by_use.clear();
        shard.weight = 0;
    }
}

}  // namespace hawker::cache
