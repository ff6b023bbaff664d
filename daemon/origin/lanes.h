// How many transfers run at once to each origin; the rest wait in the order they came. libcurl's
// own limit is not used: its timeouts run while a request is still queued. Not a door.
//
// Thread: the loop's.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <string>

namespace hawker::origin {

class Lanes {
public:
    class Passenger {
    public:
        // Its turn has come; it holds a place until leave().
        virtual void depart() = 0;

    protected:
        ~Passenger() = default;
    };

    void set_width(long width) { width_ = std::max(1L, width); }

    // True: go at once. False: depart() will be called.
    bool enter(const std::string& origin, Passenger& passenger) {
        Lane& lane = lanes_[origin];
        if (lane.running < width_) {
            ++lane.running;
            return true;
        }
        lane.waiting.push_back(&passenger);
        return false;
    }

    // Who held a place gives it to the next one.
    void leave(const std::string& origin) {
        const auto it = lanes_.find(origin);
        if (it == lanes_.end()) return;
        --it->second.running;
        admit(it);
    }

    void stop_waiting(const std::string& origin, Passenger& passenger) {
        const auto it = lanes_.find(origin);
        if (it != lanes_.end()) std::erase(it->second.waiting, &passenger);
    }

private:
    struct Lane {
        long running = 0;
        std::deque<Passenger*> waiting;
    };

    void admit(std::map<std::string, Lane>::iterator it) {
        Lane& lane = it->second;
        if (lane.waiting.empty()) {
            if (lane.running == 0) lanes_.erase(it);
            return;
        }
        if (lane.running >= width_) return;
        Passenger* next = lane.waiting.front();
        lane.waiting.pop_front();
        ++lane.running;
        next->depart();  // last: it may call back
    }

    std::map<std::string, Lane> lanes_;
    long width_ = 64;
};

}  // namespace hawker::origin
