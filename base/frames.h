// Memory of coroutine frames, and of objects that come and go with them. A thread keeps a few of
// each size of those that have ended for those that begin: a request is a dozen coroutines, of the
// same sizes each time.
//
// Thread: any; what a frame leaves behind stays with the thread where it ended.
// Bound:  16 KiB of each size, or four of it; larger ones than 4 KiB are never kept.
#pragma once

#include <cstddef>

namespace hawker::detail {

// Throws std::bad_alloc.
void* take_frame(std::size_t size);
// `size` as it was taken.
void leave_frame(void* frame, std::size_t size) noexcept;

// For std::allocate_shared.
template <typename T>
struct FrameAllocator {
    using value_type = T;  // NOLINT(readability-identifier-naming): the standard's name

    FrameAllocator() = default;
    template <typename Other>
    explicit FrameAllocator(const FrameAllocator<Other>& /*other*/) noexcept {}
    T* allocate(std::size_t count) { return static_cast<T*>(take_frame(count * sizeof(T))); }
    void deallocate(T* first, std::size_t count) noexcept { leave_frame(first, count * sizeof(T)); }
    friend bool operator==(FrameAllocator, FrameAllocator) { return true; }
};

}  // namespace hawker::detail
