// The heap of the process: mimalloc's, which takes the place of malloc() and operator new. Builds
// with a sanitizer keep the sanitizer's.
#pragma once

namespace hawker::daemon {

// What the calling thread has freed, and what threads that have ended left, goes back to the
// kernel. Walks through the thread's heap. Any thread.
void give_back_free_memory();

}  // namespace hawker::daemon
