// How much room is left for one more client: connections, descriptors, memory.
//
// Owner:  the server; outlives the workers. Thread: shortage() and the counters from every loop;
// set_limits() and measure_memory() from the control thread.
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "daemon/admin/metrics.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace hawker::daemon {

using admin::Shortage;

class Headroom {
public:
    // Takes the process's limit of descriptors as it is now. A part of it is held back from new
    // connections: those that are here still need origins and files.
    Headroom(admin::Metrics& metrics, const Log& log);

    // `memory` in bytes; 0: no bound.
    void set_limits(std::size_t connections, std::uint64_t memory);

    // What is missing for a connection that has just been given this descriptor. The kernel gives
    // the lowest free one, so at least as many are open.
    Shortage shortage(int descriptor) const;
    // The same for one that has waited meanwhile.
    Shortage shortage() const;

    // For the counters: an accept that pauses, which is also said in the log every now and then; a
    // client that was turned away in the end; idle ones that were closed.
    void ran_out(Shortage of);
    void refused(Shortage of) { metrics_.connection_refused(of); }
    void closed_idle(std::size_t number) { metrics_.connections_shed(number); }

    // Looks at what the process holds. True while it is over the bound; it is below again only once
    // a twentieth of the bound is free.
    bool measure_memory();

private:
    admin::Metrics& metrics_;
    const Log& log_;
    const int descriptors_;  // that new connections may take
    std::atomic<std::size_t> most_connections_ = 0;
    std::atomic<bool> over_memory_ = false;
    std::atomic<SteadyTime> warned_{SteadyTime()};
    std::uint64_t most_memory_ = 0;  // the control thread's
};

// Descriptors that the process may have.
std::size_t descriptor_limit();
// Those that new connections may take, out of so many.
std::size_t descriptors_for_clients(std::size_t all);
// Those that files may take while there are idle ones to close: fewer, so that a new connection
// finds one free while what has been fetched waits to be recorded.
std::size_t descriptors_for_files(std::size_t all);

// Memory of our own: what is resident, less what belongs to files (the index's map, programs). 0
// when /proc does not say.
std::uint64_t own_memory();

}  // namespace hawker::daemon
