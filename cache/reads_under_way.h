// What a disk has been asked for, while the page cache says it is there and it may not have come.
// Thread:  any; no call waits.
#pragma once

#include "base/byte_range.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <vector>

namespace hawker::cache {

class ReadsUnderWay {
public:
    using Time = std::chrono::steady_clock::time_point;

    void add(ByteRange range, Time now);
    // May some of `range` be on its way? True for every range while more were added than are
    // remembered.
    bool touch(ByteRange range, Time now) const;

private:
    struct Read {
        ByteRange range;
        Time since;
    };

    std::atomic<Time> last_{};  // the clock's epoch: none yet
    mutable std::mutex mutex_;
    std::vector<Read> reads_;  // a ring
    std::size_t oldest_ = 0;
    Time forgotten_{};  // the last that was overwritten began then
};

}  // namespace hawker::cache
