// How much memory there is for us, and what of it is for the cache's hot objects where the
// configuration does not say.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <filesystem>

namespace hawker::daemon {

// Bytes. 0: nobody says.
std::uint64_t memory_of_host();

// `memory`, or what the control groups that this process is in allow (memory.max of version 2,
// memory.limit_in_bytes of version 1) if that is less. `root` is where /proc and /sys are found.
std::uint64_t memory_within_groups(std::uint64_t memory, const std::filesystem::path& root = "/");

// Of so much memory, where the process may hold `limit` (limits.memory; 0: no bound) for its own.
std::uint64_t memory_for_the_hot(std::uint64_t there_is, std::uint64_t limit);

}  // namespace hawker::daemon
