// What of one representation is here, in bytes and pieces, and how far a reader may go.
//
// Thread: none of its own; the live object's lock guards it.
#pragma once

#include "cache/extents.h"
#include "cache/index.h"

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <vector>

namespace hawker::cache {

// The last bytes that nobody gets before the digest of the whole agrees: without them a download is
// visibly unfinished.
inline constexpr std::uint64_t kHeldBack = 65'536;
// Where a representation ends whose size nobody knows yet.
inline constexpr std::uint64_t kNoEnd = std::numeric_limits<std::uint64_t>::max();

struct Holdings {
    std::optional<std::uint64_t> size;
    std::uint64_t piece_size = 1;
    Extents present;
    // Pieces that an unclean stop left in doubt, each with the checksum it must have.
    std::map<std::uint32_t, PieceRecord> doubtful;
    bool tail_is_held = false;

    // No more pieces than there are numbers for.
    static bool can_be_cut(std::uint64_t whole, std::uint64_t piece) {
        return whole / piece < std::numeric_limits<std::uint32_t>::max();
    }
    std::uint32_t piece_at(std::uint64_t offset) const {
        return static_cast<std::uint32_t>(offset / piece_size);
    }
    ByteRange piece_range(std::uint32_t number) const;
    // Pieces that touch `range` and are wholly present. None while the size is unknown: the last
    // piece has no end yet.
    std::vector<std::uint32_t> whole_pieces(ByteRange range) const;
    bool all_present() const { return size && present.total() == *size; }

    // The end of what is present from `position` on, and not in doubt. `position` when nothing is.
    std::uint64_t sure_end(std::uint64_t position) const;
    // The end of what may be read from `position` on: present, not in doubt, not held back.
    // `position` when nothing may.
    std::uint64_t readable_end(std::uint64_t position) const;
    // The piece at `position` when it is present and in doubt.
    const PieceRecord* doubt_at(std::uint64_t position) const;
};

}  // namespace hawker::cache
