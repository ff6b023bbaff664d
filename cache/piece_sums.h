// XXH3-64 of pieces, made while their bytes are written: then they lie in the processor's cache,
// and need not be read back.
//
// Owner:  the fetch. Thread: one at a time (the strand of its writes).
#pragma once

#include "base/byte_range.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <xxhash.h>

namespace hawker::cache {

struct PieceSum {
    ByteRange piece;
    std::uint64_t sum = 0;
};

class PieceSums {
public:
    // Bytes that were written at `at`, in pieces of `piece_size`; the last one ends at `size`, or
    // has no end yet (kNoEnd). Appends to `whole` the pieces that end with them. A piece of which
    // something was written before, or out of its order, is left out.
    void add(std::uint64_t at, std::span<const std::byte> bytes, std::uint64_t piece_size,
             std::uint64_t size, std::vector<PieceSum>& whole);

private:
    struct Freed {
        void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
    };
    // A piece that is being written.
    struct Begun {
        std::uint64_t first;
        std::uint64_t next;  // the first byte that is still to come
        std::unique_ptr<XXH3_state_t, Freed> state;
    };
    std::vector<Begun>::iterator begin_or_find(std::uint64_t at, bool is_first);

    std::vector<Begun> begun_;  // one for each segment; those that were broken off are the oldest
};

}  // namespace hawker::cache
