#include "daemon/host_memory.h"

#include "base/units.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace hawker::daemon {

namespace {

using namespace hawker::literals;

constexpr std::uint64_t kShare = 32;
constexpr std::uint64_t kLeast = 128_MiB;
constexpr std::uint64_t kMost = 1_GiB;

// MemTotal: 24033816 kB
std::optional<std::uint64_t> total_in(const std::filesystem::path& meminfo) {
    std::ifstream lines(meminfo);
    std::string name;
    std::uint64_t kib = 0;
    if (!(lines >> name >> kib) || name != "MemTotal:") return std::nullopt;
    return kib * 1024;
}

// "0::/system.slice/hawkerd.service"; nullopt without version 2.
std::optional<std::filesystem::path> group_in(const std::filesystem::path& cgroup) {
    constexpr std::string_view kVersion2 = "0::/";
    std::ifstream lines(cgroup);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(kVersion2)) return line.substr(kVersion2.size());
    return std::nullopt;
}

// "max", or a number of bytes.
std::uint64_t bound_in(const std::filesystem::path& memory_max) {
    std::ifstream file(memory_max);
    std::uint64_t bound = 0;
    return file >> bound ? bound : std::numeric_limits<std::uint64_t>::max();
}

}  // namespace

std::uint64_t memory_of_host(const std::filesystem::path& root) {
    std::uint64_t memory = total_in(root / "proc/meminfo").value_or(0);
    const auto group = group_in(root / "proc/self/cgroup");
    if (!group) return memory;
    const std::filesystem::path mount = root / "sys/fs/cgroup";
    memory = std::min(memory, bound_in(mount / "memory.max"));
    std::filesystem::path here = mount;
    for (const std::filesystem::path& name : *group) {
        here /= name;
        memory = std::min(memory, bound_in(here / "memory.max"));
    }
    return memory;
}

std::uint64_t memory_for_the_hot(std::uint64_t there_is, std::uint64_t limit) {
    const std::uint64_t share = std::clamp(there_is / kShare, kLeast, kMost);
    return limit > 0 ? std::min(share, limit / 2) : share;
}

}  // namespace hawker::daemon
