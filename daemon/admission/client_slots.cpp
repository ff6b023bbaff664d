#include "daemon/admission/client_slots.h"

#include <utility>

namespace hawker::admission {

ClientSlots::Place ClientSlots::enter(const std::string& client, std::size_t most,
                                      std::size_t most_waiting, Executor& home) {
    Place place;
    const std::scoped_lock lock(mutex_);
    Client& its = clients_[client];
    if (its.waiting.empty() && its.running < most) {
        ++its.running;
        place.slot = std::make_unique<Slot>(*this, client);
    } else if (its.waiting.size() < most_waiting) {
        place.seat = std::make_shared<Seat>(home, client);
        its.waiting.push_back(place.seat);
        ++waiting_;
    }
    return place;
}

// The slot goes from hand to hand: whoever is called holds it already.
void ClientSlots::give_back(const std::string& client) {
    std::shared_ptr<Seat> next;
    {
        const std::scoped_lock lock(mutex_);
        const auto found = clients_.find(client);
        Client& its = found->second;
        if (its.waiting.empty()) {
            if (--its.running == 0) clients_.erase(found);
            return;
        }
        next = std::move(its.waiting.front());
        its.waiting.pop_front();
        --waiting_;
    }
    next->home_.post([this, next] {
        if (next->left_) {
            give_back(next->client_);
            return;
        }
        next->called_ = true;
        next->wake_.notify_all();
    });
}

std::size_t ClientSlots::waiting() const {
    const std::scoped_lock lock(mutex_);
    return waiting_;
}

std::size_t ClientSlots::clients() const {
    const std::scoped_lock lock(mutex_);
    return clients_.size();
}

}  // namespace hawker::admission
