#include "cache/residency.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/uio.h>

namespace hawker::cache {
namespace {

// The kernel reads ahead in windows of this order, and drops pages in no smaller runs.
constexpr std::uint64_t kSample = 131'072;

bool is_resident(int fd, std::uint64_t offset) {
    std::byte byte{};
    iovec into{&byte, 1};
    const ssize_t got = ::preadv2(fd, &into, 1, static_cast<off_t>(offset), RWF_NOWAIT);
    // Nothing at all means that the file is shorter than it should be: reading it on the pool will
    // say so.
    return got > 0 || (got < 0 && errno != EAGAIN);
}

}  // namespace

bool looks_resident(const DataFile& file, ByteRange range) {
    if (range.empty()) return true;
    if (!is_resident(file.fd(), range.end - 1)) return false;
    for (std::uint64_t offset = range.first; offset < range.end; offset += kSample)
        if (!is_resident(file.fd(), offset)) return false;
    return true;
}

Expected<void> bring_in(const DataFile& file, ByteRange range) {
    const auto length = static_cast<off_t>(range.length());
    // The window itself, and a hint for the next one, which will be wanted soon.
    ::posix_fadvise(file.fd(), static_cast<off_t>(range.first), 2 * length, POSIX_FADV_WILLNEED);
    std::array<std::byte, 65'536> scratch;
    while (!range.empty()) {
        const std::uint64_t step = std::min<std::uint64_t>(range.length(), scratch.size());
        const auto window = std::span(scratch).first(step);
        if (auto got = file.read(range.first, window); !got) return got;
        range.first += step;
    }
    return {};
}

}  // namespace hawker::cache
