#include "daemon/host_memory.h"

#include "base/units.h"

#include <fstream>
#include <string_view>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace hawker::daemon {
namespace {

using namespace hawker::literals;

class HostMemoryTest : public testing::Test {
protected:
    std::filesystem::path root;

    HostMemoryTest() {
        std::string name =
            (std::filesystem::temp_directory_path() / "hawker-memory-XXXXXX").string();
        root = ::mkdtemp(name.data());
        write("proc/meminfo", "MemTotal:       16777216 kB\nMemFree:        1 kB\n");
    }
    ~HostMemoryTest() override { std::filesystem::remove_all(root); }
    void write(std::string_view name, std::string_view text) const {
        std::filesystem::create_directories((root / name).parent_path());
        std::ofstream(root / name) << text;
    }
};

TEST_F(HostMemoryTest, WithoutControlGroupsItIsTheHosts) {
    EXPECT_EQ(memory_of_host(root), 16_GiB);
    write("proc/self/cgroup", "4:memory:/somewhere\n");
    EXPECT_EQ(memory_of_host(root), 16_GiB);
}

TEST_F(HostMemoryTest, AControlGroupOrOneAboveItMayAllowLess) {
    write("proc/self/cgroup", "4:memory:/somewhere\n0::/system.slice/hawkerd.service\n");
    EXPECT_EQ(memory_of_host(root), 16_GiB);
    write("sys/fs/cgroup/system.slice/hawkerd.service/memory.max", "max\n");
    EXPECT_EQ(memory_of_host(root), 16_GiB);
    write("sys/fs/cgroup/system.slice/memory.max", "8589934592\n");
    EXPECT_EQ(memory_of_host(root), 8_GiB);
    write("sys/fs/cgroup/system.slice/hawkerd.service/memory.max", "4294967296\n");
    EXPECT_EQ(memory_of_host(root), 4_GiB);
    write("proc/self/cgroup", "0::/\n");
    write("sys/fs/cgroup/memory.max", "1073741824\n");
    EXPECT_EQ(memory_of_host(root), 1_GiB);
}

TEST_F(HostMemoryTest, OursIsSome) { EXPECT_GT(memory_of_host(), 0U); }

TEST(MemoryForTheHot, IsAShareWithinBounds) {
    EXPECT_EQ(memory_for_the_hot(16_GiB, 0), 512_MiB);
    EXPECT_EQ(memory_for_the_hot(1_GiB, 0), 128_MiB);
    EXPECT_EQ(memory_for_the_hot(0, 0), 128_MiB);
    EXPECT_EQ(memory_for_the_hot(512_GiB, 0), 1_GiB);
    EXPECT_EQ(memory_for_the_hot(16_GiB, 2_GiB), 512_MiB);
    EXPECT_EQ(memory_for_the_hot(16_GiB, 300_MiB), 150_MiB);
}

}  // namespace
}  // namespace hawker::daemon
