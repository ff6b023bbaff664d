#include "cache/residency.h"

#include <algorithm>
#include <array>

#include <fcntl.h>

namespace hawker::cache {

Expected<void> bring_in(const DataFile& file, ByteRange range, std::uint64_t ahead) {
    ::posix_fadvise(file.fd(), static_cast<off_t>(range.first),
                    static_cast<off_t>(range.length() + ahead), POSIX_FADV_WILLNEED);
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
