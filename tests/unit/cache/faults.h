// The table of what may go wrong, and how often: one for a test's disk, index, source and clock.
//
// A rule strikes at the nth time that its point is passed, or by chance; chance comes from the
// seed alone, so the same calls in the same order fail in the same way.
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace hawker::cache::testing {

enum class Fault : std::uint8_t {
    create,           // a file, folder or link
    write,            // data
    short_write,      // less than asked; no error
    sync,             // of data; part of it may be on disk, and the rest is forgotten
    sync_directory,   // names stay in memory until a later one succeeds
    read,             // data
    cold,             // not in the page cache; no error
    commit,           // of the index
    sync_index,       // its last commit may be lost
    unreachable,      // the source: nobody answers, or busy
    refused,          // the source says no
    break_off,        // in the middle of a transfer
    other_validator,  // the source talks of another representation
    no_ranges,        // the source sends everything
    unknown_size,     // until it has ended
    uncertain_end,    // the end cannot be told from a broken connection
    wrong_bytes,      // where a digest is known
    stall,            // a transfer that takes its time
    clock,            // the wall clock jumps
    count,
};

// Numbers from a seed. (The distributions of the standard library differ between libraries.)
class Dice {
public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : engine_() % limit; }
    bool chance(double part) { return static_cast<double>(engine_() >> 11U) * 0x1p-53 < part; }

private:
    std::mt19937_64 engine_;
};

class Faults {
public:
    struct Rule {
        Fault at = Fault::write;
        std::uint64_t nth = 0;  // counted from 1; 0: by chance
        double chance = 0;
        int error = EIO;
    };

    explicit Faults(std::uint64_t seed) : dice_(seed) {}
    void add(const Rule& rule) { rules_.push_back(rule); }
    void clear() { rules_.clear(); }
    // Nothing strikes, and nothing counts, while it is quiet.
    bool quiet = false;

    // The point is passed: the error when a rule strikes.
    std::optional<int> strike(Fault at) {
        if (quiet) return std::nullopt;
        const std::uint64_t number = ++passed_.at(static_cast<std::size_t>(at));
        for (const Rule& rule : rules_) {
            if (rule.at != at) continue;
            if (rule.nth != 0 ? rule.nth != number : !dice_.chance(rule.chance)) continue;
            ++struck;
            return rule.error;
        }
        return std::nullopt;
    }
    std::uint64_t struck = 0;

private:
    Dice dice_;
    std::vector<Rule> rules_;
    std::array<std::uint64_t, static_cast<std::size_t>(Fault::count)> passed_{};
};

}  // namespace hawker::cache::testing
