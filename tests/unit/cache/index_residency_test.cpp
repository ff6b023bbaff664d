#include "cache/index_residency.h"

#include "tests/unit/cache/scratch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace hawker::cache {
namespace {

TEST(IndexResidency, IsLikelyOnceEnoughLookUpsInARowDidNotWait) {
    IndexResidency residency(3);
    residency.note(false);
    residency.note(false);
    EXPECT_FALSE(residency.is_likely());
    residency.note(false);
    EXPECT_TRUE(residency.is_likely());
}

TEST(IndexResidency, WhatHasBeenReadThroughIsLikelyUntilSomebodyWaits) {
    IndexResidency residency(3);
    residency.presume();
    EXPECT_TRUE(residency.is_likely());
    residency.note(true);
    EXPECT_FALSE(residency.is_likely());
}

TEST(IndexResidency, OneThatWaitedBeginsTheCountAnew) {
    IndexResidency residency(2);
    residency.note(false);
    residency.note(true);
    residency.note(false);
    EXPECT_FALSE(residency.is_likely());
    residency.note(false);
    EXPECT_TRUE(residency.is_likely());
    residency.note(true);
    EXPECT_FALSE(residency.is_likely());
}

TEST(IndexResidency, APageThatComesFromTheDiskIsAWait) {
    const test::ScratchDirectory directory;
    const std::string page(4096, 'x');
    const UniqueFd file(::open((directory.path() / "page").c_str(), O_CREAT | O_RDWR, 0600));
    ASSERT_EQ(::write(file.get(), page.data(), page.size()), 4096);
    ASSERT_EQ(::fsync(file.get()), 0);
    ASSERT_EQ(::posix_fadvise(file.get(), 0, 4096, POSIX_FADV_DONTNEED), 0);
    void* map = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file.get(), 0);
    ASSERT_NE(map, MAP_FAILED);
    unsigned char resident = 0;
    ASSERT_EQ(::mincore(map, 4096, &resident), 0);
    IndexResidency residency(1);
    const auto touch = [&] {
        const IndexResidency::LookUp look_up(residency);
        return *static_cast<const volatile char*>(map);
    };
    EXPECT_EQ(touch(), 'x');
    EXPECT_EQ(residency.is_likely(), (resident & 1U) != 0) << "a file system in memory keeps it";
    EXPECT_EQ(touch(), 'x');
    EXPECT_TRUE(residency.is_likely());
    ::munmap(map, 4096);
}

}  // namespace
}  // namespace hawker::cache
