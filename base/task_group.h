// Tasks that run by themselves: connections of a loop, fetches of a cache.
//
// Owner:  who must outlive what it started. Destroying a group with running tasks is a bug
// (asserted). Thread: one; spawn() and drained() are called on the executor's thread, and the tasks
// finish there.
#pragma once

#include "base/task.h"
#include "base/wake.h"

#include <cstddef>

namespace hawker {

class TaskGroup {
public:
    explicit TaskGroup(Executor& home) : drained_(home) {}
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;
    ~TaskGroup();

    // Keeps `task` until it is done. An exception that leaves it ends the process: nobody is there
    // to hear it.
    void spawn(Task<void> task);

    std::size_t running() const { return running_; }

    // Done when nothing runs any more.
    Task<void> drained();

private:
    struct Detached {
        struct promise_type {  // NOLINT(readability-identifier-naming): the language's name
            Detached get_return_object() const noexcept { return {}; }
            std::suspend_never initial_suspend() const noexcept { return {}; }
            std::suspend_never final_suspend() const noexcept { return {}; }
            void return_void() const noexcept {}
            void unhandled_exception() const noexcept { std::terminate(); }
        };
    };
    static Detached run(TaskGroup& group, Task<void> task);

    std::size_t running_ = 0;
    Wake drained_;
};

}  // namespace hawker
