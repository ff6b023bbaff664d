#include "cache/index_lock.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace hawker::cache {

namespace {

// Magic numbers of statfs(2). 9p is let through: containers and virtual machines have their local
// disks behind it.
struct NetworkFileSystem {
    std::uint32_t magic;
    std::string_view name;
};
constexpr std::array<NetworkFileSystem, 6> kRefused = {{{0x6969, "NFS"},
                                                        {0x517B, "SMB"},
                                                        {0xFF534D42, "CIFS"},
                                                        {0xFE534D42, "SMB"},
                                                        {0x5346414F, "AFS"},
                                                        {0x73757245, "Coda"}}};

std::string holder_of(int fd) {
    std::array<char, 32> text{};
    const ssize_t length = ::pread(fd, text.data(), text.size(), 0);
    if (length <= 0) return "?";
    const std::string_view pid(text.data(), static_cast<std::size_t>(length));
    return std::string(pid.substr(0, pid.find_first_not_of("0123456789")));
}

}  // namespace

Expected<void> prepare_directory(const std::filesystem::path& directory) {
    std::error_code problem;
    if (!directory.parent_path().empty())
        std::filesystem::create_directories(directory.parent_path(), problem);
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
        return fail(Errc::invalid,
                    system_error(errno, fmt::format("create {}", directory.string())).what);
    struct statfs file_system{};
    if (::statfs(directory.c_str(), &file_system) != 0)
        return fail(Errc::invalid,
                    system_error(errno, fmt::format("look at {}", directory.string())).what);
    for (const NetworkFileSystem& refused : kRefused)
        if (static_cast<std::uint32_t>(file_system.f_type) == refused.magic)
            return fail(
                Errc::invalid,
                fmt::format("{} is on a network file system ({}); a cache needs a local disk",
                            directory.string(), refused.name));
    if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0)
        return fail(Errc::invalid,
                    system_error(errno, fmt::format("write to {}", directory.string())).what);
    return {};
}

Expected<UniqueFd> lock_directory(const std::filesystem::path& directory) {
    const std::filesystem::path path = directory / "lock";
    UniqueFd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock)
        return fail(Errc::invalid, system_error(errno, fmt::format("open {}", path.string())).what);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return fail(Errc::invalid,
                        system_error(errno, fmt::format("lock {}", path.string())).what);
        return fail(Errc::invalid, fmt::format("another hawkerd (pid {}) uses {}",
                                               holder_of(lock.get()), directory.string()));
    }
    // For people and for the message above only; the lock itself is the descriptor.
    const std::string pid = fmt::format("{}\n", ::getpid());
    if (::ftruncate(lock.get(), 0) != 0 || ::pwrite(lock.get(), pid.data(), pid.size(), 0) < 0)
        return fail(system_error(errno, fmt::format("write {}", path.string())));
    return lock;
}

}  // namespace hawker::cache
