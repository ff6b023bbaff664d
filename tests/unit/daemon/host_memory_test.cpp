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
    }
    ~HostMemoryTest() override { std::filesystem::remove_all(root); }
    void write(std::string_view name, std::string_view text) const {
        std::filesystem::create_directories((root / name).parent_path());
        std::ofstream(root / name) << text;
    }
};

TEST_F(HostMemoryTest, WithoutControlGroupsItIsTheHosts) {
    EXPECT_EQ(memory_within_groups(16_GiB, root), 16_GiB);
    write("proc/self/cgroup", "garbage\n7:cpu:/somewhere\n0::\n");
    EXPECT_EQ(memory_within_groups(16_GiB, root), 16_GiB);
}

TEST_F(HostMemoryTest, GroupsOfVersion1CountToo) {
    write("proc/self/cgroup", "4:memory:/docker/ab:c\n0::/\n");
    EXPECT_EQ(memory_within_groups(16_GiB, root), 16_GiB);
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    EXPECT_EQ(memory_within_groups(16_GiB, root), 16_GiB);
    write("sys/fs/cgroup/memory/docker/ab:c/memory.limit_in_bytes", "2147483648\n");
    EXPECT_EQ(memory_within_groups(16_GiB, root), 2_GiB);
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
    EXPECT_EQ(memory_within_groups(16_GiB, root), 1_GiB);
}

TEST_F(HostMemoryTest, AControlGroupOrOneAboveItMayAllowLess) {
    write("proc/self/cgroup", "4:memory:/somewhere\n0::/system.slice/hawkerd.service\n");
    EXPECT_EQ(memory_within_groups(16_GiB, root), 16_GiB);
    write("sys/fs/cgroup/system.slice/hawkerd.service/memory.max", "max\n");
    EXPECT_EQ(memory_within_groups(16_GiB, root), 16_GiB);
    write("sys/fs/cgroup/system.slice/memory.max", "8589934592\n");
    EXPECT_EQ(memory_within_groups(16_GiB, root), 8_GiB);
    write("sys/fs/cgroup/system.slice/hawkerd.service/memory.max", "4294967296\n");
    EXPECT_EQ(memory_within_groups(16_GiB, root), 4_GiB);
    write("proc/self/cgroup", "0::/\n");
    write("sys/fs/cgroup/memory.max", "1073741824\n");
    EXPECT_EQ(memory_within_groups(16_GiB, root), 1_GiB);
}

TEST(HostMemory, OursIsSome) { EXPECT_GT(memory_of_host(), 128_MiB); }

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
