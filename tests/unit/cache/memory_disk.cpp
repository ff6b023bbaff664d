#include "tests/unit/cache/memory_disk.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace hawker::cache::testing {

namespace {

constexpr std::uint64_t kPage = 4096, kSector = 512;

std::uint64_t inode_of(int fd) {
    struct stat status{};
    return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

}  // namespace

MemoryDisk::MemoryDisk(Faults& faults, std::uint64_t capacity)
    : faults_(faults), capacity_(capacity), root_(make_node(true)) {}

MemoryDisk::Shared MemoryDisk::make_node(bool is_directory) {
    auto node = std::make_shared<Node>();
    node->fd = UniqueFd(::memfd_create("hawker-test", MFD_CLOEXEC));
    if (!node->fd) std::abort();  // out of descriptors: nothing to test with
    node->is_directory = is_directory;
    nodes_.emplace(inode_of(node->fd.get()), node);
    return node;
}

MemoryDisk::Shared MemoryDisk::node_of(int fd) const { return nodes_.at(inode_of(fd)); }

int MemoryDisk::fail_with(int error) const {
    errno = error;
    return -1;
}

bool MemoryDisk::strikes(Fault fault) {
    const auto error = dead_ ? std::optional(EIO) : faults_.strike(fault);
    if (error) errno = *error;
    return error.has_value();
}

std::uint64_t MemoryDisk::used() const {
    std::uint64_t sum = 0;
    std::set<const Node*> seen;
    for (const auto& [folder, directory] : root_->now)
        for (const auto& [name, file] : directory->now)
            if (seen.insert(file.get()).second) sum += size_of(*file);
    return sum;
}

std::uint64_t MemoryDisk::size_of(const Node& node) {
    struct stat status{};
    ::fstat(node.fd.get(), &status);
    return static_cast<std::uint64_t>(status.st_size);
}

std::string MemoryDisk::text_of(const Node& node) {
    std::string text(size_of(node), '\0');
    if (::pread(node.fd.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        std::abort();
    return text;
}

void MemoryDisk::put(const Node& node, std::string_view text) {
    if (::pwrite(node.fd.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        std::abort();
}

const void* MemoryDisk::identity(const std::string& folder, const std::string& name) const {
    const auto directory = root_->now.find(folder);
    if (directory == root_->now.end()) return nullptr;
    const auto file = directory->second->now.find(name);
    return file == directory->second->now.end() ? nullptr : file->second.get();
}

std::optional<std::string> MemoryDisk::content(const std::string& folder,
                                               const std::string& name) const {
    const void* file = identity(folder, name);
    if (file == nullptr) return std::nullopt;
    return text_of(*static_cast<const Node*>(file));
}

// `length` bytes from `first` of a page reach the platter.
void MemoryDisk::keep_page(const Node& from, std::string& platter, std::uint64_t page,
                           std::uint64_t first, std::uint64_t length) {
    std::array<char, kPage> bytes{};
    const auto got =
        ::pread(from.fd.get(), bytes.data(), length, static_cast<off_t>(page * kPage + first));
    if (got <= 0) return;
    const std::uint64_t at = page * kPage + first;
    const auto count = static_cast<std::uint64_t>(got);
    if (platter.size() < at + count) platter.resize(at + count);
    std::copy_n(bytes.begin(), count, platter.begin() + static_cast<std::ptrdiff_t>(at));
}

MemoryDisk::Shared MemoryDisk::copy(const Shared& from, Crash crash, Dice& dice, MemoryDisk& to,
                                    Copies& done) {
    if (const auto it = done.find(from.get()); it != done.end()) return it->second;
    const Shared made = to.make_node(from->is_directory);
    done.emplace(from.get(), made);
    made->platter = from->platter;
    if (crash == Crash::kill) {
        put(*made, text_of(*from));
        made->dirty = from->dirty;
        for (const auto& [name, node] : from->now)
            made->now.emplace(name, copy(node, crash, dice, to, done));
        for (const auto& [name, node] : from->lasting)
            made->lasting.emplace(name, copy(node, crash, dice, to, done));
        return made;
    }
    for (const std::uint64_t page : from->dirty) {
        const std::uint64_t fate = dice.below(3);
        const std::uint64_t torn = kSector * (1 + dice.below(kPage / kSector - 1));
        if (fate == 1) keep_page(*from, made->platter, page, 0, kPage);
        if (fate == 2) keep_page(*from, made->platter, page, 0, torn);
    }
    put(*made, made->platter);
    Names either = from->now;
    either.insert(from->lasting.begin(), from->lasting.end());
    for (const auto& [name, node] : either) {
        const bool is_certain = from->now.contains(name) && from->lasting.contains(name);
        if (is_certain || dice.chance(0.5))
            made->now.emplace(name, copy(node, crash, dice, to, done));
    }
    made->lasting = made->now;
    return made;
}

std::shared_ptr<MemoryDisk> MemoryDisk::after(Crash crash, Dice& dice) const {
    auto next = std::make_shared<MemoryDisk>(faults_, capacity_);
    Copies done;
    next->root_ = copy(root_, crash, dice, *next, done);
    return next;
}

Expected<UniqueFd> MemoryDisk::open_root(const std::filesystem::path&) {
    return UniqueFd(::dup(root_->fd.get()));
}

int MemoryDisk::open(int directory, const std::string& name, int flags) {
    const Shared parent = node_of(directory);
    auto found = parent->now.find(name);
    if ((flags & O_CREAT) != 0) {
        if (found != parent->now.end()) return fail_with(EEXIST);
        if (strikes(Fault::create)) return -1;
        found = parent->now.emplace(name, make_node(false)).first;
    }
    if (dead_) return fail_with(EIO);
    if (found == parent->now.end()) return fail_with(ENOENT);
    return ::dup(found->second->fd.get());
}

int MemoryDisk::make_directory(int directory, const std::string& name) {
    const Shared parent = node_of(directory);
    if (parent->now.contains(name)) return fail_with(EEXIST);
    if (strikes(Fault::create)) return -1;
    parent->now.emplace(name, make_node(true));
    return 0;
}

int MemoryDisk::link(int from, const std::string& old_name, int to, const std::string& new_name) {
    const Shared source = node_of(from), target = node_of(to);
    const auto file = source->now.find(old_name);
    if (file == source->now.end()) return fail_with(ENOENT);
    if (target->now.contains(new_name)) return fail_with(EEXIST);
    if (strikes(Fault::create)) return -1;
    target->now.emplace(new_name, file->second);
    return 0;
}

int MemoryDisk::unlink(int directory, const std::string& name) {
    if (dead_) return fail_with(EIO);
    return node_of(directory)->now.erase(name) == 1 ? 0 : fail_with(ENOENT);
}

std::vector<Disk::Entry> MemoryDisk::list(int directory) {
    std::vector<Entry> entries;
    if (dead_) return entries;
    for (const auto& [name, node] : node_of(directory)->now) {
        Entry entry;
        entry.name = name;
        entry.is_file = !node->is_directory;
        entries.push_back(std::move(entry));
    }
    return entries;
}

int MemoryDisk::sync_directory(int directory) {
    Node& node = *node_of(directory);
    if (strikes(Fault::sync_directory)) return -1;
    node.lasting = node.now;
    return 0;
}

ssize_t MemoryDisk::write(int file, std::span<const std::byte> bytes, std::uint64_t offset) {
    if (strikes(Fault::write)) return -1;
    const std::uint64_t full = used();
    if (full >= capacity_) return fail_with(ENOSPC);
    if (bytes.size() > 1 && faults_.strike(Fault::short_write))
        bytes = bytes.first(1 + dice_.below(bytes.size() - 1));
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), capacity_ - full));
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written <= 0) return written;
    const std::uint64_t last = offset + static_cast<std::uint64_t>(written) - 1;
    Node& node = *node_of(file);
    for (std::uint64_t page = offset / kPage; page <= last / kPage; ++page) node.dirty.insert(page);
    return written;
}

ssize_t MemoryDisk::read(int file, std::span<std::byte> into, std::uint64_t offset) {
    if (strikes(Fault::read)) return -1;
    return ::pread(file, into.data(), into.size(), static_cast<off_t>(offset));
}

bool MemoryDisk::is_resident(int, ByteRange, Sampling) {
    return dead_ || !faults_.strike(Fault::cold).has_value();
}

int MemoryDisk::sync(int file) {
    Node& node = *node_of(file);
    const bool fails = strikes(Fault::sync);
    if (dead_) return -1;
    const int error = errno;
    for (const std::uint64_t page : node.dirty)
        if (!fails || dice_.chance(0.5)) keep_page(node, node.platter, page, 0, kPage);
    node.dirty.clear();
    return fails ? fail_with(error) : 0;
}

Expected<Disk::Space> MemoryDisk::space(int) {
    Space space;
    space.total = capacity_;
    space.available = capacity_ - std::min(capacity_, used());
    return space;
}

}  // namespace hawker::cache::testing
