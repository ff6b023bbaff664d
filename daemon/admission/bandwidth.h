// Bytes a second, shared by all transfers that a limit is for, on all loops.
//
// Thread:  any. reserve() is an atomic exchange, no lock.
// Order:   first come, first served, a quantum at a time: fifty transfers of one bucket take turns,
//          and each has a fiftieth.
#pragma once

#include "base/clock.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace hawker::admission {

// A token bucket, kept as the moment from which the next byte may go: a quarter of a second of the
// rate may go at once after a pause.
class Bucket {
public:
    // Bytes a second, above 0.
    explicit Bucket(std::uint64_t rate) : rate_(rate) {}

    void set_rate(std::uint64_t rate) { rate_.store(rate, std::memory_order_relaxed); }
    // These bytes are the caller's, after so long a wait.
    std::chrono::nanoseconds reserve(std::uint64_t bytes, SteadyTime now);
    // What one transfer should take at once: little enough for the others to have their turn, much
    // enough to be worth a system call.
    std::uint64_t quantum() const;

private:
    std::atomic<std::uint64_t> rate_;
    std::atomic<std::int64_t> free_at_{0};  // nanoseconds of the steady clock
};

// The buckets that are in use, by what they are for: "rule models", "user alice". A bucket goes
// with its last transfer.
class Buckets {
public:
    // With this rate from now on, for running transfers too.
    std::shared_ptr<Bucket> get(const std::string& purpose, std::uint64_t rate);
    std::size_t size() const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::weak_ptr<Bucket>> buckets_;
    std::size_t tidy_at_ = 64;
};

}  // namespace hawker::admission
