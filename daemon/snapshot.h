// The current settings, as everybody may take them and one may replace them.
//
// A mutex, not std::atomic<std::shared_ptr>: GCC 12's load() unlocks with relaxed order, which is a
// data race (and ThreadSanitizer says so). It is held for the time of one reference count.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace hawker::daemon {

template <typename T>
class Snapshot {
public:
    std::shared_ptr<const T> load() const {
        const std::scoped_lock lock(mutex_);
        return current_;
    }
    void store(std::shared_ptr<const T> next) {
        const std::scoped_lock lock(mutex_);
        current_.swap(next);
        stores_.fetch_add(1, std::memory_order_release);
        // What was current before dies with `next`, after the lock.
    }

    // One thread's view of it. As long as nothing is stored it touches nothing that other threads
    // write, not even a reference count: what every request asks for must not travel between
    // cores. It holds what it gave last.
    class View {
    public:
        explicit View(const Snapshot& snapshot) : snapshot_(snapshot) {}

        std::shared_ptr<const T> load() {
            const std::uint64_t stores = snapshot_.stores_.load(std::memory_order_acquire);
            if (stores == seen_) return own_;
            seen_ = stores;
            const auto held = std::make_shared<const std::shared_ptr<const T>>(snapshot_.load());
            own_ = std::shared_ptr<const T>(held, held->get());
            return own_;
        }

    private:
        const Snapshot& snapshot_;
        std::uint64_t seen_ = 0;
        std::shared_ptr<const T> own_;
    };

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const T> current_;
    std::atomic<std::uint64_t> stores_{0};
};

}  // namespace hawker::daemon
