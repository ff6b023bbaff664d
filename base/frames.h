// Memory of coroutine frames. A thread keeps a few of each size of those that have ended for those
// that begin: a request is a dozen coroutines, of the same sizes each time.
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

}  // namespace hawker::detail
