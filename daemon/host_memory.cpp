#include "daemon/host_memory.h"

#include "base/units.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>

#include <sys/sysinfo.h>

namespace hawker::daemon {

namespace {

using namespace hawker::literals;

constexpr std::uint64_t kShare = 32;
constexpr std::uint64_t kLeast = 128_MiB;
constexpr std::uint64_t kMost = 1_GiB;

// "max", or a number of bytes.
std::uint64_t bound_in(const std::filesystem::path& file) {
    std::ifstream text(file);
    std::uint64_t bound = 0;
    return text >> bound ? bound : std::numeric_limits<std::uint64_t>::max();
}

// Of a group and all that it is in. A container sees its own group as the first of them.
std::uint64_t least_bound(std::filesystem::path here, const std::filesystem::path& group,
                          std::string_view file) {
    std::uint64_t least = bound_in(here / file);
    for (const std::filesystem::path& name : group) {
        here /= name;
        least = std::min(least, bound_in(here / file));
    }
    return least;
}

}  // namespace

// Not /proc/meminfo: a service may not see it (ProcSubset=pid).
std::uint64_t memory_of_host() {
    struct sysinfo info{};
    if (::sysinfo(&info) != 0) return 0;
    return std::uint64_t{info.totalram} * info.mem_unit;
}

std::uint64_t memory_within_groups(std::uint64_t memory, const std::filesystem::path& root) {
    const std::filesystem::path mount = root / "sys/fs/cgroup";
    std::ifstream lines(root / "proc/self/cgroup");
    // "0::/system.slice/hawkerd.service", or "4:memory:/somewhere" (cgroups(7))
    for (std::string line; std::getline(lines, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(":/", first);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string_view controllers =
            std::string_view(line).substr(first, second + 1 - first);
        const std::filesystem::path group = line.substr(second + 2);
        if (controllers == "::")
            memory = std::min(memory, least_bound(mount, group, "memory.max"));
        else if (controllers == ":memory:")
            memory =
                std::min(memory, least_bound(mount / "memory", group, "memory.limit_in_bytes"));
    }
    return memory;
}

std::uint64_t memory_for_the_hot(std::uint64_t there_is, std::uint64_t limit) {
    const std::uint64_t share = std::clamp(there_is / kShare, kLeast, kMost);
    return limit > 0 ? std::min(share, limit / 2) : share;
}

}  // namespace hawker::daemon
