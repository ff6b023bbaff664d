#include "base/thread_pool.h"

namespace hawker {

ThreadPool::ThreadPool(std::size_t threads) {
    threads_.reserve(threads);
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::post(Job job) {
    const std::scoped_lock lock(mutex_);
    if (stopped_) return;
    queue_.push_back(std::move(job));
    changed_.notify_one();
}

void ThreadPool::post_after(std::chrono::milliseconds delay, Job job) {
    const std::scoped_lock lock(mutex_);
    if (stopped_) return;
    delayed_.emplace(std::chrono::steady_clock::now() + delay, std::move(job));
    changed_.notify_one();
}

void ThreadPool::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
    }
    for (std::thread& thread : threads_)
        if (thread.joinable()) thread.join();
    // What came too late is dropped outside of the lock: it may hold anything.
    std::deque<Job> late;
    std::multimap<std::chrono::steady_clock::time_point, Job> never;
    {
        const std::scoped_lock lock(mutex_);
        stopped_ = true;
        late.swap(queue_);
        never.swap(delayed_);
    }
}

void ThreadPool::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        const auto now = std::chrono::steady_clock::now();
        while (!delayed_.empty() && delayed_.begin()->first <= now) {
            queue_.push_back(std::move(delayed_.begin()->second));
            delayed_.erase(delayed_.begin());
        }
        if (!queue_.empty()) {
            Job job = std::move(queue_.front());
            queue_.pop_front();
            lock.unlock();
            job();
            job = nullptr;  // what the job holds goes before the lock is taken again
            lock.lock();
        } else if (stopping_) {
            return;
        } else if (delayed_.empty()) {
            changed_.wait(lock);
        } else {
            const auto due = delayed_.begin()->first;
            changed_.wait_until(lock, due);
        }
    }
}

}  // namespace hawker
