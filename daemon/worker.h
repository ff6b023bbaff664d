// One event loop with its thread: listeners that share their addresses with the other workers, an
// origin client, a proxy.
//
// Owner:   the server. Services and Headroom outlive the worker.
// Thread:  the constructor's and create()'s on the thread that makes it, before start(); then
// start(), ping(), set_origin_options(),
//          wind_down() and stop() from the control thread.
// Failure: create() gives the listener's or the origin client's error in words.
// Stop:    wind_down(), then stop(). Between the two the loop goes on running what the cache still
// has to end.
#pragma once

#include "base/task_group.h"
#include "daemon/headroom.h"
#include "daemon/net/listener.h"
#include "daemon/origin/client.h"
#include "daemon/proxy/proxy.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <vector>

namespace hawker::daemon {

class Worker {
public:
    static Expected<std::unique_ptr<Worker>> create(const origin::ClientOptions& options,
                                                    const Log& log);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Before start(). Accepts also there (a listener of this worker's loop), on behalf of
    // Settings::listeners[place].
    void accept_at(std::unique_ptr<net::Listener> listener, std::size_t place);
    // `close_idle_elsewhere` asks the other workers to do what close_idle() does; it is called on
    // the loop.
    void start(proxy::Services& services, Headroom& headroom,
               std::function<void(std::size_t most)> close_idle_elsewhere);
    // Makes room: closes idle connections, those first that have waited longest. Any thread.
    void close_idle(std::size_t most);

    net::Loop& loop() { return *loop_; }
    origin::Client& origins() { return *origins_; }

    // Asks the loop for a sign of life, unless it still owes one.
    void ping();
    // Since when it owes one; zero when it does not.
    std::chrono::milliseconds silence() const;

    void set_origin_options(const origin::ClientOptions& options);

    // Stops accepting, lets exchanges finish for `deadline`, cuts the rest; then `done` runs on the
    // loop.
    void wind_down(std::chrono::milliseconds deadline, std::function<void()> done);
    // Ends the loop and joins the thread. Idempotent.
    void stop();

private:
    Worker(std::unique_ptr<net::Loop> loop, const Log& log);
    void run();
    // A listening socket and its place in Settings::listeners.
    struct Entrance {
        std::unique_ptr<net::Listener> listener;
        std::size_t place;
    };
    Task<void> accept_from(Entrance& entrance);
    // What is still missing for this client after idle ones were closed for it.
    Task<Shortage> make_room(const net::Socket& client);
    // With the disk, for descriptors that come back once it has written.
    bool has_patience();
    void shed(Shortage of);
    Task<void> refuse(std::unique_ptr<net::Socket> client, Shortage of);
    Task<void> wind_down_here(std::chrono::milliseconds deadline, std::function<void()> done);

    std::unique_ptr<net::Loop> loop_;
    const Log& log_;
    std::unique_ptr<origin::Client> origins_;
    std::vector<Entrance> entrances_;
    Headroom* headroom_ = nullptr;
    cache::Cache* cache_ = nullptr;
    std::function<void(std::size_t)> close_idle_elsewhere_;
    std::unique_ptr<proxy::Proxy> proxy_;
    std::atomic<SteadyTime> asked_{SteadyTime()};  // when ping() was, until the loop has answered
    SteadyTime recording_since_;  // the loop's: when it last began to wait for them
    bool stopping_ = false;       // the loop's
    TaskGroup accepting_;
    TaskGroup winding_down_;
    std::thread thread_;
};

}  // namespace hawker::daemon
