#include "daemon/admin_backend.h"

#include <utility>

namespace hawker::daemon {

namespace {

// A named callable for offload(): a lambda inside the await is what GCC 12 miscompiles.
struct ListTasks {
    const cache::Cache& cache;
    std::optional<TaskId> after;
    std::size_t most;
    std::vector<cache::Entry> operator()() const { return cache.list(after, most); }
};

}  // namespace

AdminBackend::AdminBackend(cache::Cache& cache, proxy::AccessMemory& access,
                           admin::Metrics& metrics, Executor& pool, Executor& home,
                           std::function<std::string()> ailment, std::function<void()> measure)
    : cache_(cache),
      access_(access),
      metrics_(metrics),
      pool_(pool),
      home_(home),
      ailment_(std::move(ailment)),
      measure_(std::move(measure)) {}

std::string AdminBackend::ailment() const { return ailment_(); }
std::string AdminBackend::metrics() {
    measure_();
    return metrics_.text(cache_.usage());
}

Task<std::vector<cache::Entry>> AdminBackend::tasks(std::optional<TaskId> after, std::size_t most) {
    ListTasks list(cache_, after, most);
    auto entries = co_await offload(pool_, home_, list);
    co_return entries;
}

Task<bool> AdminBackend::remove(TaskId task) {
    const bool removed = co_await cache_.remove(task, home_);
    access_.forget(task);
    co_return removed;
}

}  // namespace hawker::daemon
