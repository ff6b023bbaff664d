// An executor that a test cranks by hand, and its clock.
#pragma once

#include "base/executor.h"

#include <deque>
#include <map>

namespace hawker {

class HandExecutor final : public Executor {
public:
    void post(Job job) override { jobs_.push_back(std::move(job)); }
    void post_after(std::chrono::milliseconds delay, Job job) override {
        later_.emplace(now_ + delay, std::move(job));
    }

    // Runs what is due, and what that posts, until nothing is; says how many jobs that were.
    std::size_t run() {
        std::size_t count = 0;
        for (; !jobs_.empty(); ++count) {
            Job job = std::move(jobs_.front());
            jobs_.pop_front();
            job();
        }
        return count;
    }
    std::size_t advance(std::chrono::milliseconds time) {
        now_ += time;
        while (!later_.empty() && later_.begin()->first <= now_) {
            jobs_.push_back(std::move(later_.begin()->second));
            later_.erase(later_.begin());
        }
        return run();
    }

private:
    std::chrono::milliseconds now_{0};
    std::deque<Job> jobs_;
    std::multimap<std::chrono::milliseconds, Job> later_;
};

}  // namespace hawker
