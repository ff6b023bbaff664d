#include "cache/eviction.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <queue>
#include <unordered_map>
#include <utility>
#include <vector>

namespace hawker::cache {

namespace {

// Candidates of one pass over the index: as many as make the room that is wanted, and some more,
// because some are in use; bounded, whatever the number of objects.
constexpr std::size_t kAtLeast = 4096;
constexpr std::size_t kAtMost = 262'144;
// Small objects are not worth a look at the disk each.
constexpr std::uint64_t kUnseen = 4ULL << 20U;

// Where an object stands in the queue to the door: the lowest leaves first. The task makes the
// order total, so that a second pass goes on exactly where the first ended.
using Place = std::pair<std::int64_t, TaskId>;

struct Candidate {
    Place place;
    std::uint64_t generation = 0;
    std::uint64_t bytes = 0;
    bool operator<(const Candidate& other) const { return place < other.place; }
};

std::uint64_t share(double part, std::uint64_t whole) {
    return static_cast<std::uint64_t>(std::clamp(part, 0.0, 1.0) * static_cast<double>(whole));
}

std::uint64_t above(std::uint64_t value, std::uint64_t limit) {
    return value > limit ? value - limit : 0;
}

// Of the files that lost a name in one run: how many they keep.
using NamesLeft = std::unordered_map<std::uint64_t, std::uint64_t>;

bool is_last_name(NamesLeft& left, const SharedFile& shared) {
    std::uint64_t& names = left.try_emplace(shared.file, shared.names).first->second;
    return --names == 0;
}

}  // namespace

struct Eviction::State {
    Index& index;
    const DataFiles& files;
    const Log& log;
    TryRemove try_remove;

    std::mutex running;
    mutable std::mutex limits_mutex;
    CacheLimits limits;
    std::atomic<std::uint64_t> unseen{0};  // came since the disk was looked at
    std::atomic<bool> index_is_full{false};
    std::atomic<std::uint64_t> evictions{0}, evicted_bytes{0};

    State(Index& its_index, const DataFiles& its_files, const Log& its_log,
          TryRemove its_try_remove)
        : index(its_index), files(its_files), log(its_log), try_remove(std::move(its_try_remove)) {}

    CacheLimits limits_now() const {
        const std::scoped_lock lock(limits_mutex);
        return limits;
    }
    std::uint64_t stored(const ObjectRecord& record) const;
    Place place_of(const ObjectRecord& record, const AccessRecord& access, std::uint64_t size,
                   Evict order) const;
    struct Pass {
        std::vector<Candidate> candidates;
        bool left_some_out = false;
    };
    Pass gather(const std::optional<Place>& after, Evict order, std::uint64_t goal) const;
};

// Bytes that leave with the object.
std::uint64_t Eviction::State::stored(const ObjectRecord& record) const {
    if (record.complete || record.inlined) return record.size;
    std::uint64_t sum = 0;
    for (const PieceRecord& piece : index.pieces(record.task, record.generation))
        sum += piece.length;
    return sum;
}

Place Eviction::State::place_of(const ObjectRecord& record, const AccessRecord& access,
                                std::uint64_t size, Evict order) const {
    switch (order) {
        case Evict::lru:
            return {std::max(record.stored_at, access.used_at), record.task};
        case Evict::fifo:
            return {record.stored_at, record.task};
        case Evict::large_first:
            return {-static_cast<std::int64_t>(std::min<std::uint64_t>(size, INT64_MAX)),
                    record.task};
    }
    return {0, record.task};
}

// The first to leave of those whose place is after `after`, in order: `goal` bytes.
Eviction::State::Pass Eviction::State::gather(const std::optional<Place>& after, Evict order,
                                              std::uint64_t goal) const {
    Pass pass;
    std::uint64_t sum = 0;
    std::priority_queue<Candidate> best;  // its top is the last of them to leave
    index.each(std::nullopt, [&](const ObjectRecord& record, const AccessRecord& access) {
        Candidate candidate;
        candidate.generation = record.generation;
        candidate.bytes = stored(record);
        candidate.place = place_of(record, access, candidate.bytes, order);
        if (after && candidate.place <= *after) return true;
        sum += candidate.bytes;
        best.push(candidate);
        while (best.size() > kAtMost ||
               (best.size() > kAtLeast && sum - best.top().bytes >= goal)) {
            sum -= best.top().bytes;
            best.pop();
            pass.left_some_out = true;
        }
        return true;
    });
    pass.candidates.reserve(best.size());
    for (; !best.empty(); best.pop()) pass.candidates.push_back(best.top());
    std::ranges::reverse(pass.candidates);
    return pass;
}

Eviction::Eviction(Index& index, const DataFiles& files, const Log& log, TryRemove try_remove)
    : state_(std::make_shared<State>(index, files, log, std::move(try_remove))) {}

void Eviction::set_limits(const CacheLimits& limits) {
    const std::scoped_lock lock(state_->limits_mutex);
    state_->limits = limits;
}

void Eviction::note_stored(std::uint64_t bytes) { state_->unseen += bytes; }
void Eviction::note_full_index() { state_->index_is_full = true; }

bool Eviction::is_due() const {
    return state_->index_is_full || state_->unseen >= kUnseen ||
           bytes() > state_->limits_now().max_size;
}

std::uint64_t Eviction::bytes() const { return state_->index.stored_bytes(); }
std::uint64_t Eviction::evictions() const { return state_->evictions; }
std::uint64_t Eviction::evicted_bytes() const { return state_->evicted_bytes; }

std::uint64_t Eviction::excess() const {
    const CacheLimits limits = state_->limits_now();
    state_->unseen = 0;
    const double low = std::clamp(limits.low_watermark, 0.01, 1.0);
    std::uint64_t excess = 0;
    if (bytes() > limits.max_size) excess = above(bytes(), share(low, limits.max_size));
    // Rows cannot be told from bytes: the same part of both goes.
    if (state_->index_is_full)
        excess = std::max(excess, std::max<std::uint64_t>(above(bytes(), share(low, bytes())), 1));
    const auto space = state_->files.space();
    if (!space) return excess;
    if (space->available < limits.min_free) {
        const auto wanted = static_cast<std::uint64_t>(static_cast<double>(limits.min_free) / low);
        excess = std::max(excess, above(wanted, space->available));
    }
    const std::uint64_t used = above(space->total, space->available);
    const double part = limits.max_used_percent / 100;
    if (part > 0 && used > share(part, space->total))
        excess = std::max(excess, above(used, share(part * low, space->total)));
    return excess;
}

bool Eviction::could_fit(std::uint64_t bytes) const {
    const CacheLimits limits = state_->limits_now();
    if (bytes > limits.max_size) return false;
    const auto space = state_->files.space();
    if (!space) return true;
    // With everything of ours gone.
    const std::uint64_t available = std::min(space->available + this->bytes(), space->total);
    if (bytes > above(available, limits.min_free)) return false;
    if (limits.max_used_percent <= 0) return true;
    const std::uint64_t used_by_others = above(space->total, available);
    return bytes <= above(share(limits.max_used_percent / 100, space->total), used_by_others);
}

std::uint64_t Eviction::run() {
    const std::unique_lock running(state_->running, std::try_to_lock);
    if (!running.owns_lock() || excess() == 0) return 0;
    State& state = *state_;
    state.index.wait_for_commit();  // what was stored, used and removed just now takes part
    const std::uint64_t goal = excess();
    if (goal == 0) return 0;
    state.index_is_full = false;
    NamesLeft names_left;
    const Evict order = state.limits_now().evict;
    std::uint64_t gone = 0;
    std::uint64_t victims = 0;
    std::optional<Place> after;
    for (bool more = true; more && gone < goal;) {
        const State::Pass pass = state.gather(after, order, goal - gone);
        more = pass.left_some_out;
        for (const Candidate& candidate : pass.candidates) {
            if (gone >= goal) break;
            after = candidate.place;
            const auto shared =
                state.index.shared_file(candidate.place.second, candidate.generation);
            if (!state.try_remove(candidate.place.second, candidate.generation)) continue;
            if (!shared || is_last_name(names_left, *shared)) gone += candidate.bytes;
            ++victims;
        }
    }
    state.evictions += victims;
    state.evicted_bytes += gone;
    state.index.wait_for_commit();
    if (gone < goal)
        state.log.warn(
            "cache: {} bytes over its limits, {} could be evicted; the rest is in use or not ours",
            goal, gone);
    else
        state.log.info("cache: evicted {} objects, {} bytes", victims, gone);
    return gone;
}

}  // namespace hawker::cache
