// Small questions to a pool of threads that many ask at once: those of one turn of a loop go there
// together, and their answers come back together. A trip costs two wake-ups of a thread, which is
// more than most answers do.
//
// Thread: any may ask; whoever asks goes on as a job of its home.
// Owner:  whoever has questions for this pool; it outlives those that are under way.
#pragma once

#include "base/executor.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace hawker {

class SharedTrips {
public:
    explicit SharedTrips(Executor& pool) : pool_(pool) {}
    SharedTrips(const SharedTrips&) = delete;
    SharedTrips& operator=(const SharedTrips&) = delete;

    // co_await trips.along(home, work): runs `work` on the pool, as offload() does. `work` is a
    // named callable, short, and may wait for a disk: it then holds up at most kTogether others.
    template <typename Work>
    class Along;
    template <typename Work>
    Along<Work> along(Executor& home, Work& work) {
        return Along<Work>(*this, home, work);
    }

private:
    static constexpr std::size_t kTogether = 32;

    class Passenger {
    public:
        virtual void work() = 0;
        std::coroutine_handle<> awaiter;

    protected:
        ~Passenger() = default;
    };
    using Group = std::vector<Passenger*>;

    void board(Executor& home, Passenger& passenger);
    void depart(Executor& home);

    Executor& pool_;
    std::mutex mutex_;
    std::map<Executor*, Group> waiting_;  // for the end of this turn
};

template <typename Work>
class SharedTrips::Along final : private Passenger {
public:
    using Result = std::invoke_result_t<Work&>;

    Along(SharedTrips& trips, Executor& home, Work& work)
        : trips_(trips), home_(home), work_(work) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
        awaiter = handle;
        trips_.board(home_, *this);
    }
    Result await_resume() { return std::move(*result_); }

private:
    void work() override { result_.emplace(work_()); }

    SharedTrips& trips_;
    Executor& home_;
    Work& work_;
    std::optional<Result> result_;
};

}  // namespace hawker
