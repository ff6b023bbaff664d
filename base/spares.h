// Things that are lent for a while and come back: whoever takes the next one finds the room that
// the last one has grown, and asks the heap for nothing.
//
// Owner:  outlives all that it has lent. Thread: one.
// Bound:  `most` wait for the next; T::clear() says how much room each of them keeps.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace hawker {

// Empties a text, which keeps its room for the next one unless it had grown beyond what is usual.
inline void clear_text(std::string& text) {
    constexpr std::size_t kUsual = 2048;
    if (text.capacity() > kUsual)
        std::string().swap(text);
    else
        text.clear();
}

template <typename T>
class Spares {
public:
    explicit Spares(std::size_t most) { kept_.reserve(most); }
    Spares(const Spares&) = delete;
    Spares& operator=(const Spares&) = delete;
    ~Spares() = default;

    struct GiveBack {
        Spares* home = nullptr;
        void operator()(T* thing) const noexcept { home->keep(std::unique_ptr<T>(thing)); }
    };
    using Lent = std::unique_ptr<T, GiveBack>;

    // Empty, as after clear().
    Lent take() {
        std::unique_ptr<T> thing;
        if (kept_.empty()) {
            thing = std::make_unique<T>();
        } else {
            thing = std::move(kept_.back());
            kept_.pop_back();
        }
        return Lent(thing.release(), GiveBack(this));
    }

private:
    void keep(std::unique_ptr<T> thing) noexcept {
        if (kept_.size() == kept_.capacity()) return;
        thing->clear();
        kept_.push_back(std::move(thing));
    }

    std::vector<std::unique_ptr<T>> kept_;
};

}  // namespace hawker
