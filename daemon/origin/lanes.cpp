#include "daemon/origin/lanes.h"

#include <algorithm>
#include <utility>

namespace hawker::origin {

void Lanes::set_limits(std::size_t width, std::size_t most_waiting) {
    std::vector<std::shared_ptr<Ticket>> admitted;
    {
        const std::scoped_lock lock(mutex_);
        width_ = std::max<std::size_t>(1, width);
        most_waiting_ = most_waiting;
        for (auto& [origin, lane] : lanes_) admit(lane, admitted);
    }
    call(admitted);
}

Lanes::Entry Lanes::enter(const std::shared_ptr<Ticket>& ticket, Kind kind) {
    const std::scoped_lock lock(mutex_);
    Lane& lane = lanes_[ticket->origin];
    const std::size_t kept = kind == Kind::first ? 0 : std::max<std::size_t>(1, width_ / 4);
    if (lane.waiting.empty() && lane.running + kept < width_) {
        ++lane.running;
        return Entry::go;
    }
    // Nothing is left behind for an origin that nobody asks.
    if (kind == Kind::further_part || lane.waiting.size() >= most_waiting_) {
        if (lane.running == 0 && lane.waiting.empty()) lanes_.erase(ticket->origin);
        return Entry::full;
    }
    lane.waiting.push_back(ticket);
    ++waiting_;
    return Entry::wait;
}

void Lanes::stop_waiting(Ticket& ticket) {
    ticket.passenger = nullptr;  // if it was admitted meanwhile, its job gives the place back
    const std::scoped_lock lock(mutex_);
    const auto it = lanes_.find(ticket.origin);
    if (it == lanes_.end()) return;
    waiting_ -= std::erase_if(it->second.waiting,
                              [&ticket](const auto& each) { return each.get() == &ticket; });
}

void Lanes::leave(const std::string& origin) {
    std::vector<std::shared_ptr<Ticket>> admitted;
    {
        const std::scoped_lock lock(mutex_);
        const auto it = lanes_.find(origin);
        if (it == lanes_.end()) return;
        --it->second.running;
        admit(it->second, admitted);
        if (it->second.running == 0) lanes_.erase(it);
    }
    call(admitted);
}

std::size_t Lanes::waiting() const {
    const std::scoped_lock lock(mutex_);
    return waiting_;
}

void Lanes::admit(Lane& lane, std::vector<std::shared_ptr<Ticket>>& admitted) {
    while (!lane.waiting.empty() && lane.running < width_) {
        admitted.push_back(std::move(lane.waiting.front()));
        lane.waiting.pop_front();
        ++lane.running;
        --waiting_;
    }
}

// Without the lock: what is posted may run at once on another thread.
void Lanes::call(const std::vector<std::shared_ptr<Ticket>>& admitted) {
    for (const auto& ticket : admitted)
        ticket->home.post([lanes = shared_from_this(), ticket] {
            if (ticket->passenger)
                ticket->passenger->depart();
            else
                lanes->leave(ticket->origin);
        });
}

}  // namespace hawker::origin
