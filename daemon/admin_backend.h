// The admin API's view of the daemon: the cache's list, the counters, the health of the loops.
//
// Owner:  the server; what it refers to outlives it.
// Thread: the control loop's.
#pragma once

#include "daemon/admin/metrics.h"
#include "daemon/admin/server.h"
#include "daemon/proxy/proxy.h"

#include <functional>
#include <string>
#include <vector>

namespace hawker::daemon {

class AdminBackend final : public admin::Backend {
public:
    // `ailment` is empty when all is well; `measure` sets the gauges that are read now.
    AdminBackend(cache::Cache& cache, proxy::AccessMemory& access, admin::Metrics& metrics,
                 Executor& pool, Executor& home, std::function<std::string()> ailment,
                 std::function<void()> measure);

    std::string ailment() const override;
    std::string metrics() override;
    Task<std::vector<cache::Entry>> tasks(std::optional<TaskId> after, std::size_t most) override;
    Task<bool> remove(TaskId task) override;

private:
    cache::Cache& cache_;
    proxy::AccessMemory& access_;
    admin::Metrics& metrics_;
    Executor& pool_;
    Executor& home_;
    std::function<std::string()> ailment_;
    std::function<void()> measure_;
};

}  // namespace hawker::daemon
