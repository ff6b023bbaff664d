// How much one client may do at once: so many transfers, and so many more that wait in line. A
// greedy client stands in its own line, never in another's.
//
// Owner:   the server; outlives every slot. Thread: any; a Seat belongs to the thread of its home.
// Failure: none; who finds the line full is told so.
// Stop:    a Seat that is dropped leaves the line.
#pragma once

#include "base/executor.h"
#include "base/task.h"
#include "base/wake.h"

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hawker::admission {

class ClientSlots {
public:
    class Seat;

private:
    struct Client {
        std::size_t running = 0;
        std::size_t most = 0;                      // at once; as whoever came last was told
        std::list<std::shared_ptr<Seat>> waiting;  // an empty one holds no memory
    };
    using Clients = std::map<std::string, Client, std::less<>>;

public:
    // One transfer under way; it ends with this.
    class Slot {
    public:
        Slot(ClientSlots& slots, Clients::iterator client) : slots_(&slots), client_(client) {}
        Slot(Slot&& other) noexcept
            : slots_(std::exchange(other.slots_, nullptr)), client_(other.client_) {}
        Slot& operator=(Slot&&) = delete;
        ~Slot() {
            if (slots_) slots_->give_back(client_);
        }

    private:
        ClientSlots* slots_;
        Clients::iterator client_;
    };

    // A place in the line.
    class Seat {
    public:
        Seat(Executor& home, ClientSlots& slots, Clients::iterator client)
            : home_(home), wake_(home), slots_(slots), client_(client) {}
        // The slot, when it is our turn; nullopt when we left before.
        Task<std::optional<Slot>> wait() {
            while (!called_ && !left_) co_await wake_.wait();
            std::optional<Slot> slot;
            if (called_) slot.emplace(slots_, client_);
            co_return slot;
        }
        void leave() {
            left_ = true;
            wake_.notify_all();
        }

    private:
        friend class ClientSlots;
        Executor& home_;
        Wake wake_;
        ClientSlots& slots_;
        const Clients::iterator client_;
        bool called_ = false;
        bool left_ = false;
    };

    // At most one of the two; neither when the line is full. `most` holds for all of the client's
    // from here on, those in line too.
    struct Place {
        std::optional<Slot> slot;
        std::shared_ptr<Seat> seat;
    };
    Place enter(std::string_view client, std::size_t most, std::size_t most_waiting,
                Executor& home);

    std::size_t waiting() const;
    std::size_t clients() const;  // with a transfer or in line

private:
    Clients::iterator entry_of(std::string_view client);
    void give_back(Clients::iterator client);
    // Who may go now, each with a slot. The lock is held.
    std::vector<std::shared_ptr<Seat>> admit(Client& client);
    void call(const std::vector<std::shared_ptr<Seat>>& seats);

    mutable std::mutex mutex_;
    Clients
        clients_;  // with a transfer or in line: an entry stays where it is as long as it is used
    // The entry of whoever left last: a client that asks again and again needs no new one.
    Clients::node_type spare_;
    std::size_t waiting_ = 0;
};

}  // namespace hawker::admission
