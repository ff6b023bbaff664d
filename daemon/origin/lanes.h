// How many requests run at once to each origin, over all loops; the rest wait in the order they
// came, whoever they are for. libcurl's own limit is not used: its timeouts run while a request is
// still queued.
//
// A part of something that is already being fetched is different: it never waits. It goes when
// there are places to spare (a quarter is kept for others), else it is told so, and its fetch goes
// on with the parts it has. So no fetch, however many parts it has, can keep another from its
// first byte, and nobody who holds a place ever waits for a second one.
//
// Owner:  whoever makes the clients; they share one.
// Thread: any. depart() runs as a job of the ticket's home, never inside a call.
#pragma once

#include "base/executor.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace hawker::origin {

class Lanes : public std::enable_shared_from_this<Lanes> {
public:
    class Passenger {
    public:
        // Its turn has come; it holds a place until leave().
        virtual void depart() = 0;

    protected:
        ~Passenger() = default;
    };

    // One request's place in the queue. The passenger lives until its stop_waiting() or depart().
    struct Ticket {
        Ticket(Executor& its_home, Passenger& its_passenger, std::string its_origin)
            : home(its_home), passenger(&its_passenger), origin(std::move(its_origin)) {}
        Executor& home;
        Passenger* passenger;  // touched on `home` only; null: it has left
        std::string origin;
    };
    enum class Kind : std::uint8_t { first, further_part };
    enum class Entry : std::uint8_t {
        go,    // it has a place until leave()
        wait,  // depart() will be called
        full   // too many wait, or no place is to spare
    };

    void set_limits(std::size_t width, std::size_t most_waiting);

    Entry enter(const std::shared_ptr<Ticket>& ticket, Kind kind);
    // On the ticket's home, instead of waiting any longer.
    void stop_waiting(Ticket& ticket);
    // Who held a place gives it to the next one.
    void leave(const std::string& origin);

    // Requests that wait now, for all origins.
    std::size_t waiting() const;

private:
    struct Lane {
        std::size_t running = 0;
        std::deque<std::shared_ptr<Ticket>> waiting;
    };

    void admit(Lane& lane, std::vector<std::shared_ptr<Ticket>>& admitted);
    void call(const std::vector<std::shared_ptr<Ticket>>& admitted);

    mutable std::mutex mutex_;
    std::map<std::string, Lane> lanes_;
    std::size_t width_ = 64;
    std::size_t most_waiting_ = 1024;  // for each origin
    std::size_t waiting_ = 0;
};

}  // namespace hawker::origin
