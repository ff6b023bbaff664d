// Where work runs. A loop is one, the pool of threads that may wait is one, and a test cranks one
// by hand.
#pragma once

#include <chrono>
#include <coroutine>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace hawker {

using Job = std::move_only_function<void()>;

class Executor {
public:
    virtual ~Executor() = default;

    // Runs `job` later on this executor's thread; never before post() has returned. Any thread may
    // call it. Jobs posted by one thread run in the order of posting. A job posted after the
    // executor stopped is dropped with what it holds.
    virtual void post(Job job) = 0;

    // The same, not before `delay` has passed.
    virtual void post_after(std::chrono::milliseconds delay, Job job) = 0;
};

// co_await resume_on(loop): go on as a job of `loop`.
class ResumeOn {
public:
    explicit ResumeOn(Executor& executor) : executor_(executor) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> awaiter) const {
        executor_.post([awaiter] { awaiter.resume(); });
    }
    void await_resume() const noexcept {}

private:
    Executor& executor_;
};
inline ResumeOn resume_on(Executor& executor) { return ResumeOn(executor); }

// co_await sleep_on(loop, 200ms)
class SleepOn {
public:
    SleepOn(Executor& executor, std::chrono::milliseconds delay)
        : executor_(executor), delay_(delay) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> awaiter) const {
        executor_.post_after(delay_, [awaiter] { awaiter.resume(); });
    }
    void await_resume() const noexcept {}

private:
    Executor& executor_;
    std::chrono::milliseconds delay_;
};
inline SleepOn sleep_on(Executor& executor, std::chrono::milliseconds delay) {
    return SleepOn(executor, delay);
}

// auto n = co_await offload(pool, home, work): runs `work` on `pool`, then goes on as a job of
// `home` with its result. `work` is a named callable (a lambda written inside the co_await
// expression is what GCC 12 miscompiles); what it refers to stays valid because the awaiter is
// suspended meanwhile.
template <typename Work>
class Offload {
public:
    using Result = std::invoke_result_t<Work&>;

    Offload(Executor& pool, Executor& home, Work& work) : pool_(pool), home_(home), work_(work) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> awaiter) {
        pool_.post([this, awaiter] {
            result_.emplace(work_());
            home_.post([awaiter] { awaiter.resume(); });
        });
    }
    Result await_resume() { return std::move(*result_); }

private:
    Executor& pool_;
    Executor& home_;
    Work& work_;
    std::optional<Result> result_;
};
template <typename Work>
Offload<Work> offload(Executor& pool, Executor& home, Work& work) {
    return Offload<Work>(pool, home, work);
}

}  // namespace hawker
