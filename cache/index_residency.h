// Whether the index's look-ups find their pages in memory, as far as the last ones tell.
//
// LMDB's map is read by touching it, and cannot be asked first. But a thread's major faults are
// counted: after enough look-ups in a row without one, one more will hardly wait for the disk, and
// a loop may make it. The first that does wait sends the others back to the pool.
//
// Thread: any.
#pragma once

#include <atomic>
#include <cstdint>

namespace hawker::cache {

class IndexResidency {
public:
    static constexpr std::uint32_t kNever = UINT32_MAX;

    // `calm`: look-ups in a row that met no disk, before it is likely that the next will not.
    explicit IndexResidency(std::uint32_t calm) : calm_(calm) {}

    // It has just been read from one end to the other.
    void presume() { in_a_row_.store(calm_, std::memory_order_relaxed); }
    bool is_likely() const { return in_a_row_.load(std::memory_order_relaxed) >= calm_; }

    // For the length of one look-up, on one thread: takes down how it went.
    class LookUp {
    public:
        explicit LookUp(IndexResidency& residency);
        ~LookUp();
        LookUp(const LookUp&) = delete;
        LookUp& operator=(const LookUp&) = delete;

    private:
        IndexResidency& residency_;
        long faults_;
    };

    // One look-up is over; somebody had to wait for the disk, or nobody had.
    void note(bool waited);

private:
    const std::uint32_t calm_;
    std::atomic<std::uint32_t> in_a_row_{0};
};

}  // namespace hawker::cache
