#include "base/line_queue.h"

#include <cstring>
#include <utility>

namespace hawker {

namespace {

constexpr std::size_t kRoom = 64UL * 1024;

// Before each line's text.
struct Head {
    std::chrono::system_clock::time_point time;
    std::size_t size = 0;
    std::uint8_t kind = 0;
};

}  // namespace

void LineBlock::push(const QueuedLine& line) {
    Head head;
    head.time = line.time;
    head.size = line.text.size();
    head.kind = line.kind;
    bytes_.append(reinterpret_cast<const char*>(&head), sizeof(head));
    bytes_.append(line.text);
}

std::optional<QueuedLine> LineBlock::next() {
    if (read_ == bytes_.size()) return std::nullopt;
    Head head;
    std::memcpy(&head, bytes_.data() + read_, sizeof(head));
    read_ += sizeof(head);
    const QueuedLine line(head.time, head.kind, std::string_view(bytes_).substr(read_, head.size));
    read_ += head.size;
    return line;
}

bool LineBlock::has_room_for(std::string_view text) const {
    return bytes_.size() + sizeof(Head) + text.size() <= kRoom;
}

void LineBlock::clear() {
    if (bytes_.capacity() > 2 * kRoom) std::string().swap(bytes_);
    bytes_.clear();
    bytes_.reserve(kRoom);
    read_ = 0;
}

void LineBlock::swap(LineBlock& other) noexcept {
    bytes_.swap(other.bytes_);
    std::swap(read_, other.read_);
}

// A line that is too long for any block has one of its own.
LineBlock& LineQueue::block_for(std::string_view text) {
    if (count_ > 0) {
        LineBlock& last = blocks_[(first_ + count_ - 1) % blocks_.size()];
        if (last.has_room_for(text)) return last;
    }
    if (count_ == blocks_.size()) {
        first_ = (first_ + 1) % blocks_.size();
        --count_;
    }
    ++count_;
    LineBlock& next = blocks_[(first_ + count_ - 1) % blocks_.size()];
    next.clear();
    return next;
}

void LineQueue::push(const QueuedLine& line) {
    bool is_first = false;
    {
        const std::scoped_lock lock(mutex_);
        is_first = count_ == 0;
        block_for(line.text).push(line);
    }
    if (is_first) come_.notify_one();
}

bool LineQueue::take(LineBlock& block) {
    block.clear();
    std::unique_lock lock(mutex_);
    come_.wait(lock, [this] { return count_ > 0 || stopped_; });
    if (count_ == 0) return false;
    block.swap(blocks_[first_]);
    // An empty queue begins with the block whose room was used last.
    if (--count_ > 0) first_ = (first_ + 1) % blocks_.size();
    return true;
}

bool LineQueue::empty() const {
    const std::scoped_lock lock(mutex_);
    return count_ == 0;
}

void LineQueue::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopped_ = true;
    }
    come_.notify_one();
}

}  // namespace hawker
