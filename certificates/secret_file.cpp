#include "certificates/secret_file.h"

#include "base/unique_fd.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

namespace hawker::certificates {

namespace {

constexpr std::size_t kLargest = 1U << 20U;

Expected<std::string> read_all(int fd, const std::filesystem::path& path) {
    std::string content;
    std::array<char, 8192> chunk{};
    while (true) {
        const ssize_t got = ::read(fd, chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(system_error(errno, fmt::format("read {}", path.native())));
        if (got == 0) return content;
        content.append(chunk.data(), static_cast<std::size_t>(got));
        if (content.size() > kLargest)
            return fail(Errc::invalid, fmt::format("{} is larger than 1 MiB", path.native()));
    }
}

Expected<UniqueFd> open_to_read(const std::filesystem::path& path) {
    // O_NONBLOCK: a FIFO in its place must not hold us up.
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file) return fail(system_error(errno, fmt::format("open {}", path.native())));
    return file;
}

Expected<void> check_secrecy(int fd, const std::filesystem::path& path) {
    struct stat status{};
    if (::fstat(fd, &status) != 0)
        return fail(system_error(errno, fmt::format("stat {}", path.native())));
    if (status.st_uid != 0 && status.st_uid != ::geteuid())
        return fail(Errc::invalid,
                    fmt::format("sudo chown {} '{}' first: the key belongs to user {}, and whoever "
                                "owns it can speak for every host",
                                ::geteuid(), path.native(), status.st_uid));
    const bool is_credential =
        status.st_uid == 0 && status.st_gid == 0 && (status.st_mode & 0037U) == 0;
    if ((status.st_mode & 0077U) != 0 && !is_credential)
        return fail(Errc::invalid,
                    fmt::format("chmod 600 '{}' first: with mode {:03o} others can read the key, "
                                "and whoever has it can speak for every host",
                                path.native(), status.st_mode & 07777U));
    return {};
}

Expected<void> check_is_private(int fd, const std::filesystem::path& path) {
    struct stat status{};
    if (::fstat(fd, &status) != 0)
        return fail(system_error(errno, fmt::format("stat {}", path.native())));
    if ((status.st_mode & (S_IRWXO | S_IWGRP)) == 0) return {};
    return fail(Errc::invalid, fmt::format("chmod 600 '{}' first: with mode {:03o} others can read "
                                           "or change the key, and whoever has it can pose as us",
                                           path.native(), status.st_mode & 07777U));
}

Expected<void> write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        const ssize_t written = ::write(fd, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail(system_error(errno, "write"));
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(fd) != 0) return fail(system_error(errno, "fsync"));
    return {};
}

// Whose the new files shall be: only root can give them away.
Expected<void> hand_over(int fd, const struct stat& parent) {
    if (::geteuid() != 0 || parent.st_uid == 0) return {};
    if (::fchown(fd, parent.st_uid, parent.st_gid) != 0)
        return fail(system_error(errno, "change the owner"));
    return {};
}

struct Directory {
    UniqueFd fd;
    struct stat parent{};
};

Expected<Directory> open_directory(const std::filesystem::path& path) {
    const std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
    const std::filesystem::path named = whole.has_filename() ? whole : whole.parent_path();
    std::error_code problem;
    std::filesystem::create_directories(named.parent_path(), problem);
    if (problem)
        return fail(
            system_error(problem.value(), fmt::format("make {}", named.parent_path().native())));
    const bool is_new = ::mkdir(named.c_str(), 0700) == 0;
    if (!is_new && errno != EEXIST)
        return fail(system_error(errno, fmt::format("make {}", named.native())));
    Directory directory;
    directory.fd = UniqueFd(::open(named.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    struct stat own{};
    if (!directory.fd || ::fstat(directory.fd.get(), &own) != 0 ||
        ::stat(named.parent_path().c_str(), &directory.parent) != 0)
        return fail(system_error(errno, fmt::format("open {}", named.native())));
    if ((own.st_mode & 0022U) != 0)
        return fail(Errc::invalid,
                    fmt::format("chmod 700 '{}' first: others may write there", named.native()));
    if (is_new) {
        if (auto given = hand_over(directory.fd.get(), directory.parent); !given)
            return fail(std::move(given).error().within(named.native()));
    }
    return directory;
}

Expected<void> write_new_file(const Directory& directory, const NewFile& file) {
    const UniqueFd fd(::openat(directory.fd.get(), std::string(file.name).c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file.mode));
    if (!fd && errno == EEXIST)
        return fail(Errc::invalid,
                    "it is there already, and an authority is never replaced, "
                    "because clients trust it. `hawker ca show` shows it; to begin "
                    "anew, move ca.key and ca.pem away first");
    if (!fd) return fail(system_error(errno, "open"));
    auto done = hand_over(fd.get(), directory.parent);
    if (done) done = write_all(fd.get(), file.content);
    if (!done) ::unlinkat(directory.fd.get(), std::string(file.name).c_str(), 0);
    return done;
}

// What is checked is the file that was opened, not the one that has its name now.
Expected<std::string> read_checked(const std::filesystem::path& path,
                                   Expected<void> (*check)(int, const std::filesystem::path&)) {
    auto file = open_to_read(path);
    if (!file) return fail(std::move(file).error());
    if (auto fine = check(file->get(), path); !fine) return fail(std::move(fine).error());
    return read_all(file->get(), path);
}

}  // namespace

Expected<std::string> read_file(const std::filesystem::path& path) {
    auto file = open_to_read(path);
    if (!file) return fail(std::move(file).error());
    return read_all(file->get(), path);
}

Expected<std::string> read_secret_file(const std::filesystem::path& path) {
    return read_checked(path, check_secrecy);
}

Expected<std::string> read_key_file(const std::filesystem::path& path) {
    return read_checked(path, check_is_private);
}

Expected<void> write_new_files(const std::filesystem::path& directory,
                               std::span<const NewFile> files) {
    auto place = open_directory(directory);
    if (!place) return fail(std::move(place).error());
    for (std::size_t i = 0; i < files.size(); ++i) {
        auto written = write_new_file(*place, files[i]);
        if (written) continue;
        // Those before it are ours; itself may be somebody else's.
        for (std::size_t k = 0; k < i; ++k)
            ::unlinkat(place->fd.get(), std::string(files[k].name).c_str(), 0);
        return fail(std::move(written).error().within((directory / files[i].name).native()));
    }
    if (::fsync(place->fd.get()) != 0)
        return fail(system_error(errno, fmt::format("fsync {}", directory.native())));
    return {};
}

}  // namespace hawker::certificates
