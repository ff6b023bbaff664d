// The daemon as a whole: one cache, one pool, N workers, an admin API, and the control loop that
// looks after them.
//
// Owner:   main().
// Thread:  the main thread: it makes the server, and run() is the control loop. Signals, reloads,
// the admin API and the watchdog
//          live there; no client's byte passes through it.
// Failure: create() says in words which address, directory or file is wrong.
// Stop:    SIGTERM or SIGINT: listeners close, exchanges get `drain_timeout`, the cache commits,
// run() returns 0. A second signal
//          ends the process at once; the index can take that.
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "base/task_group.h"
#include "base/thread_pool.h"
#include "daemon/admin/metrics.h"
#include "daemon/admin/server.h"
#include "daemon/admin_backend.h"
#include "daemon/command_line.h"
#include "daemon/configuration.h"
#include "daemon/headroom.h"
#include "daemon/interceptions.h"
#include "daemon/journal.h"
#include "daemon/listeners.h"
#include "daemon/signals.h"
#include "daemon/snapshot.h"
#include "daemon/worker.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace hawker::daemon {

class Server {
public:
    // `line` and `environment` are read again at every reload. `log` outlives the server.
    static Expected<std::unique_ptr<Server>> create(const CommandLine& line,
                                                    const char* const* environment,
                                                    Configuration configuration, Log& log);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Serves until a signal says otherwise; the exit code.
    int run();

private:
    Server(const CommandLine& line, const char* const* environment, Configuration configuration,
           Log& log);
    Expected<void> open();
    Expected<void> open_workers();
    void open_access_memory();
    void open_admin();
    void start_workers();
    void announce() const;
    void welcome() const;

    void on_signal(int signal);
    void reload();
    Expected<void> take_next();
    void apply(Configuration next, std::shared_ptr<const proxy::Interception> interception);
    void look_after();  // watchdog and health
    void watch_memory();
    Task<void> wind_down();

    const CommandLine& line_;
    const char* const* environment_;
    Configuration configuration_;  // the control thread's; proxies see settings_
    const Options started_with_;   // what restart-only options count as
    Log& log_;
    SystemClock clock_;
    admin::Metrics metrics_;
    Journal journal_;
    Identity identity_;
    Listeners listeners_;
    Interceptions interceptions_;
    Headroom headroom_;
    Snapshot<proxy::Settings> settings_;
    bool stopping_ = false;
    bool finished_ = false;  // everything below has come to its end in order

    // Destroyed from the last up: workers before the cache that they read, the cache before the
    // pool that works for it.
    ThreadPool pool_;
    std::unique_ptr<net::Loop> control_;
    std::unique_ptr<proxy::AccessMemory> access_;
    proxy::DocumentMemory documents_;
    proxy::Shelves shelves_;
    ThreadPool verifying_{1};  // passwords: a core at most
    ThreadPool resolving_{4};  // names of tunnels' ends
    admission::Authenticator authenticator_{verifying_, clock_};
    admission::Buckets buckets_;
    admission::ClientSlots slots_;
    std::unique_ptr<cache::Cache> cache_;
    std::vector<std::unique_ptr<proxy::Services>> services_;  // one for each worker
    const std::shared_ptr<origin::Lanes> lanes_ = std::make_shared<origin::Lanes>();
    std::vector<std::unique_ptr<Worker>> workers_;
    std::unique_ptr<AdminBackend> backend_;
    std::vector<std::unique_ptr<admin::Server>> admins_;
    std::unique_ptr<Signals> signals_;
    std::unique_ptr<net::Timer> care_;
    std::unique_ptr<net::Timer> memory_watch_;
    SteadyTime trimmed_{};  // when memory was last given back
    std::unique_ptr<Wake> wound_down_;
    std::size_t winding_down_ = 0;  // workers that are still at it
    std::unique_ptr<TaskGroup> errands_;
};

}  // namespace hawker::daemon
