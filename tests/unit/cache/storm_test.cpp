// Thousands of seeded schedules with faults and crashes. HAWKER_SEED=7 replays one and prints what
// happens in it; HAWKER_SEEDS=100000 HAWKER_FIRST_SEED=1 runs more of them.
#include "tests/unit/cache/storm.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include <gtest/gtest.h>

namespace hawker::cache::testing {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kSeeds = 250;
#else
constexpr std::uint64_t kSeeds = 1'000;
#endif

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// In memory where there is such a file system: LMDB syncs every commit.
class StormDirectory {
public:
    StormDirectory() {
        const bool has_memory = ::access("/dev/shm", W_OK) == 0;
        std::string name =
            has_memory ? "/dev/shm" : std::filesystem::temp_directory_path().string();
        name += "/hawker-storm-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) std::abort();
        path = name;
    }
    ~StormDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    StormDirectory(const StormDirectory&) = delete;
    StormDirectory& operator=(const StormDirectory&) = delete;
    std::filesystem::path path;
};

TEST(Storm, NoCommittedByteIsLostAndNoWrongByteIsServed) {
    const StormDirectory directory;
    Contents contents;
    std::uint64_t first = number_from("HAWKER_FIRST_SEED", 1);
    std::uint64_t count = number_from("HAWKER_SEEDS", kSeeds);
    const std::uint64_t replayed = number_from("HAWKER_SEED", 0);
    if (replayed != 0) {
        first = replayed;
        count = 1;
    }
    std::uint64_t crashes = 0, checked = 0, served = 0, struck = 0;
    for (std::uint64_t seed = first; seed < first + count; ++seed) {
        Storm storm(seed, directory.path, contents);
        storm.run();
        if (replayed != 0)
            for (const std::string& line : storm.trace()) std::cout << line << '\n';
        ASSERT_EQ(storm.trouble(), "") << "HAWKER_SEED=" << seed << " cache_storm_test replays it";
        crashes += storm.crashes;
        checked += storm.pieces_checked;
        served += storm.bytes_served;
        struck += storm.faults_struck;
    }
    std::cout << count << " schedules, " << crashes << " crashes, " << struck << " faults, "
              << checked << " pieces checked, " << served << " bytes served\n";
    if (count < 100) return;
    EXPECT_GT(crashes, count) << "the storm has lost its force";
    EXPECT_GT(checked, count);
    EXPECT_GT(struck, count);
}

// These have things of their own, so HAWKER_SEED does not replay them: one that fails tells at
// once.
TEST(Storm, AFileCountsOnceHoweverManyNamesItHas) {
    const StormDirectory directory;
    Contents contents;
    const std::uint64_t count = number_from("HAWKER_SEEDS", kSeeds) / 2;
    std::uint64_t names = 0;
    for (std::uint64_t seed = 1; seed <= count; ++seed) {
        Storm storm(seed, directory.path, contents, Storm::Things::many_names);
        storm.run();
        if (!storm.trouble().empty())
            for (const std::string& line : storm.trace()) std::cout << line << '\n';
        ASSERT_EQ(storm.trouble(), "") << "seed " << seed;
        names += storm.names_checked;
    }
    std::cout << count << " schedules, " << names << " names of shared files checked\n";
    if (count < 100) return;
    EXPECT_GT(names, count) << "the storm has lost its force";
}

// What they found is mended; each took hundreds of others to come by.
TEST(Storm, SeedsThatFoundSomethingFindNothingNow) {
    for (const std::uint64_t seed : {3U, 427U, 657U, 679U, 26'830U}) {
        const StormDirectory directory;
        Contents contents;
        Storm storm(seed, directory.path, contents);
        storm.run();
        EXPECT_EQ(storm.trouble(), "") << "HAWKER_SEED=" << seed;
    }
}

struct Outcome {
    std::vector<std::string> trace;
    std::uint64_t served, struck, checked;
    bool operator==(const Outcome&) const = default;
};

Outcome outcome_of(std::uint64_t seed) {
    const StormDirectory directory;
    Contents contents;
    Storm storm(seed, directory.path, contents);
    storm.run();
    return {storm.trace(), storm.bytes_served, storm.faults_struck, storm.pieces_checked};
}

TEST(Storm, ASeedReplays) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed)
        EXPECT_TRUE(outcome_of(seed) == outcome_of(seed)) << "seed " << seed;
}

}  // namespace
}  // namespace hawker::cache::testing
