// libevent's side of a loop; for net/ alone.
#pragma once

#include "base/unique_fd.h"
#include "daemon/net/loop.h"

#include <array>
#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <event2/event.h>

namespace hawker::net {

struct EventFree {
    void operator()(event* its) const { event_free(its); }  // also takes it out of the base
};
using EventPtr = std::unique_ptr<event, EventFree>;

struct BaseFree {
    void operator()(event_base* base) const { event_base_free(base); }
};

struct Loop::State {
    // A job that waits for its time; owned by `delayed`.
    struct Delayed {
        Delayed(State& its_state, Job its_job) : state(its_state), job(std::move(its_job)) {}
        State& state;
        Job job;
        EventPtr timer;
        std::list<Delayed>::iterator place;
        static void on_time(int fd, short what, void* argument);
    };

    std::unique_ptr<event_base, BaseFree> base;  // outlives every event below
    UniqueFd wake;
    EventPtr wake_event;
    EventPtr turn_event;  // made active by hand: jobs that the loop's own thread posted
    std::atomic<std::thread::id> thread;
    std::atomic<bool> stopped = false;
    std::list<Delayed> delayed;
    std::mutex mutex;
    std::vector<Job> posted;  // guarded by mutex
    std::vector<Job> turn;    // being run
    std::array<std::byte, 16'384> scratch;

    void signal() const;
    void run_jobs();
    static void on_wake(int fd, short what, void* argument);
    static void on_turn(int fd, short what, void* argument);
};

EventPtr make_event(Loop& loop, int fd, short what, event_callback_fn callback, void* argument);
void set_timeout(event* timer, std::chrono::milliseconds delay);

}  // namespace hawker::net
