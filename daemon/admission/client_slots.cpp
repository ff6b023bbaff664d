#include "daemon/admission/client_slots.h"

#include <utility>

namespace hawker::admission {

ClientSlots::Clients::iterator ClientSlots::entry_of(std::string_view client) {
    const auto known = clients_.find(client);
    if (known != clients_.end()) return known;
    if (spare_.empty()) return clients_.try_emplace(std::string(client)).first;
    spare_.key() = client;
    return clients_.insert(std::move(spare_)).position;
}

ClientSlots::Place ClientSlots::enter(std::string_view client, std::size_t most,
                                      std::size_t most_waiting, Executor& home) {
    Place place;
    std::vector<std::shared_ptr<Seat>> called;
    {
        const std::scoped_lock lock(mutex_);
        const auto entry = entry_of(client);
        Client& its = entry->second;
        its.most = most;
        called = admit(its);
        if (its.waiting.empty() && its.running < most) {
            ++its.running;
            place.slot.emplace(*this, entry);
        } else if (its.waiting.size() < most_waiting) {
            place.seat = std::make_shared<Seat>(home, *this, entry);
            its.waiting.push_back(place.seat);
            ++waiting_;
        }
    }
    call(called);
    return place;
}

std::vector<std::shared_ptr<ClientSlots::Seat>> ClientSlots::admit(Client& client) {
    std::vector<std::shared_ptr<Seat>> seats;
    while (!client.waiting.empty() && client.running < client.most) {
        seats.push_back(std::move(client.waiting.front()));
        client.waiting.pop_front();
        ++client.running;
        --waiting_;
    }
    return seats;
}

void ClientSlots::give_back(Clients::iterator client) {
    std::vector<std::shared_ptr<Seat>> called;
    {
        const std::scoped_lock lock(mutex_);
        Client& its = client->second;
        --its.running;
        called = admit(its);
        if (its.running == 0 && its.waiting.empty()) spare_ = clients_.extract(client);
    }
    call(called);
}

// Whoever is called holds a slot already.
void ClientSlots::call(const std::vector<std::shared_ptr<Seat>>& seats) {
    for (const std::shared_ptr<Seat>& next : seats)
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
