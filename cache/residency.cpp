#include "cache/residency.h"

#include <algorithm>
#include <array>

#include <fcntl.h>

namespace hawker::cache {
namespace {

// The kernel reads ahead in windows of this order, and drops pages in no smaller runs.
constexpr std::uint64_t kSample = 131'072;

}  // namespace

bool looks_resident(const DataFile& file, ByteRange range) {
    if (range.empty()) return true;
    if (!file.is_resident(range.end - 1)) return false;
    for (std::uint64_t offset = range.first; offset < range.end; offset += kSample)
        if (!file.is_resident(offset)) return false;
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
