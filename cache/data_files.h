// The files that hold representations: `pieces/ab/abcd….N`, N = generation, bytes at their natural
// offset.
//
// Paths are made of the hexadecimal digits of our own hash only, opened below a directory
// descriptor without following links. Durability: bytes with DataFile::sync(); the name of a
// file with the first sync() of it; a linked name with link(). Thread: any that may wait
// for the disk (the pool). A DataFile may be read and written at different offsets by many threads.
#pragma once

#include "base/digest.h"
#include "base/error.h"
#include "base/executor.h"
#include "base/unique_fd.h"
#include "cache/disk.h"
#include "cache/reads_under_way.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <span>

namespace hawker::cache {

// One open data file. Shared by readers and the fetch; the descriptor closes with the last of them,
// so an unlinked file stays readable for whoever has it.
class DataFile {
public:
    using OpenFolder = std::function<UniqueFd()>;
    using Make = std::function<Expected<UniqueFd>()>;
    // `folder` opens the directory of its name, which is synced with it once: for a file that was
    // found, too, because whoever made it may have been killed before. The disk outlives it.
    explicit DataFile(Disk& disk, UniqueFd fd, OpenFolder folder = nullptr)
        : disk_(disk), fd_(std::move(fd)), folder_(std::move(folder)) {}
    // One that make() will bring about.
    DataFile(Disk& disk, Make how, OpenFolder folder)
        : disk_(disk), how_(std::move(how)), folder_(std::move(folder)) {}
    DataFile(const DataFile&) = delete;
    DataFile& operator=(const DataFile&) = delete;
    ~DataFile();

    // Where its descriptor is closed when it has no name any more: that gives back its blocks,
    // which of a large file takes a while. Before anybody else has it; the pool outlives it.
    void close_on(Executor& pool) { pool_ = &pool; }

    // Before the first write() of a new file, and before anything else is asked of it; whoever
    // fills the file is alone then. After a failure it may be tried again.
    bool is_made() const { return static_cast<bool>(fd_); }
    Expected<void> make();

    int fd() const { return fd_.get(); }
    // Never waits. True where the file system cannot tell.
    bool is_resident(ByteRange range) const;
    // Somebody is about to read `range`, which is not resident: for a while is_resident() looks
    // closer there.
    void expect_reading(ByteRange range);
    // All of `bytes`, or Errc::exhausted (disk, quota) / unavailable (I/O error).
    Expected<void> write(std::uint64_t offset, std::span<const std::byte> bytes);
    // Exactly `into.size()` bytes; Errc::corrupt when the file is shorter.
    Expected<void> read(std::uint64_t offset, std::span<std::byte> into) const;
    // Every byte written before, and the name, are on disk. After a failure it only fails: the
    // kernel may have forgotten bytes.
    Expected<void> sync();
    // XXH3-64 of a part, read back in small windows.
    Expected<std::uint64_t> checksum(std::uint64_t offset, std::uint64_t length) const;

private:
    Disk& disk_;
    Executor* pool_ = nullptr;
    UniqueFd fd_;
    Make how_;
    std::mutex sync_mutex_;
    OpenFolder folder_;
    int sync_problem_ = 0;
    ReadsUnderWay reads_;
};

class DataFiles {
public:
    // Creates `directory`/pieces when missing. Errc::invalid in words when it cannot be ours.
    static Expected<std::unique_ptr<DataFiles>> open(std::shared_ptr<Disk> disk,
                                                     const std::filesystem::path& directory);
    ~DataFiles();

    // The directories of all tasks, so that nobody who waits for a first byte makes one: each
    // costs a commit of the journal. One that cannot be made now (a full disk) is made when it is
    // needed.
    void make_folders() const;
    // Does not wait, as the only one: the disk is asked by DataFile::make().
    std::shared_ptr<DataFile> create(const TaskId& task, std::uint64_t generation) const;
    Expected<std::shared_ptr<DataFile>> open_existing(const TaskId& task,
                                                      std::uint64_t generation) const;
    // A second name for the same data (hard link).
    Expected<void> link(const TaskId& from, std::uint64_t from_generation, const TaskId& to,
                        std::uint64_t to_generation);
    // Removes the name; bytes are given back with the last name and the last open descriptor.
    void remove(const TaskId& task, std::uint64_t generation);
    // Visits every data file, for the background sweep of orphans, until `judge` ends it.
    struct Found {
        TaskId task;
        std::uint64_t generation = 0;
    };
    enum class Fate : std::uint8_t { keep, go, end };
    void sweep(const std::function<Fate(const Found&)>& judge);

    // Of the file system that holds the directory.
    Expected<Disk::Space> space() const;

private:
    struct State;
    explicit DataFiles(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

}  // namespace hawker::cache
