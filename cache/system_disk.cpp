#include "cache/disk.h"

#include <cerrno>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

namespace hawker::cache {

namespace {

// The kernel reads ahead in windows of this order, and drops pages in no smaller runs.
constexpr std::uint64_t kSample = 131'072;

bool has_resident_byte(int file, std::uint64_t offset) {
    std::byte byte{};
    iovec into{&byte, 1};
    const ssize_t got = ::preadv2(file, &into, 1, static_cast<off_t>(offset), RWF_NOWAIT);
    // Nothing at all means that the file is shorter than it should be: reading it on the pool will
    // say so.
    return got > 0 || (got < 0 && errno != EAGAIN);
}

// cachestat(2), since Linux 6.5; neither glibc nor the headers of Debian 12 know it. One call says
// what takes 64 probes of 8 MiB.
std::optional<std::uint64_t> resident_pages(int file, ByteRange range) {
    constexpr long kCachestat = 451;
    struct {
        std::uint64_t offset, length;
    } asked{range.first, range.length()};
    struct {
        std::uint64_t resident, dirty, writeback, evicted, recently_evicted;
    } pages{};
    if (::syscall(kCachestat, file, &asked, &pages, 0U) != 0) return std::nullopt;
    return pages.resident;
}

using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr mode_t kOurs = 0700, kOurFile = 0600;

}  // namespace

Expected<UniqueFd> SystemDisk::open_root(const std::filesystem::path& directory) {
    const std::filesystem::path path = directory / "pieces";
    const auto refuse = [&path](std::string_view what) {
        return fail(Errc::invalid,
                    system_error(errno, fmt::format("{} {}", what, path.string())).what);
    };
    std::error_code ignored;
    std::filesystem::create_directories(directory, ignored);  // what is wrong with it, mkdir() says
    if (::mkdir(path.c_str(), kOurs) != 0 && errno != EEXIST) return refuse("create");
    UniqueFd root(::open(path.c_str(), kDirectory));
    if (!root) return refuse("open");
    if (::faccessat(root.get(), ".", R_OK | W_OK | X_OK, AT_EACCESS) != 0)
        return refuse("write to");
    return root;
}

int SystemDisk::open(int directory, const std::string& name, int flags) {
    return ::openat(directory, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, kOurFile);
}

int SystemDisk::make_directory(int directory, const std::string& name) {
    return ::mkdirat(directory, name.c_str(), kOurs);
}

int SystemDisk::link(int from, const std::string& old_name, int to, const std::string& new_name) {
    return ::linkat(from, old_name.c_str(), to, new_name.c_str(), 0);
}

int SystemDisk::unlink(int directory, const std::string& name) {
    return ::unlinkat(directory, name.c_str(), 0);
}

std::vector<Disk::Entry> SystemDisk::list(int directory) {
    std::vector<Entry> entries;
    UniqueFd fd(::openat(directory, ".", kDirectory));
    const Directory opened(fd ? ::fdopendir(fd.get()) : nullptr, ::closedir);
    if (!opened) return entries;
    static_cast<void>(fd.release());  // closedir() closes it
    while (const dirent* found = ::readdir(opened.get())) {
        Entry entry;
        entry.name = found->d_name;  // NOLINT: our own DIR
        if (entry.name == "." || entry.name == "..") continue;
        entry.is_file = found->d_type == DT_REG;
        // File systems that do not say it here have to be asked: a read of the disk for each.
        if (found->d_type == DT_UNKNOWN) {
            struct stat status{};
            const int asked =
                ::fstatat(directory, entry.name.c_str(), &status, AT_SYMLINK_NOFOLLOW);
            entry.is_file = asked == 0 && S_ISREG(status.st_mode);
        }
        entries.push_back(std::move(entry));
    }
    return entries;
}

int SystemDisk::sync_directory(int directory) { return ::fsync(directory); }

int SystemDisk::sync_root(int root) {
    const UniqueFd above(::openat(root, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return above && ::fsync(above.get()) == 0 ? ::fsync(root) : -1;
}

ssize_t SystemDisk::write(int file, std::span<const std::byte> bytes, std::uint64_t offset) {
    return ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
}

ssize_t SystemDisk::read(int file, std::span<std::byte> into, std::uint64_t offset) {
    return ::pread(file, into.data(), into.size(), static_cast<off_t>(offset));
}

bool SystemDisk::is_resident(int file, ByteRange range, Sampling sampling) {
    if (range.empty()) return true;
    if (auto pages = resident_pages(file, range)) {
        const auto page = static_cast<std::uint64_t>(::getpagesize());
        const std::uint64_t all = (range.end - 1) / page - range.first / page + 1;
        // The kernel passes over a folio that somebody else has in hand just then: once in 700
        // answers where that was measured, twice in a row once in some 20,000.
        constexpr int kAgain = 3;
        for (int again = 0; pages < all && again < kAgain; ++again)
            pages = resident_pages(file, range);
        if (pages < all || sampling == Sampling::spared) return pages >= all;
    }
    for (std::uint64_t offset = range.first; offset < range.end; offset += kSample)
        if (!has_resident_byte(file, offset)) return false;
    return has_resident_byte(file, range.end - 1);
}

int SystemDisk::sync(int file) { return ::fdatasync(file); }

Expected<Disk::Space> SystemDisk::space(int directory) {
    struct statvfs status{};
    if (::fstatvfs(directory, &status) != 0)
        return fail(system_error(errno, "ask for the free space"));
    Space space;
    space.total = status.f_blocks * status.f_frsize;
    space.available = status.f_bavail * status.f_frsize;
    return space;
}

}  // namespace hawker::cache
