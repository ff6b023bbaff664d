#include "base/shared_trips.h"

#include <utility>

namespace hawker {

// The first of a turn sees to the departure, which comes after everything that is ready now.
void SharedTrips::board(Executor& home, Passenger& passenger) {
    bool is_first = false;
    {
        const std::scoped_lock lock(mutex_);
        Group& group = waiting_[&home];
        is_first = group.empty();
        group.push_back(&passenger);
    }
    if (is_first) home.post([this, &home] { depart(home); });
}

void SharedTrips::depart(Executor& home) {
    Group all;
    {
        const std::scoped_lock lock(mutex_);
        all = std::move(waiting_.extract(&home).mapped());
    }
    for (std::size_t first = 0; first < all.size(); first += kTogether) {
        const std::size_t end = std::min(first + kTogether, all.size());
        Group group(all.begin() + static_cast<std::ptrdiff_t>(first),
                    all.begin() + static_cast<std::ptrdiff_t>(end));
        pool_.post([&home, group = std::move(group)]() mutable {
            for (Passenger* passenger : group) passenger->work();
            home.post([group = std::move(group)] {
                for (Passenger* passenger : group) passenger->awaiter.resume();
            });
        });
    }
}

}  // namespace hawker
