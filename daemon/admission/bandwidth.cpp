#include "daemon/admission/bandwidth.h"

#include <algorithm>

namespace hawker::admission {

namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kBurst = std::chrono::milliseconds(250);
constexpr std::uint64_t kLeastQuantum = 1024;
constexpr std::uint64_t kMostQuantum = 256UL * 1024;

nanoseconds time_for(std::uint64_t bytes, std::uint64_t rate) {
    return nanoseconds(
        static_cast<std::int64_t>(static_cast<double>(bytes) * 1e9 / static_cast<double>(rate)));
}

}  // namespace

nanoseconds Bucket::reserve(std::uint64_t bytes, SteadyTime now) {
    const std::int64_t present = nanoseconds(now.time_since_epoch()).count();
    const std::int64_t cost = time_for(bytes, rate_.load(std::memory_order_relaxed)).count();
    std::int64_t free_at = free_at_.load(std::memory_order_relaxed);
    std::int64_t begins = 0;
    do {
        begins = std::max(free_at, present - kBurst.count());
    } while (!free_at_.compare_exchange_weak(free_at, begins + cost, std::memory_order_relaxed));
    return nanoseconds(std::max<std::int64_t>(0, begins - present));
}

std::uint64_t Bucket::quantum() const {
    return std::clamp(rate_.load(std::memory_order_relaxed) / 20, kLeastQuantum, kMostQuantum);
}

std::shared_ptr<Bucket> Buckets::get(const std::string& purpose, std::uint64_t rate) {
    const std::scoped_lock lock(mutex_);
    if (buckets_.size() >= tidy_at_) {
        std::erase_if(buckets_, [](const auto& each) { return each.second.expired(); });
        tidy_at_ = std::max<std::size_t>(64, buckets_.size() * 2);
    }
    std::weak_ptr<Bucket>& place = buckets_[purpose];
    if (auto bucket = place.lock()) {
        bucket->set_rate(rate);
        return bucket;
    }
    auto bucket = std::make_shared<Bucket>(rate);
    place = bucket;
    return bucket;
}

std::size_t Buckets::size() const {
    const std::scoped_lock lock(mutex_);
    return buckets_.size();
}

}  // namespace hawker::admission
