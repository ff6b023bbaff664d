#include "cache/holdings.h"

#include <algorithm>
#include <limits>

namespace hawker::cache {

ByteRange Holdings::piece_range(std::uint32_t number) const {
    const std::uint64_t first = std::uint64_t(number) * piece_size;
    const std::uint64_t limit = size.value_or(std::numeric_limits<std::uint64_t>::max());
    return ByteRange(first, std::min(first + piece_size, limit));
}

std::vector<std::uint32_t> Holdings::whole_pieces(ByteRange range) const {
    std::vector<std::uint32_t> whole;
    if (!size || range.empty()) return whole;
    const std::uint64_t last = piece_at(range.end - 1);
    for (std::uint64_t number = piece_at(range.first); number <= last; ++number) {
        const auto piece = static_cast<std::uint32_t>(number);
        if (present.contains(piece_range(piece))) whole.push_back(piece);
    }
    return whole;
}

std::uint64_t Holdings::sure_end(std::uint64_t position) const {
    const std::uint64_t end = present.run_end(position);
    const auto doubt = doubtful.lower_bound(piece_at(position));
    if (doubt == doubtful.end()) return end;
    return std::max(position, std::min(end, piece_range(doubt->first).first));
}

std::uint64_t Holdings::readable_end(std::uint64_t position) const {
    std::uint64_t end = sure_end(position);
    if (tail_is_held) {
        // While the size is unknown, any byte could be among the last.
        const std::uint64_t known_end = size.value_or(end);
        end = std::min(end, known_end - std::min(known_end, kHeldBack));
    }
    return std::max(end, position);
}

const PieceRecord* Holdings::doubt_at(std::uint64_t position) const {
    if (present.run_end(position) == position) return nullptr;
    const auto doubt = doubtful.find(piece_at(position));
    return doubt == doubtful.end() ? nullptr : &doubt->second;
}

}  // namespace hawker::cache
