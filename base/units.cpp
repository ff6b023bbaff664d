#include "base/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>

#include <fmt/format.h>

namespace hawker {

namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::array<Unit, 11> kSizes = {{{"", 1},
                                          {"B", 1},
                                          {"KiB", 1ULL << 10U},
                                          {"MiB", 1ULL << 20U},
                                          {"GiB", 1ULL << 30U},
                                          {"TiB", 1ULL << 40U},
                                          {"PiB", 1ULL << 50U},
                                          {"KB", 1000},
                                          {"MB", 1000'000},
                                          {"GB", 1000'000'000},
                                          {"TB", 1000'000'000'000}}};
constexpr std::array<Unit, 6> kDurations = {
    {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Units are the same when they are under `fold`.
template <std::size_t N, typename Fold>
Expected<std::uint64_t> parse(std::string_view text, const std::array<Unit, N>& units, Fold fold,
                              std::string_view examples) {
    double number = 0;
    const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
    while (unit.starts_with(' ')) unit.remove_prefix(1);
    for (const Unit& known : units) {
        if (problem != std::errc() || !std::ranges::equal(unit, known.name, {}, fold, fold))
            continue;
        const double value = number * static_cast<double>(known.factor);
        if (value >= 0 && value < 9.2e18) return static_cast<std::uint64_t>(std::llround(value));
    }
    return fail(Errc::invalid, fmt::format("'{}' is not like {}", text, examples));
}

template <std::size_t N>
std::string format(std::uint64_t value, const std::array<Unit, N>& units) {
    if (value == 0) return "0";
    const Unit* best = nullptr;
    for (const Unit& unit : units)
        if (!unit.name.empty() && value % unit.factor == 0 && (!best || unit.factor > best->factor))
            best = &unit;
    return fmt::format("{}{}", value / best->factor, best->name);
}

}  // namespace

Expected<std::uint64_t> parse_size(std::string_view text) {
    return parse(text, kSizes, lower, "64KiB, 4MiB, 1.5GiB or 1024");
}

Expected<std::chrono::milliseconds> parse_duration(std::string_view text) {
    const auto ms = parse(text, kDurations, std::identity(), "250ms, 30s, 10m, 24h or 7d");
    if (!ms) return fail(ms.error());
    // A time of day in nanoseconds, and such a duration behind it, must fit 64 bits.
    constexpr std::uint64_t kLongest = 36'525ULL * 24 * 3'600 * 1'000;
    if (*ms > kLongest)
        return fail(Errc::invalid, fmt::format("'{}' is longer than a century: 36525d", text));
    return std::chrono::milliseconds(*ms);
}

std::string format_size(std::uint64_t bytes) {
    std::array<Unit, 6> binary{};
    for (std::size_t i = 0; i < binary.size(); ++i) binary[i] = kSizes[i + 1];
    const std::string text = format(bytes, binary);
    return text.ends_with("iB") ? text : text.substr(0, text.find('B'));
}

std::string format_duration(std::chrono::milliseconds duration) {
    return format(static_cast<std::uint64_t>(duration.count()), kDurations);
}

}  // namespace hawker
