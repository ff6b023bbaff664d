// One thread's event loop: libevent below, coroutines above.
//
// Owner:  the worker whose thread calls run().
// Thread: post(), post_after() and stop() from anywhere; everything else on the loop's thread.
// Stop:   stop() makes run() return after the current turn; jobs posted later are dropped with what
//         they hold, and so are those of a turn that never came, when the loop is destroyed.
// A turn: the jobs posted before it began, then whatever descriptors and timers are ready. Jobs
// that post jobs thereby never starve a socket. The process ignores SIGPIPE from the first loop on:
// sendfile and splice know no MSG_NOSIGNAL.
#pragma once

#include "base/error.h"
#include "base/executor.h"

#include <chrono>
#include <functional>
#include <memory>
#include <span>

namespace hawker::net {

class Loop final : public Executor {
public:
    // Errc::exhausted when the kernel gives no epoll or eventfd.
    static Expected<std::unique_ptr<Loop>> create();
    ~Loop() override;
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    void run();
    void stop();

    // From another thread one eventfd write wakes the loop; from its own thread none.
    void post(Job job) override;
    void post_after(std::chrono::milliseconds delay, Job job) override;

    bool on_this_thread() const;

    // Room to read into for whoever is running: good until the next wait, on the loop's thread
    // alone. What has to last is copied out of it.
    std::span<std::byte> scratch();

    struct State;  // libevent's; for net/ alone
    State& state() { return *state_; }

private:
    explicit Loop(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

enum class Interest : unsigned { none = 0, read = 1, write = 2, both = 3 };

// Tells a callback when a descriptor is ready; for libcurl's sockets. Level-triggered, until
// changed or dropped. The callback may destroy the watch.
class FdWatch {
public:
    FdWatch(Loop& loop, int fd, std::function<void(Interest ready)> on_ready);
    ~FdWatch();
    FdWatch(const FdWatch&) = delete;
    FdWatch& operator=(const FdWatch&) = delete;
    void set(Interest interest);

private:
    struct State;
    std::unique_ptr<State> state_;
};

// One pending timeout; set() replaces the one before. The callback may destroy the timer.
class Timer {
public:
    Timer(Loop& loop, std::function<void()> on_time);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    void set(std::chrono::milliseconds delay);
    void clear();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace hawker::net
