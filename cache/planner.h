// Which bytes to ask a source for next. Pure functions: the fetch describes the situation, the
// planner answers.
//
// Nothing is asked for twice: a segment begins at the first byte that is neither present nor in
// flight, and ends before the next one that is. Needs grow outward to whole pieces, because a piece
// is what gets stored.
#pragma once

#include "base/byte_range.h"
#include "base/units.h"
#include "cache/extents.h"

#include <cstdint>
#include <optional>
#include <span>

namespace hawker::cache {

using namespace hawker::literals;

inline constexpr std::uint64_t kDefaultPiece = 4_MiB;
inline constexpr std::uint64_t kLargestPiece = 64_MiB;
// Whoever asks for a size of his own.
inline constexpr std::uint64_t kLeastPiece = 4_KiB;
inline constexpr std::uint64_t kMostPiece = 1_GiB;
inline constexpr std::uint64_t kLargestSegment = 64_MiB;
inline constexpr std::uint64_t kFirstSegmentPieces = 4;
// The least that is worth a wait: so many times of what could have come meanwhile.
inline constexpr std::uint64_t kWorthAWait = 2;

// What one reader still has to read.
struct Need {
    std::uint64_t position = 0;
    std::uint64_t end = 0;
    bool waiting = false;  // it has nothing to send until `position` arrives
};

struct Situation {
    std::uint64_t size = 0;
    std::uint64_t piece_size = kDefaultPiece;
    unsigned connections = 1;
    unsigned begun = 0;          // segments asked for so far; later ones are longer
    std::uint64_t per_wait = 0;  // bytes that one transfer brings while another waits for a head
    const Extents& present;
    std::span<const ByteRange> flying;
    const Extents& goal;  // everything that anybody wanted, in whole pieces
    std::span<const Need> needs;
};

// The next segment, or nullopt when everything wanted is present or in flight. The stretch nearest
// to a waiting reader comes first, then what readers will want next, then the rest of the goal.
std::optional<ByteRange> plan_segment(const Situation& situation);

// What the very first transfer asks for, before the size is known. It begins at the first byte that
// the reader wants, so that byte costs one round trip; it is bounded, so that other segments may
// begin where it ends.
RangeSpec first_request(const RangeSpec& wanted, std::uint64_t piece_size, unsigned connections);

// How to ask for a planned segment. Open-ended when one connection takes everything to the end.
RangeSpec request_for(ByteRange segment, std::uint64_t size, unsigned connections);

// `asked`, or by size when that is 0: 4 MiB up to 2 GiB, then doubling so that an object has about
// 512 pieces.
// Held within 4 KiB and 1 GiB, so that a piece's length and number fit where they are recorded.
std::uint64_t choose_piece_size(std::optional<std::uint64_t> size, std::uint64_t asked);

// Outward to piece boundaries; the last piece ends with the representation.
ByteRange in_whole_pieces(ByteRange range, std::uint64_t piece_size, std::uint64_t size);

}  // namespace hawker::cache
