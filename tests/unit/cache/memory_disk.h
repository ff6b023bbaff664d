// A disk in memory that loses what was not synced.
//
// A file is a memfd, so that its descriptor may be read like any other, and next to it the bytes
// that are on the platter. A power cut leaves of each file the synced bytes and any of the 4 KiB
// pages written since, some of them torn; of each directory the synced names, and any of the
// changes since. A failed sync of bytes forgets: what it did not write is never written. A failed
// sync of names does not (a journal that cannot be written ends the file system).
#pragma once

#include "cache/disk.h"
#include "tests/unit/cache/faults.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace hawker::cache::testing {

enum class Crash : std::uint8_t { kill, power };

class MemoryDisk final : public Disk {
public:
    MemoryDisk(Faults& faults, std::uint64_t capacity);

    // What a machine finds that starts again after a crash now.
    std::shared_ptr<MemoryDisk> after(Crash crash, Dice& dice) const;
    // From now on every call fails.
    void die() { dead_ = true; }
    // All of a file; nothing when it is not there.
    std::optional<std::string> content(const std::string& folder, const std::string& name) const;
    // The same for every name of a file; null when it is not there.
    const void* identity(const std::string& folder, const std::string& name) const;

    Expected<UniqueFd> open_root(const std::filesystem::path& directory) override;
    int open(int directory, const std::string& name, int flags) override;
    int make_directory(int directory, const std::string& name) override;
    int link(int from, const std::string& old_name, int to, const std::string& new_name) override;
    int unlink(int directory, const std::string& name) override;
    std::vector<Entry> list(int directory) override;
    int sync_directory(int directory) override;
    int sync_root(int root) override { return sync_directory(root); }
    ssize_t write(int file, std::span<const std::byte> bytes, std::uint64_t offset) override;
    ssize_t read(int file, std::span<std::byte> into, std::uint64_t offset) override;
    bool is_resident(int file, ByteRange range, Sampling sampling) override;
    int sync(int file) override;
    Expected<Space> space(int directory) override;

private:
    struct Node;
    using Shared = std::shared_ptr<Node>;
    using Names = std::map<std::string, Shared>;
    struct Node {
        UniqueFd fd;
        bool is_directory = false;
        // Of a file: what is on the platter, and the pages that are not.
        std::string platter;
        std::set<std::uint64_t> dirty;
        // Of a directory: as it is, and as it is on the platter.
        Names now, lasting;
    };
    using Copies = std::map<const Node*, Shared>;

    Shared make_node(bool is_directory);
    Shared node_of(int fd) const;
    int fail_with(int error) const;
    bool strikes(Fault fault);
    std::uint64_t used() const;
    static std::uint64_t size_of(const Node& node);
    static std::string text_of(const Node& node);
    static void put(const Node& node, std::string_view text);
    static void keep_page(const Node& from, std::string& platter, std::uint64_t page,
                          std::uint64_t first, std::uint64_t length);
    static Shared copy(const Shared& from, Crash crash, Dice& dice, MemoryDisk& to, Copies& done);

    Faults& faults_;
    std::uint64_t capacity_;
    Dice dice_{7};
    bool dead_ = false;
    std::map<std::uint64_t, Shared> nodes_;  // by inode
    Shared root_;
};

}  // namespace hawker::cache::testing
