#include "base/frames.h"

#include <algorithm>
#include <array>
#include <new>

namespace hawker::detail {

namespace {

constexpr std::size_t kStep = 64;
constexpr std::size_t kLargest = 4096;
constexpr std::size_t kKeptOfOneSize = 16'384;
constexpr unsigned kKeptAtLeast = 4;

// A sanitizer wants to see each frame come and go.
#ifdef __has_feature
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

struct Left {
    Left* next;
};

struct Shelf {
    Left* first = nullptr;
    unsigned count = 0;
};

class Shelves {
public:
    Shelves() = default;
    Shelves(const Shelves&) = delete;
    Shelves& operator=(const Shelves&) = delete;
    ~Shelves() {
        for (Shelf& shelf : shelves_)
            while (void* const frame = take(shelf)) ::operator delete(frame);
        is_gone = true;
    }

    static void* take(Shelf& shelf) {
        Left* const frame = shelf.first;
        if (frame == nullptr) return nullptr;
        shelf.first = frame->next;
        --shelf.count;
        return frame;
    }
    static bool put(Shelf& shelf, void* frame, std::size_t size) {
        if (shelf.count >= std::max<std::size_t>(kKeptAtLeast, kKeptOfOneSize / size)) return false;
        // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): the frame is kept, not owned
        shelf.first = ::new (frame) Left{shelf.first};
        ++shelf.count;
        return true;
    }
    Shelf& of(std::size_t steps) { return shelves_[steps - 1]; }

    // Frames may end while a thread's own objects do.
    static thread_local bool is_gone;

private:
    std::array<Shelf, kLargest / kStep> shelves_;
};

thread_local bool Shelves::is_gone = false;
thread_local Shelves shelves;

std::size_t steps_of(std::size_t size) { return (size + kStep - 1) / kStep; }
bool is_kept(std::size_t size) { return !kSanitized && size <= kLargest && !Shelves::is_gone; }

}  // namespace

void* take_frame(std::size_t size) {
    const std::size_t steps = steps_of(size);
    if (is_kept(size))
        if (void* const frame = Shelves::take(shelves.of(steps))) return frame;
    return ::operator new(steps * kStep);
}

void leave_frame(void* frame, std::size_t size) noexcept {
    const std::size_t steps = steps_of(size);
    if (is_kept(size) && Shelves::put(shelves.of(steps), frame, steps * kStep)) return;
    ::operator delete(frame);
}

}  // namespace hawker::detail
