// Jobs that must not overlap, on the threads of a pool: each waits for the one before it without
// holding a thread.
//
// Thread: any thread may post. Jobs run in the order of posting, one at a time.
// Owner:  whoever posts; the pool outlives it. What is queued runs after the strand has gone.
#pragma once

#include "base/executor.h"

#include <deque>
#include <memory>
#include <mutex>

namespace hawker {

class Strand final : public Executor {
public:
    explicit Strand(Executor& pool) : state_(std::make_shared<State>(pool)) {}

    void post(Job job) override { State::post(state_, std::move(job)); }
    void post_after(std::chrono::milliseconds delay, Job job) override {
        state_->pool.post_after(delay, [state = state_, job = std::move(job)]() mutable {
            State::post(state, std::move(job));
        });
    }

private:
    struct State {
        explicit State(Executor& threads) : pool(threads) {}

        static void post(const std::shared_ptr<State>& state, Job job) {
            {
                const std::scoped_lock lock(state->mutex);
                state->queue.push_back(std::move(job));
                if (std::exchange(state->running, true)) return;
            }
            state->pool.post([state] { state->run(); });
        }
        void run() {
            for (;;) {
                Job job;
                {
                    const std::scoped_lock lock(mutex);
                    running = !queue.empty();
                    if (!running) return;
                    job = std::move(queue.front());
                    queue.pop_front();
                }
                job();
            }
        }

        Executor& pool;
        std::mutex mutex;
        std::deque<Job> queue;
        bool running = false;
    };

    std::shared_ptr<State> state_;
};

}  // namespace hawker
