// The current settings, as everybody may take them and one may replace them.
//
// A mutex, not std::atomic<std::shared_ptr>: GCC 12's load() unlocks with relaxed order, which is a
// data race (and ThreadSanitizer says so). It is held for the time of one reference count.
#pragma once

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
        // What was current before dies with `next`, after the lock.
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const T> current_;
};

}  // namespace hawker::daemon
