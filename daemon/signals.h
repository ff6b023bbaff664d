// Signals as something a loop can watch.
//
// Thread: block_signals() on the first thread, before any other starts: threads inherit the mask.
// Signals on the loop's thread.
#pragma once

#include "base/error.h"
#include "base/unique_fd.h"
#include "daemon/net/loop.h"

#include <functional>
#include <memory>

namespace hawker::daemon {

// SIGHUP, SIGINT and SIGTERM wait for a Signals object; SIGPIPE is ignored (a write to a closed
// socket is an error value).
void block_signals();
// SIGINT and SIGTERM end the process at once again; for the last steps of a shutdown, which wait
// for the disk.
void unblock_signals();

class Signals {
public:
    static Expected<std::unique_ptr<Signals>> watch(net::Loop& loop,
                                                    std::function<void(int signal)> on_signal);

private:
    Signals(net::Loop& loop, UniqueFd fd, std::function<void(int signal)> on_signal);
    void read_pending();

    UniqueFd fd_;
    std::function<void(int signal)> on_signal_;
    net::FdWatch watch_;
};

}  // namespace hawker::daemon
