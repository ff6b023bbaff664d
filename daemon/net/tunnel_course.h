// What the two directions of a tunnel share. For net/ alone.
#pragma once

#include "base/clock.h"
#include "daemon/net/socket.h"

namespace hawker::net {

// Whoever moved last keeps the tunnel alive for both.
struct Course {
    Deadline idle{0};
    SteadyTime last = std::chrono::steady_clock::now();
    int running = 2;  // directions
    // It takes no more bytes. What it had said before, an answer to too long a request for one, is
    // on its way all the same: that direction ends by itself.
    const Socket* deaf = nullptr;

    void note() { last = std::chrono::steady_clock::now(); }
    Deadline left() const {
        return std::chrono::ceil<Deadline>(last + idle - std::chrono::steady_clock::now());
    }
};

// One direction of a tunnel where a side speaks TLS, or where it has a pace (or null): bytes have
// to pass through the process.
Task<Expected<void>> pump_by_copying(Socket& from, Socket& to, Course& course, std::uint64_t& bytes,
                                     Pace* pace);

}  // namespace hawker::net
