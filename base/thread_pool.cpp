#include "base/thread_pool.h"

#include <utility>

namespace hawker {

ThreadPool::ThreadPool(std::size_t threads) : idlers_(threads) {
    idle_.reserve(threads);
    threads_.reserve(threads);
    for (Idler& idler : idlers_) threads_.emplace_back([this, &idler] { run(idler); });
}

ThreadPool::~ThreadPool() { stop(); }

// Called after the lock is gone, or the one who is called would wait for it at once.
void ThreadPool::post(Job job) {
    Idler* called = nullptr;
    {
        const std::scoped_lock lock(mutex_);
        if (stopped_) return;
        queue_.push_back(std::move(job));
        called = call_one();
    }
    if (called) called->called.notify_one();
}

void ThreadPool::post_after(std::chrono::milliseconds delay, Job job) {
    Idler* called = nullptr;
    {
        const std::scoped_lock lock(mutex_);
        if (stopped_) return;
        const auto it = delayed_.emplace(std::chrono::steady_clock::now() + delay, std::move(job));
        if (it != delayed_.begin()) return;
        // Whoever keeps the time looks again; with nobody resting, the next one to rest will.
        called = timekeeper_ ? timekeeper_ : call_one();
        if (called) called->is_called = true;
    }
    if (called) called->called.notify_one();
}

void ThreadPool::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
        call_all();
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

void ThreadPool::run(Idler& self) {
    std::unique_lock lock(mutex_);
    for (;;) {
        queue_what_is_due();
        if (!queue_.empty()) {
            Job job = std::move(queue_.front());
            queue_.pop_front();
            // Somebody else has to keep the time meanwhile.
            Idler* const successor = delayed_.empty() || timekeeper_ ? nullptr : call_one();
            lock.unlock();
            if (successor) successor->called.notify_one();
            job();
            job = nullptr;  // what the job holds goes before the lock is taken again
            lock.lock();
        } else if (stopping_) {
            return;
        } else {
            rest(lock, self);
        }
    }
}

void ThreadPool::rest(std::unique_lock<std::mutex>& lock, Idler& self) {
    self.is_called = false;
    if (timekeeper_ || delayed_.empty()) {
        idle_.push_back(&self);
        self.called.wait(lock, [&self] { return self.is_called; });
        return;
    }
    timekeeper_ = &self;
    const auto due = delayed_.begin()->first;
    self.called.wait_until(lock, due, [&self] { return self.is_called; });
    timekeeper_ = nullptr;
}

// Several may be due at once: one for this thread, the others for those who rest.
void ThreadPool::queue_what_is_due() {
    const auto now = std::chrono::steady_clock::now();
    while (!delayed_.empty() && delayed_.begin()->first <= now) {
        if (!queue_.empty())
            if (Idler* const called = call_one()) called->called.notify_one();
        queue_.push_back(std::move(delayed_.begin()->second));
        delayed_.erase(delayed_.begin());
    }
}

// With the lock held; the caller notifies. The one that keeps the time comes last.
ThreadPool::Idler* ThreadPool::call_one() {
    Idler* called = timekeeper_;
    if (!idle_.empty()) {
        called = idle_.back();
        idle_.pop_back();
    }
    if (called) called->is_called = true;
    return called;
}

void ThreadPool::call_all() {
    idle_.clear();
    for (Idler& idler : idlers_) {
        idler.is_called = true;
        idler.called.notify_one();
    }
}

}  // namespace hawker
