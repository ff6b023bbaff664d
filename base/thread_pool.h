// A few threads for whatever may wait: writes, cold reads, fsync, unlink, hashing, getaddrinfo.
#pragma once

#include "base/executor.h"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace hawker {

// Thread: any thread may post. Jobs begin in the order of posting, several at once.
// Stop:   stop() (or the destructor) runs what is queued, drops what is delayed, and joins.
class ThreadPool final : public Executor {
public:
    explicit ThreadPool(std::size_t threads);
    ~ThreadPool() override;
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    void post(Job job) override;
    void post_after(std::chrono::milliseconds delay, Job job) override;
    void stop();

private:
    // What one thread rests on.
    struct Idler {
        std::condition_variable called;
        bool is_called = false;
    };

    void run(Idler& self);
    void rest(std::unique_lock<std::mutex>& lock, Idler& self);
    void queue_what_is_due();
    Idler* call_one();
    void call_all();

    std::vector<Idler> idlers_;  // one for each thread
    std::mutex mutex_;
    std::deque<Job> queue_;
    std::multimap<std::chrono::steady_clock::time_point, Job> delayed_;
    std::vector<Idler*> idle_;     // the last one to rest is called first: its caches are warm
    Idler* timekeeper_ = nullptr;  // the one that rests until the first delayed job is due
    bool stopping_ = false;        // the threads end when nothing is queued
    bool stopped_ = false;         // nothing runs any more, so nothing is taken
    std::vector<std::thread> threads_;
};

}  // namespace hawker
