// Sizes and durations as people write them.
#pragma once

#include "base/error.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace hawker {

namespace literals {
constexpr std::uint64_t operator""_KiB(unsigned long long n) { return n << 10U; }
constexpr std::uint64_t operator""_MiB(unsigned long long n) { return n << 20U; }
constexpr std::uint64_t operator""_GiB(unsigned long long n) { return n << 30U; }
}  // namespace literals

// "64KiB", "4 MiB", "1.5GiB", "500MB" (decimal), "1024" (bytes), in letters of any case: "4mib".
// Errc::invalid names what was expected.
Expected<std::uint64_t> parse_size(std::string_view text);
// "250ms", "30s", "10m", "24h", "7d"; a bare number is seconds.
Expected<std::chrono::milliseconds> parse_duration(std::string_view text);

// The shortest exact form: "4MiB", "1536KiB", "100".
std::string format_size(std::uint64_t bytes);
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace hawker
