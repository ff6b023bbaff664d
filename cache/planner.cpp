#include "cache/planner.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace hawker::cache {
namespace {

std::uint64_t round_down(std::uint64_t offset, std::uint64_t unit) { return offset / unit * unit; }

std::uint64_t round_up(std::uint64_t offset, std::uint64_t unit) {
    const std::uint64_t down = round_down(offset, unit);
    if (down == offset) return offset;
    return down > std::numeric_limits<std::uint64_t>::max() - unit ? offset : down + unit;
}

// How long a segment may be now: short at first, so that all connections start soon; longer later,
// for fewer requests; short again at the end, so that no connection is left alone with a long tail.
// But never so short that it is over before the next one's head has come.
std::uint64_t length_limit(const Situation& now, const Extents& taken) {
    if (now.connections <= 1) return std::numeric_limits<std::uint64_t>::max();
    const unsigned doublings = std::min(now.begun / now.connections, 8U);
    std::uint64_t limit =
        std::min((kFirstSegmentPieces * now.piece_size) << doublings, kLargestSegment);

    std::uint64_t remaining = 0;
    for (const ByteRange& wanted : now.goal.stretches())
        remaining += wanted.length() - taken.count(wanted);
    limit = std::min(limit, round_up(remaining / now.connections, now.piece_size));
    return std::max({limit, round_up(kWorthAWait * now.per_wait, now.piece_size), now.piece_size});
}

// `gap` cut to the limit, at a piece boundary where there is one inside.
ByteRange cut(ByteRange gap, std::uint64_t limit, std::uint64_t piece_size) {
    if (gap.length() <= limit) return gap;
    const std::uint64_t end = round_down(gap.first + limit, piece_size);
    gap.end = end > gap.first ? end : gap.first + limit;
    return gap;
}

}  // namespace

std::optional<ByteRange> plan_segment(const Situation& now) {
    Extents taken = now.present;
    for (const ByteRange& segment : now.flying) taken.add(segment);

    std::optional<ByteRange> best;
    std::tuple<bool, std::uint64_t> best_rank;
    for (const Need& need : now.needs) {
        ByteRange wanted(need.position, std::min(need.end, now.size));
        if (wanted.empty()) continue;
        wanted.end = in_whole_pieces(wanted, now.piece_size, now.size).end;
        const ByteRange gap = taken.first_gap(wanted);
        if (gap.empty()) continue;
        const std::tuple<bool, std::uint64_t> rank(!need.waiting, gap.first - need.position);
        if (best && best_rank <= rank) continue;
        best = gap;
        best_rank = rank;
    }
    if (!best) {
        for (const ByteRange& wanted : now.goal.stretches()) {
            const ByteRange gap = taken.first_gap(wanted);
            if (gap.empty()) continue;
            best = gap;
            break;
        }
    }
    if (!best) return std::nullopt;
    return cut(*best, length_limit(now, taken), now.piece_size);
}

RangeSpec first_request(const RangeSpec& wanted, std::uint64_t piece_size, unsigned connections) {
    if (!wanted.first) return wanted;
    if (piece_size == 0) piece_size = kDefaultPiece;
    const std::uint64_t first = *wanted.first;
    constexpr std::uint64_t kFar = std::numeric_limits<std::uint64_t>::max() / 2;
    if (first >= kFar) return wanted;
    if (!wanted.last && connections <= 1) return wanted;

    std::uint64_t end = round_down(first + kFirstSegmentPieces * piece_size, piece_size);
    if (wanted.last && *wanted.last < kFar) {
        const std::uint64_t wanted_end = round_up(*wanted.last + 1, piece_size);
        end = connections <= 1 ? wanted_end : std::min(end, wanted_end);
    }
    if (end <= first) return wanted;
    return RangeSpec(first, end - 1);
}

RangeSpec request_for(ByteRange segment, std::uint64_t size, unsigned connections) {
    if (connections <= 1 && segment.end >= size) return RangeSpec(segment.first, std::nullopt);
    return RangeSpec(segment.first, segment.end - 1);
}

std::uint64_t choose_piece_size(std::optional<std::uint64_t> size, std::uint64_t asked) {
    if (asked != 0) return std::clamp(asked, kLeastPiece, kMostPiece);
    std::uint64_t piece = kDefaultPiece;
    while (size && *size / piece > 512 && piece < kLargestPiece) piece *= 2;
    return piece;
}

ByteRange in_whole_pieces(ByteRange range, std::uint64_t piece_size, std::uint64_t size) {
    const std::uint64_t end = std::min(round_up(range.end, piece_size), size);
    return ByteRange(round_down(range.first, piece_size), std::max(end, std::min(range.end, size)));
}

}  // namespace hawker::cache
