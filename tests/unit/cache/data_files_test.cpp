#include "cache/data_files.h"

#include "tests/unit/cache/scratch.h"

#include <csignal>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

namespace hawker::cache {
namespace {

using namespace test;

class DataFilesTest : public testing::Test {
protected:
    ScratchDirectory directory;
    std::unique_ptr<DataFiles> files =
        std::move(*DataFiles::open(std::make_shared<SystemDisk>(), directory.path()));
    const TaskId a = task_named("a");
    const TaskId b = task_named("b");

    std::shared_ptr<DataFile> stored(const TaskId& task, std::uint64_t generation,
                                     std::string_view text) {
        auto file = files->create(task, generation);
        EXPECT_TRUE(file->make());
        EXPECT_TRUE(file->write(0, bytes_of(text)));
        EXPECT_TRUE(file->sync());
        return file;
    }
    static std::string text_of(const DataFile& file, std::uint64_t offset, std::size_t length) {
        std::string text(length, '?');
        EXPECT_TRUE(file.read(offset, std::as_writable_bytes(std::span(text))));
        return text;
    }
    std::filesystem::path path_of(const TaskId& task, std::uint64_t generation) const {
        return directory.path() / "pieces" / task.hex().substr(0, 2) /
               (task.hex() + "." + std::to_string(generation));
    }
};

TEST_F(DataFilesTest, BytesAreWhereTheyWereWritten) {
    const auto file = stored(a, 1, "hello");
    ASSERT_TRUE(file->write(1'000'000, bytes_of("far")));
    EXPECT_EQ(text_of(*file, 0, 5), "hello");
    EXPECT_EQ(text_of(*file, 1'000'000, 3), "far");
    EXPECT_EQ(text_of(*file, 5, 2), std::string(2, '\0'));
    const auto again = files->open_existing(a, 1);
    ASSERT_TRUE(again);
    EXPECT_EQ(text_of(**again, 1, 3), "ell");
}

TEST_F(DataFilesTest, NamesSayWhoseBytesTheyAreAndNobodyElseMayLook) {
    stored(a, 4294967297, "x");
    struct stat status{};
    ASSERT_EQ(::stat(path_of(a, 4294967297).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    ASSERT_EQ(::stat(path_of(a, 4294967297).parent_path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(DataFilesTest, AGenerationIsNeverCreatedTwice) {
    stored(a, 1, "first");
    EXPECT_FALSE(files->create(a, 1)->make());
    EXPECT_EQ(text_of(**files->open_existing(a, 1), 0, 5), "first");
}

TEST_F(DataFilesTest, WhatIsMissingIsNotFound) {
    EXPECT_EQ(files->open_existing(a, 1).error().code, Errc::not_found);
    stored(a, 1, "x");
    EXPECT_EQ(files->open_existing(a, 2).error().code, Errc::not_found);
    EXPECT_EQ(files->link(b, 1, a, 2).error().code, Errc::not_found);
    files->remove(b, 9);
}

TEST_F(DataFilesTest, ReadingPastTheEndIsCorrupt) {
    const auto file = stored(a, 1, "hello");
    std::array<std::byte, 8> into{};
    EXPECT_EQ(file->read(0, into).error().code, Errc::corrupt);
    EXPECT_EQ(file->checksum(3, 5).error().code, Errc::corrupt);
}

TEST_F(DataFilesTest, AnOpenFileOutlivesItsName) {
    const auto file = stored(a, 1, "hello");
    files->remove(a, 1);
    EXPECT_FALSE(files->open_existing(a, 1));
    EXPECT_EQ(text_of(*file, 0, 5), "hello");
}

TEST_F(DataFilesTest, ALinkKeepsTheBytesAfterTheFirstNameIsRemoved) {
    stored(a, 1, "hello");
    ASSERT_TRUE(files->link(a, 1, b, 7));
    EXPECT_FALSE(files->link(a, 1, b, 7)) << "the name is taken";
    files->remove(a, 1);
    const auto linked = files->open_existing(b, 7);
    ASSERT_TRUE(linked);
    EXPECT_EQ(text_of(**linked, 0, 5), "hello");
}

TEST_F(DataFilesTest, SymbolicLinksAreNotFollowed) {
    stored(a, 1, "x");
    std::filesystem::create_symlink("/etc/passwd", path_of(a, 2));
    EXPECT_FALSE(files->open_existing(a, 2));
    const std::filesystem::path fan_out = path_of(b, 1).parent_path();
    if (fan_out != path_of(a, 1).parent_path()) {
        std::filesystem::remove(fan_out);
        std::filesystem::create_directory_symlink("/tmp", fan_out);
        EXPECT_FALSE(files->create(b, 1)->make());
    }
}

TEST_F(DataFilesTest, TheChecksumIsThatOfTheBytes) {
    std::string text(1'000'000, '\0');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7 + i / 251);
    const auto file = stored(a, 1, text);
    EXPECT_EQ(file->checksum(0, text.size()), XXH3_64bits(text.data(), text.size()));
    EXPECT_EQ(file->checksum(77, 500'000), XXH3_64bits(text.data() + 77, 500'000));
    EXPECT_EQ(file->checksum(5, 0), XXH3_64bits(text.data(), 0));
}

TEST_F(DataFilesTest, TheSweepSeesEveryDataFileAndTouchesNothingElse) {
    stored(a, 1, std::string(10'000, 'x'));
    stored(a, 2, "x");
    stored(b, 3, "x");
    ASSERT_TRUE(files->link(b, 3, a, 4));
    const std::filesystem::path folder = path_of(a, 1).parent_path();
    const std::vector<std::filesystem::path> foreign = {
        directory.path() / "pieces" / "README",
        folder / "notes.txt",
        folder / (a.hex() + ".01"),
        folder / (a.hex() + ".1x"),
        folder / ("z" + a.hex().substr(1) + ".1"),
        folder / (a.hex() + ".99999999999999999999999")};
    for (const auto& path : foreign) std::ofstream(path) << "foreign";
    std::filesystem::create_directory(folder / (a.hex() + ".8"));
    std::filesystem::create_symlink("/etc/passwd", folder / (a.hex() + ".9"));

    std::set<std::pair<TaskId, std::uint64_t>> seen;
    files->sweep([&](const DataFiles::Found& found) {
        seen.emplace(found.task, found.generation);
        return found.generation == 2 ? DataFiles::Fate::go : DataFiles::Fate::keep;
    });
    EXPECT_EQ(seen, (std::set<std::pair<TaskId, std::uint64_t>>{{a, 1}, {a, 2}, {a, 4}, {b, 3}}));
    EXPECT_FALSE(files->open_existing(a, 2));
    EXPECT_TRUE(files->open_existing(a, 1));
    files->sweep([](const DataFiles::Found&) { return DataFiles::Fate::end; });
    EXPECT_TRUE(files->open_existing(a, 1));
    files->sweep([](const DataFiles::Found&) { return DataFiles::Fate::go; });
    for (const auto& path : foreign) EXPECT_TRUE(std::filesystem::exists(path)) << path;
    EXPECT_TRUE(std::filesystem::exists(folder / (a.hex() + ".8")));
    EXPECT_TRUE(std::filesystem::is_symlink(folder / (a.hex() + ".9")));
    EXPECT_FALSE(files->open_existing(a, 1));
}

TEST_F(DataFilesTest, AWriteThatFindsNoRoomIsExhausted) {
    const int full = ::open("/dev/full", O_RDWR | O_CLOEXEC);
    ASSERT_GE(full, 0);
    SystemDisk disk;
    DataFile file{disk, UniqueFd(full)};
    EXPECT_EQ(file.write(0, bytes_of("x")).error().code, Errc::exhausted);
}

TEST_F(DataFilesTest, AShortWriteGoesOnUntilItFails) {
    // A limit on the size of files makes the kernel write a part first, and refuse the rest.
    const auto file = stored(a, 1, "");
    const pid_t child = ::fork();
    if (child == 0) {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{100, 100};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        const auto written = file->write(0, bytes_of(std::string(200, 'x')));
        ::_exit(written ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(text_of(*file, 0, 100), std::string(100, 'x'));
}

TEST_F(DataFilesTest, AFileWhoseSyncFailedNeverSyncsAgain) {
    SystemDisk disk;
    DataFile file{disk, UniqueFd()};
    EXPECT_FALSE(file.sync());
    EXPECT_FALSE(file.sync());
}

TEST_F(DataFilesTest, TheFileSystemHasATotalAndSomethingAvailable) {
    const auto space = files->space();
    ASSERT_TRUE(space);
    EXPECT_GT(space->total, 0U);
    EXPECT_LE(space->available, space->total);
}

TEST_F(DataFilesTest, OnePageThatLeftMemoryIsSeenAmongMany) {
    constexpr std::uint64_t kPage = 4096, kSize = 256 * kPage, kHole = 77 * kPage;
    // A file for each question: one may make the kernel read what is not there.
    const auto is_resident = [&](std::uint64_t first, std::uint64_t end) {
        const auto file = stored(a, 1, "");
        for (std::uint64_t at = 0; at < kSize; at += kPage)  // so that each page can leave alone
            EXPECT_TRUE(file->write(at, bytes_of(std::string(kPage, 'x'))));
        EXPECT_EQ(::fdatasync(file->fd()), 0);
        EXPECT_EQ(::posix_fadvise(file->fd(), kHole, kPage, POSIX_FADV_DONTNEED), 0);
        const bool is = file->is_resident(ByteRange(first, end));
        files->remove(a, 1);
        return is;
    };
    if (is_resident(kHole, kHole + 1)) GTEST_SKIP() << "a file system in memory";
    EXPECT_FALSE(is_resident(0, kSize));
    EXPECT_FALSE(is_resident(kHole + 5, kHole + 6));
    EXPECT_FALSE(is_resident(kHole - 1, kHole + 1));
    EXPECT_TRUE(is_resident(0, kHole));
    EXPECT_TRUE(is_resident(kHole + kPage, kSize));
}

TEST_F(DataFilesTest, ADirectoryThatCannotBeOursIsRefusedInWords) {
    const auto opened = DataFiles::open(std::make_shared<SystemDisk>(), "/proc/nothing");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::invalid);
    EXPECT_NE(opened.error().what.find("/proc/nothing/pieces"), std::string::npos)
        << opened.error().what;
}

}  // namespace
}  // namespace hawker::cache
