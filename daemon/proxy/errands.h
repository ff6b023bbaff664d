// What a loop's proxy does behind responses that have left already: it outlives the exchange that
// began it, and ends with the proxy.
//
// Owner:  the loop's proxy. Thread: the loop's.
// Stop:   stop(), then drained().
#pragma once

#include "base/task_group.h"
#include "daemon/proxy/cancellation.h"

#include <unordered_set>

namespace hawker::proxy {

class Errands {
public:
    explicit Errands(Executor& home) : running_(home) {}

    // An errand's hold on it: first thing in the coroutine.
    class Turn {
    public:
        explicit Turn(Errands& errands) : errands_(errands) {
            errands_.turns_.insert(this);
            if (errands_.stopping_) cancel.ask();
        }
        ~Turn() { errands_.turns_.erase(this); }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

        Cancellation cancel;

    private:
        Errands& errands_;
    };

    void spawn(Task<void> errand) { running_.spawn(std::move(errand)); }
    void stop() {
        stopping_ = true;
        const auto now = turns_;
        for (Turn* turn : now)
            if (turns_.contains(turn)) turn->cancel.ask();
    }
    Task<void> drained() { return running_.drained(); }

private:
    TaskGroup running_;
    std::unordered_set<Turn*> turns_;
    bool stopping_ = false;
};

}  // namespace hawker::proxy
