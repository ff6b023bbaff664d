#include "cache/reader.h"

namespace hawker::cache {

DerivedSlot& DerivedSlot::operator=(const DerivedSlot& other) {
    if (this != &other) const std::unique_ptr<const Derived> old(kept_.exchange(nullptr));
    return *this;
}

const Derived& DerivedSlot::keep(std::unique_ptr<const Derived> made) const {
    const Derived* kept = nullptr;
    if (kept_.compare_exchange_strong(kept, made.get(), std::memory_order_acq_rel))
        kept = made.release();
    return *kept;
}

}  // namespace hawker::cache
