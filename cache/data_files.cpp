#include "cache/data_files.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <xxhash.h>

namespace hawker::cache {

namespace {

constexpr std::size_t kWindow = 256 * 1024;
constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;

std::string name_of(const TaskId& task, std::uint64_t generation) {
    return fmt::format("{}.{}", task.hex(), generation);
}

// The inverse of name_of, for exactly what it makes.
std::optional<DataFiles::Found> parse_name(std::string_view name) {
    constexpr std::size_t kHex = 64;
    if (name.size() < kHex + 2 || name[kHex] != '.') return std::nullopt;
    const auto task = TaskId::from_hex(name.substr(0, kHex));
    const std::string_view digits = name.substr(kHex + 1);
    DataFiles::Found found;
    const auto [rest, problem] =
        std::from_chars(digits.data(), digits.data() + digits.size(), found.generation);
    if (!task || problem != std::errc()) return std::nullopt;
    found.task = *task;
    if (name_of(found.task, found.generation) != name) return std::nullopt;
    return found;
}

std::unexpected<Error> io_error(int error_number, std::string_view doing) {
    return fail(system_error(error_number, doing));
}

// Names in a directory, all of them at once: what is visited may be unlinked meanwhile.
std::vector<std::string> names_in(int directory_fd) {
    std::vector<std::string> names;
    UniqueFd fd(::openat(directory_fd, ".", kDirectory));
    const Directory directory(fd ? ::fdopendir(fd.get()) : nullptr, ::closedir);
    if (!directory) return names;
    static_cast<void>(fd.release());  // closedir() closes it
    while (const dirent* entry = ::readdir(directory.get()))
        names.emplace_back(entry->d_name);  // NOLINT: our own DIR
    return names;
}

}  // namespace

Expected<void> DataFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written =
            ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return io_error(errno, "write a data file");
        if (written == 0) return fail(Errc::exhausted, "write a data file: nothing more fits");
        offset += static_cast<std::uint64_t>(written);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Expected<void> DataFile::read(std::uint64_t offset, std::span<std::byte> into) const {
    while (!into.empty()) {
        const ssize_t length =
            ::pread(fd_.get(), into.data(), into.size(), static_cast<off_t>(offset));
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) return io_error(errno, "read a data file");
        if (length == 0) return fail(Errc::corrupt, fmt::format("a data file ends at {}", offset));
        offset += static_cast<std::uint64_t>(length);
        into = into.subspan(static_cast<std::size_t>(length));
    }
    return {};
}

Expected<void> DataFile::sync() {
    const std::scoped_lock lock(sync_mutex_);
    // After a failure the kernel forgets the dirty pages: a second fdatasync() would succeed
    // without them.
    if (sync_problem_ != 0) return io_error(sync_problem_, "sync a data file earlier");
    if (::fdatasync(fd_.get()) != 0) {
        sync_problem_ = errno;
        return io_error(sync_problem_, "sync a data file");
    }
    if (!directory_) return {};
    if (::fsync(directory_.get()) != 0) return io_error(errno, "sync the directory of a data file");
    directory_.reset();
    return {};
}

Expected<std::uint64_t> DataFile::checksum(std::uint64_t offset, std::uint64_t length) const {
    const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                                XXH3_freeState);
    if (!state) return fail(Errc::exhausted, "no memory for a checksum");
    XXH3_64bits_reset(state.get());
    std::vector<std::byte> window(std::min<std::uint64_t>(length, kWindow));
    while (length > 0) {
        const std::span<std::byte> part =
            std::span(window).first(std::min<std::uint64_t>(length, kWindow));
        if (auto filled = read(offset, part); !filled) return fail(filled.error());
        XXH3_64bits_update(state.get(), part.data(), part.size());
        offset += part.size();
        length -= part.size();
    }
    return XXH3_64bits_digest(state.get());
}

struct DataFiles::State {
    UniqueFd pieces;  // directory/pieces; every path is below it

    // The directory `ab` of a task. Made when missing if `make`, and durable before anything is in
    // it.
    Expected<UniqueFd> fan_out(const TaskId& task, bool make) const {
        const std::string name = task.hex().substr(0, 2);
        UniqueFd directory(::openat(pieces.get(), name.c_str(), kDirectory));
        if (!directory && errno == ENOENT && make) {
            if (::mkdirat(pieces.get(), name.c_str(), 0700) != 0 && errno != EEXIST)
                return io_error(errno, fmt::format("create pieces/{}", name));
            if (::fsync(pieces.get()) != 0) return io_error(errno, "sync pieces");
            directory = UniqueFd(::openat(pieces.get(), name.c_str(), kDirectory));
        }
        if (!directory) return io_error(errno, fmt::format("open pieces/{}", name));
        return directory;
    }
};

DataFiles::DataFiles(std::unique_ptr<State> state) : state_(std::move(state)) {}
DataFiles::~DataFiles() = default;

Expected<std::unique_ptr<DataFiles>> DataFiles::open(const std::filesystem::path& directory) {
    const std::filesystem::path path = directory / "pieces";
    const auto refuse = [&path](std::string_view what) {
        return fail(Errc::invalid,
                    system_error(errno, fmt::format("{} {}", what, path.string())).what);
    };
    std::error_code ignored;
    std::filesystem::create_directories(directory, ignored);  // what is wrong with it, mkdir() says
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return refuse("create");
    auto state = std::make_unique<State>();
    state->pieces = UniqueFd(::open(path.c_str(), kDirectory));
    if (!state->pieces) return refuse("open");
    if (::faccessat(state->pieces.get(), ".", R_OK | W_OK | X_OK, AT_EACCESS) != 0)
        return refuse("write to");
    return std::unique_ptr<DataFiles>(
        new DataFiles(std::move(state)));  // NOLINT: the constructor is private
}

Expected<std::shared_ptr<DataFile>> DataFiles::create(const TaskId& task,
                                                      std::uint64_t generation) {
    auto directory = state_->fan_out(task, true);
    if (!directory) return fail(directory.error());
    const std::string name = name_of(task, generation);
    UniqueFd fd(::openat(directory->get(), name.c_str(),
                         O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return io_error(errno, fmt::format("create data file {}", name));
    return std::make_shared<DataFile>(std::move(fd), std::move(*directory));
}

Expected<std::shared_ptr<DataFile>> DataFiles::open_existing(const TaskId& task,
                                                             std::uint64_t generation) const {
    const auto directory = state_->fan_out(task, false);
    if (!directory) return fail(directory.error());
    const std::string name = name_of(task, generation);
    UniqueFd fd(::openat(directory->get(), name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return io_error(errno, fmt::format("open data file {}", name));
    return std::make_shared<DataFile>(std::move(fd));
}

Expected<void> DataFiles::link(const TaskId& from, std::uint64_t from_generation, const TaskId& to,
                               std::uint64_t to_generation) {
    const auto source = state_->fan_out(from, false);
    if (!source) return fail(source.error());
    const auto target = state_->fan_out(to, true);
    if (!target) return fail(target.error());
    const std::string old_name = name_of(from, from_generation);
    const std::string new_name = name_of(to, to_generation);
    if (::linkat(source->get(), old_name.c_str(), target->get(), new_name.c_str(), 0) != 0)
        return io_error(errno, fmt::format("link data file {}", new_name));
    if (::fsync(target->get()) != 0)
        return io_error(errno, "sync the directory of a linked data file");
    return {};
}

void DataFiles::remove(const TaskId& task, std::uint64_t generation) {
    if (const auto directory = state_->fan_out(task, false))
        ::unlinkat(directory->get(), name_of(task, generation).c_str(), 0);
}

void DataFiles::sweep(const std::function<bool(const Found&)>& keep) {
    for (const std::string& folder : names_in(state_->pieces.get())) {
        if (folder.size() != 2 || folder.starts_with('.')) continue;
        const UniqueFd directory(::openat(state_->pieces.get(), folder.c_str(), kDirectory));
        if (!directory) continue;
        for (const std::string& name : names_in(directory.get())) {
            auto found = parse_name(name);
            struct stat status{};
            if (!found || !name.starts_with(folder) ||
                ::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
                !S_ISREG(status.st_mode))
                continue;
            found->bytes = static_cast<std::uint64_t>(status.st_blocks) * 512;
            found->inode = status.st_ino;
            found->names = status.st_nlink;
            if (!keep(*found)) ::unlinkat(directory.get(), name.c_str(), 0);
        }
    }
}

Expected<DataFiles::Space> DataFiles::space() const {
    struct statvfs status{};
    if (::fstatvfs(state_->pieces.get(), &status) != 0)
        return io_error(errno, "ask for the free space");
    Space space;
    space.total = status.f_blocks * status.f_frsize;
    space.available = status.f_bavail * status.f_frsize;
    return space;
}

}  // namespace hawker::cache
