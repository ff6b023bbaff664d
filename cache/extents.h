// A set of bytes, as the fewest stretches that cover it: what of a file is present, in flight, or
// wanted.
//
// Thread: none of its own; whoever owns it guards it.
#pragma once

#include "base/byte_range.h"

#include <cstdint>
#include <map>
#include <vector>

namespace hawker::cache {

class Extents {
public:
    void add(ByteRange range);
    void remove(ByteRange range);
    void clear();

    // Is every byte of `range` in the set? True for an empty range.
    bool contains(ByteRange range) const { return first_gap(range).empty(); }
    // The end of the stretch that covers `offset`; `offset` itself when nothing does.
    std::uint64_t run_end(std::uint64_t offset) const;
    // The first stretch inside `within` that is not in the set; empty when there is none.
    ByteRange first_gap(ByteRange within) const;
    // Every stretch inside `within` that is not in the set.
    std::vector<ByteRange> gaps(ByteRange within) const;
    // How many bytes of `within` are in the set.
    std::uint64_t count(ByteRange within) const;

    std::uint64_t total() const { return total_; }
    bool empty() const { return total_ == 0; }
    std::vector<ByteRange> stretches() const;

private:
    std::map<std::uint64_t, std::uint64_t> ends_;  // first -> end; disjoint, never touching
    std::uint64_t total_ = 0;
};

}  // namespace hawker::cache
