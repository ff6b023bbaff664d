#include "cache/data_files.h"

#include <algorithm>
#include <bitset>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <xxhash.h>

namespace hawker::cache {

namespace {

constexpr std::size_t kWindow = 256 * 1024;
constexpr std::size_t kFolders = 256;

std::string name_of(const TaskId& task, std::uint64_t generation) {
    return fmt::format("{}.{}", task.hex(), generation);
}

std::string number_name(std::size_t folder) { return fmt::format("{:02x}", folder); }
std::string folder_name(const TaskId& task) { return task.hex().substr(0, 2); }

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

}  // namespace

DataFile::~DataFile() {
    struct stat status{};
    if (!pool_ || !fd_ || ::fstat(fd_.get(), &status) != 0 || status.st_nlink > 0) return;
    pool_->post([fd = std::make_shared<UniqueFd>(std::move(fd_))] { *fd = UniqueFd(); });
}

Expected<void> DataFile::make() {
    auto made = how_();
    if (!made) return fail(std::move(made.error()));
    fd_ = std::move(*made);
    how_ = nullptr;
    return {};
}

bool DataFile::is_resident(ByteRange range) const {
    const bool may_be_coming = reads_.touch(range, std::chrono::steady_clock::now());
    return disk_.is_resident(fd_.get(), range,
                             may_be_coming ? Disk::Sampling::asked_for : Disk::Sampling::spared);
}

void DataFile::expect_reading(ByteRange range) {
    reads_.add(range, std::chrono::steady_clock::now());
}

Expected<void> DataFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = disk_.write(fd_.get(), bytes, offset);
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
        const ssize_t length = disk_.read(fd_.get(), into, offset);
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
    if (disk_.sync(fd_.get()) != 0) {
        sync_problem_ = errno;
        return io_error(sync_problem_, "sync a data file");
    }
    if (!folder_) return {};
    const UniqueFd folder = folder_();
    // Too few descriptors now may be enough later.
    if (!folder) return io_error(errno, "open the directory of a data file");
    if (disk_.sync_directory(folder.get()) != 0) {
        sync_problem_ = errno;
        return io_error(sync_problem_, "sync the directory of a data file");
    }
    folder_ = nullptr;
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
    std::shared_ptr<Disk> disk;
    UniqueFd pieces;  // directory/pieces; every path is below it

    // Folders whose names this run has seen to reach the disk. One that merely exists may be what
    // a killed run, or a sync that failed, has left in memory only.
    std::mutex mutex;
    std::bitset<kFolders> lasting;

    UniqueFd open_folder(const std::string& name) const {
        return UniqueFd(disk->open(pieces.get(), name, O_RDONLY | O_DIRECTORY));
    }

    // The directory `ab` of a task, that must be there.
    Expected<UniqueFd> folder_of(const TaskId& task) const {
        const std::string name = folder_name(task);
        UniqueFd folder = open_folder(name);
        if (!folder) return io_error(errno, fmt::format("open pieces/{}", name));
        return folder;
    }

    void make_folders() {
        {
            const std::scoped_lock lock(mutex);
            if (lasting.all()) return;
        }
        for (std::size_t number = 0; number < kFolders; ++number)
            if (disk->make_directory(pieces.get(), number_name(number)) != 0 && errno != EEXIST)
                return;
        if (disk->sync_root(pieces.get()) != 0) return;
        const std::scoped_lock lock(mutex);
        lasting.set();
    }

    // The same, made when missing, and durable before anything is in it.
    Expected<UniqueFd> lasting_folder_of(const TaskId& task) {
        const std::string name = folder_name(task);
        const auto number = std::to_integer<std::size_t>(task.bytes.front());
        {
            const std::scoped_lock lock(mutex);
            if (!lasting.test(number)) {
                if (disk->make_directory(pieces.get(), name) != 0 && errno != EEXIST)
                    return io_error(errno, fmt::format("create pieces/{}", name));
                if (disk->sync_root(pieces.get()) != 0) return io_error(errno, "sync pieces");
                lasting.set(number);
            }
        }
        return folder_of(task);
    }
};

DataFiles::DataFiles(std::shared_ptr<State> state) : state_(std::move(state)) {}
DataFiles::~DataFiles() = default;

Expected<std::unique_ptr<DataFiles>> DataFiles::open(std::shared_ptr<Disk> disk,
                                                     const std::filesystem::path& directory) {
    auto root = disk->open_root(directory);
    if (!root) return fail(std::move(root.error()));
    auto state = std::make_shared<State>();
    state->disk = std::move(disk);
    state->pieces = std::move(*root);
    // A new cache has no hits that could wait for it, but a first miss soon.
    if (!state->open_folder(number_name(kFolders - 1))) state->make_folders();
    return std::unique_ptr<DataFiles>(
        new DataFiles(std::move(state)));  // NOLINT: the constructor is private
}

void DataFiles::make_folders() const { state_->make_folders(); }

std::shared_ptr<DataFile> DataFiles::create(const TaskId& task, std::uint64_t generation) const {
    auto make = [state = state_, task, generation]() -> Expected<UniqueFd> {
        auto folder = state->lasting_folder_of(task);
        if (!folder) return folder;
        const std::string name = name_of(task, generation);
        UniqueFd fd(state->disk->open(folder->get(), name, O_RDWR | O_CREAT | O_EXCL));
        if (!fd) return io_error(errno, fmt::format("create data file {}", name));
        return fd;
    };
    return std::make_shared<DataFile>(*state_->disk, make, [state = state_, task] {
        return state->open_folder(folder_name(task));
    });
}

Expected<std::shared_ptr<DataFile>> DataFiles::open_existing(const TaskId& task,
                                                             std::uint64_t generation) const {
    const auto folder = state_->folder_of(task);
    if (!folder) return fail(folder.error());
    const std::string name = name_of(task, generation);
    UniqueFd fd(state_->disk->open(folder->get(), name, O_RDWR));
    if (!fd) return io_error(errno, fmt::format("open data file {}", name));
    return std::make_shared<DataFile>(*state_->disk, std::move(fd), [state = state_, task] {
        return state->open_folder(folder_name(task));
    });
}

Expected<void> DataFiles::link(const TaskId& from, std::uint64_t from_generation, const TaskId& to,
                               std::uint64_t to_generation) {
    const auto source = state_->folder_of(from);
    if (!source) return fail(source.error());
    const auto target = state_->lasting_folder_of(to);
    if (!target) return fail(target.error());
    const std::string old_name = name_of(from, from_generation);
    const std::string new_name = name_of(to, to_generation);
    if (state_->disk->link(source->get(), old_name, target->get(), new_name) != 0)
        return io_error(errno, fmt::format("link data file {}", new_name));
    if (state_->disk->sync_directory(target->get()) != 0)
        return io_error(errno, "sync the directory of a linked data file");
    return {};
}

void DataFiles::remove(const TaskId& task, std::uint64_t generation) {
    if (const auto folder = state_->folder_of(task))
        state_->disk->unlink(folder->get(), name_of(task, generation));
}

void DataFiles::sweep(const std::function<Fate(const Found&)>& judge) {
    for (const Disk::Entry& folder : state_->disk->list(state_->pieces.get())) {
        if (folder.name.size() != 2 || folder.name.starts_with('.')) continue;
        const UniqueFd directory = state_->open_folder(folder.name);
        if (!directory) continue;
        for (const Disk::Entry& entry : state_->disk->list(directory.get())) {
            const auto found = parse_name(entry.name);
            if (!found || !entry.name.starts_with(folder.name) || !entry.is_file) continue;
            const Fate fate = judge(*found);
            if (fate == Fate::end) return;
            if (fate == Fate::go) state_->disk->unlink(directory.get(), entry.name);
        }
    }
}

Expected<Disk::Space> DataFiles::space() const { return state_->disk->space(state_->pieces.get()); }

}  // namespace hawker::cache
