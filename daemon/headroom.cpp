#include "daemon/headroom.h"

#include "base/unique_fd.h"

#include <algorithm>
#include <fstream>
#include <string_view>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace hawker::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto kWarnInterval = 10s;

// The lowest number that is free; the limit itself when none is.
int next_descriptor() {
    const UniqueFd probe(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    return probe ? probe.get() : static_cast<int>(descriptor_limit());
}

std::string_view cure_for(Shortage of) {
    switch (of) {
        case Shortage::connections:
            return "limits.connections is reached";
        case Shortage::descriptors:
            return "descriptors run out (LimitNOFILE= of the unit, ulimit -n)";
        case Shortage::memory:
            return "limits.memory is reached";
        case Shortage::none:
            break;
    }
    return "";
}

}  // namespace

std::size_t descriptor_limit() {
    rlimit limit{};
    constexpr std::size_t kMost = 1U << 20U;
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
    return std::min<std::size_t>(limit.rlim_cur, kMost);
}

std::size_t descriptors_for_clients(std::size_t all) {
    return all - std::min(all, std::clamp<std::size_t>(all / 4, 16, 8192));
}

std::size_t descriptors_for_files(std::size_t all) { return descriptors_for_clients(all) / 8 * 7; }

std::uint64_t own_memory() {
    // proc(5): size resident shared ..., in pages
    std::ifstream statm("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    std::uint64_t shared = 0;
    if (!(statm >> size >> resident >> shared) || shared > resident) return 0;
    return (resident - shared) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

Headroom::Headroom(admin::Metrics& metrics, const Log& log)
    : metrics_(metrics),
      log_(log),
      descriptors_(static_cast<int>(descriptors_for_clients(descriptor_limit()))) {}

void Headroom::set_limits(std::size_t connections, std::uint64_t memory) {
    most_connections_.store(connections, std::memory_order_relaxed);
    most_memory_ = memory;
    measure_memory();
}

Shortage Headroom::shortage(int descriptor) const {
    if (over_memory_.load(std::memory_order_relaxed)) return Shortage::memory;
    if (descriptor >= descriptors_) return Shortage::descriptors;
    if (metrics_.open_connections() >= most_connections_.load(std::memory_order_relaxed))
        return Shortage::connections;
    return Shortage::none;
}

Shortage Headroom::shortage() const { return shortage(next_descriptor()); }

void Headroom::ran_out(Shortage of) {
    metrics_.accept_paused(of);
    const SteadyTime now = std::chrono::steady_clock::now();
    SteadyTime warned = warned_.load();
    if (warned != SteadyTime() && now - warned < kWarnInterval) return;
    if (!warned_.compare_exchange_strong(warned, now)) return;  // another loop says it
    log_.warn("{}: accepting pauses, and the connections that have been idle longest are closed",
              cure_for(of));
}

bool Headroom::measure_memory() {
    const std::uint64_t held = own_memory();
    metrics_.set_memory(held);
    const bool was_over = over_memory_.load(std::memory_order_relaxed);
    const std::uint64_t bound = was_over ? most_memory_ - most_memory_ / 20 : most_memory_;
    const bool is_over = most_memory_ > 0 && held > bound;
    over_memory_.store(is_over, std::memory_order_relaxed);
    return is_over;
}

}  // namespace hawker::daemon
