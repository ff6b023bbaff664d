#include "cache/reads_under_way.h"

#include <algorithm>

namespace hawker::cache {

namespace {

// What was asked of a disk is there by then, or the disk is broken.
constexpr std::chrono::seconds kLongest{10};
constexpr std::size_t kRemembered = 64;
// The kernel reads on behind what it was asked for.
constexpr std::uint64_t kMargin = 1ULL << 20U;

bool is_young(ReadsUnderWay::Time since, ReadsUnderWay::Time now) {
    return since != ReadsUnderWay::Time() && now - since <= kLongest;
}

}  // namespace

void ReadsUnderWay::add(ByteRange range, Time now) {
    range.end += kMargin;
    const std::scoped_lock lock(mutex_);
    last_.store(now, std::memory_order_relaxed);
    if (reads_.size() < kRemembered) {
        reads_.emplace_back(range, now);
        return;
    }
    forgotten_ = reads_[oldest_].since;
    reads_[oldest_] = Read(range, now);
    oldest_ = (oldest_ + 1) % kRemembered;
}

bool ReadsUnderWay::touch(ByteRange range, Time now) const {
    if (!is_young(last_.load(std::memory_order_relaxed), now)) return false;
    const std::scoped_lock lock(mutex_);
    return is_young(forgotten_, now) || std::ranges::any_of(reads_, [&](const Read& read) {
               return is_young(read.since, now) && read.range.first < range.end &&
                      range.first < read.range.end;
           });
}

}  // namespace hawker::cache
