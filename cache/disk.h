// The disk as the data files need it: names below one directory, bytes, and what makes both last.
//
// Directories and files are descriptors that the kernel knows: a file is handed to sendfile(2), a
// test keeps its files in memory (memfd_create(2)).
//
// Owner:   whoever opens the cache; it outlives the cache and every open file.
// Thread:  any that may wait for the disk; is_resident() never waits.
// Failure: as the system calls: -1 and errno. A write may be short, as pwrite(2) says.
#pragma once

#include "base/byte_range.h"
#include "base/error.h"
#include "base/unique_fd.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <sys/types.h>

namespace hawker::cache {

class Disk {
public:
    virtual ~Disk() = default;

    // `directory`/pieces, made when missing. Errc::invalid in words when it cannot be ours.
    virtual Expected<UniqueFd> open_root(const std::filesystem::path& directory) = 0;

    // Names. `flags` as for openat(2); links are never followed, what is made is only ours.
    virtual int open(int directory, const std::string& name, int flags) = 0;
    virtual int make_directory(int directory, const std::string& name) = 0;
    virtual int link(int from, const std::string& old_name, int to,
                     const std::string& new_name) = 0;
    virtual int unlink(int directory, const std::string& name) = 0;
    struct Entry {
        std::string name;
        bool is_file = false;
    };
    // All of a directory at once: what is visited may be unlinked meanwhile.
    virtual std::vector<Entry> list(int directory) = 0;
    // The names in `directory` are on disk.
    virtual int sync_directory(int directory) = 0;
    // The same of what open_root() has given; its own name is, too.
    virtual int sync_root(int root) = 0;

    // Bytes.
    virtual ssize_t write(int file, std::span<const std::byte> bytes, std::uint64_t offset) = 0;
    virtual ssize_t read(int file, std::span<std::byte> into, std::uint64_t offset) = 0;
    // Is `range` in the page cache? True where nobody can tell. An old kernel is only asked about
    // samples. Pages that are on their way from the disk count as there, unless samples are asked
    // for too: that takes longer.
    enum class Sampling : std::uint8_t { spared, asked_for };
    virtual bool is_resident(int file, ByteRange range, Sampling sampling) = 0;
    // The bytes of `file` are on disk, with whatever is needed to read them.
    virtual int sync(int file) = 0;

    // Of the file system that holds the directory.
    struct Space {
        std::uint64_t total = 0, available = 0;
    };
    virtual Expected<Space> space(int directory) = 0;
};

// The system calls. Has no state: one serves as many caches as there are.
class SystemDisk final : public Disk {
public:
    Expected<UniqueFd> open_root(const std::filesystem::path& directory) override;
    int open(int directory, const std::string& name, int flags) override;
    int make_directory(int directory, const std::string& name) override;
    int link(int from, const std::string& old_name, int to, const std::string& new_name) override;
    int unlink(int directory, const std::string& name) override;
    std::vector<Entry> list(int directory) override;
    int sync_directory(int directory) override;
    int sync_root(int root) override;
    ssize_t write(int file, std::span<const std::byte> bytes, std::uint64_t offset) override;
    ssize_t read(int file, std::span<std::byte> into, std::uint64_t offset) override;
    bool is_resident(int file, ByteRange range, Sampling sampling) override;
    int sync(int file) override;
    Expected<Space> space(int directory) override;
};

}  // namespace hawker::cache
