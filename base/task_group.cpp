#include "base/task_group.h"

namespace hawker {

TaskGroup::~TaskGroup() { assert(running_ == 0 && "a group outlives its tasks"); }

void TaskGroup::spawn(Task<void> task) {
    ++running_;
    run(*this, std::move(task));
}

TaskGroup::Detached TaskGroup::run(TaskGroup& group, Task<void> task) {
    co_await task;
    --group.running_;
    if (group.running_ == 0) group.drained_.notify_all();
}

Task<void> TaskGroup::drained() {
    while (running_ != 0) co_await drained_.wait();
}

}  // namespace hawker
