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
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace hawker::admission {

class ClientSlots {
public:
    // One transfer under way; it ends with this.
    class Slot {
    public:
        Slot(ClientSlots& slots, std::string client) : slots_(slots), client_(std::move(client)) {}
        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;
        ~Slot() { slots_.give_back(client_); }

    private:
        ClientSlots& slots_;
        const std::string client_;
    };

    // A place in the line.
    class Seat {
    public:
        Seat(Executor& home, std::string client)
            : home_(home), wake_(home), client_(std::move(client)) {}
        // True when it is our turn: the slot is ours to make. False when we left.
        Task<bool> wait() {
            while (!called_ && !left_) co_await wake_.wait();
            co_return !left_;
        }
        void leave() {
            left_ = true;
            wake_.notify_all();
        }

    private:
        friend class ClientSlots;
        Executor& home_;
        Wake wake_;
        const std::string client_;
        bool called_ = false;
        bool left_ = false;
    };

    // At most one of the two; neither when the line is full.
    struct Place {
        std::unique_ptr<Slot> slot;
        std::shared_ptr<Seat> seat;
    };
    Place enter(const std::string& client, std::size_t most, std::size_t most_waiting,
                Executor& home);

    std::size_t waiting() const;
    std::size_t clients() const;  // with a transfer or in line

private:
    struct Client {
        std::size_t running = 0;
        std::deque<std::shared_ptr<Seat>> waiting;
    };
    void give_back(const std::string& client);

    mutable std::mutex mutex_;
    std::map<std::string, Client> clients_;
    std::size_t waiting_ = 0;
};

}  // namespace hawker::admission
