// Lines on their way from those who log to the one thread that writes them down. A line is copied
// once, into a block that is there already: mostly neither heap nor system call.
//
// Thread: take() one; the others any.
// Bound:  so many blocks wait. When they are full the oldest one goes, with the lines in it.
// Stop:   after stop(), take() hands out what is waiting and then ends.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawker {

struct QueuedLine {
    std::chrono::system_clock::time_point time;
    std::uint8_t kind = 0;  // whoever pushes and takes knows what it means
    std::string_view text = {};
};

// Lines in one piece of memory, to be read from the first to the last.
class LineBlock {
public:
    void push(const QueuedLine& line);
    // Its text lies in the block.
    std::optional<QueuedLine> next();

    bool empty() const { return bytes_.empty(); }
    bool has_room_for(std::string_view text) const;
    // Empty, with as much room as is usual.
    void clear();
    void swap(LineBlock& other) noexcept;

private:
    std::string bytes_;
    std::size_t read_ = 0;
};

class LineQueue {
public:
    explicit LineQueue(std::size_t most_blocks) : blocks_(most_blocks) {}

    void push(const QueuedLine& line);
    // Waits for lines, and puts the oldest of them into `block`, instead of what was there; what
    // room that had is for lines to come. False: it has ended.
    bool take(LineBlock& block);
    void stop();
    bool empty() const;

private:
    LineBlock& block_for(std::string_view text);

    mutable std::mutex mutex_;
    std::condition_variable come_;
    std::vector<LineBlock> blocks_;  // a ring
    std::size_t first_ = 0;
    std::size_t count_ = 0;
    bool stopped_ = false;
};

}  // namespace hawker
