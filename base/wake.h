// A condition that coroutines of one thread wait for.
//
// Thread: all calls on the home executor's thread; from elsewhere, post() a notify to it.
// A notified waiter goes on as a job of its own, never inside notify_all(): nobody is called back
// before the call that asked has returned. A waiter checks its condition again, as with a condition
// variable.
#pragma once

#include "base/executor.h"

#include <coroutine>
#include <vector>

namespace hawker {

class Wake {
public:
    explicit Wake(Executor& home) : home_(home) {}
    Wake(const Wake&) = delete;
    Wake& operator=(const Wake&) = delete;

    class Awaiter {
    public:
        explicit Awaiter(Wake& wake) : wake_(wake) {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> awaiter) const {
            wake_.waiting_.push_back(awaiter);
        }
        void await_resume() const noexcept {}

    private:
        Wake& wake_;
    };

    Awaiter wait() { return Awaiter(*this); }
    bool has_waiters() const { return !waiting_.empty(); }

    void notify_all() {
        for (std::coroutine_handle<> awaiter : std::exchange(waiting_, {}))
            home_.post([awaiter] { awaiter.resume(); });
    }

private:
    Executor& home_;
    std::vector<std::coroutine_handle<>> waiting_;
};

}  // namespace hawker
