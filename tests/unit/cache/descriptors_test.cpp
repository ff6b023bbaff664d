// Files where descriptors are few: what nobody reads gives its own back.
#include "tests/unit/cache/world.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace hawker::cache {
namespace {

namespace fs = std::filesystem;
using testing::task_named;

class FewDescriptorsTest : public testing::World {
protected:
    static constexpr int kFiles = 24;

    FewDescriptorsTest() {
        origin.content = testing::some_content(100'000);
        commit_interval = std::chrono::hours(1);  // only what is hurried is committed
        descriptors = lowest_free() + kFiles;     // beside those of the cache itself
        restart();
    }

    static int lowest_free() {
        const int probe = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        EXPECT_GE(probe, 0);
        ::close(probe);
        return probe;
    }
    std::ptrdiff_t open_files() const {
        const std::string pieces = (directory.path() / "pieces").string() + "/";
        return std::ranges::count_if(
            fs::directory_iterator("/proc/self/fd"), [&](const fs::directory_entry& entry) {
                std::error_code gone;
                return fs::read_symlink(entry.path(), gone).string().starts_with(pieces);
            });
    }
};

TEST_F(FewDescriptorsTest, WhatIsFetchedFasterThanItIsRecordedKeepsNoMoreThanItsShare) {
    for (int number = 0; number < 3 * kFiles; ++number) {
        task = task_named(std::to_string(number));
        EXPECT_TRUE(visit().finished);
        EXPECT_LE(open_files(), 2 * kFiles);  // a slow disk makes some take one of the last
    }
}

TEST_F(FewDescriptorsTest, AskingForDescriptorsHurriesWhatWaitsForTheIndex) {
    constexpr int kStored = kFiles - 4;  // no shortage, with a folder open beside them
    for (int number = 0; number < kStored; ++number) {
        task = task_named(std::to_string(number));
        visit();
    }
    EXPECT_EQ(open_files(), kStored);
    EXPECT_EQ(cache->close_idle_files(kFiles), Relief::coming);
    while (open_files() > 0) {
        cache->close_idle_files(kFiles);
        std::this_thread::yield();
    }
    const std::uint64_t sent = origin.bytes_sent();
    EXPECT_TRUE(visit().finished);
    EXPECT_EQ(origin.bytes_sent(), sent);
}

}  // namespace
}  // namespace hawker::cache
