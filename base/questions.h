// Questions that cost something, asked once for all who need the answer at the same time, on
// however many loops. An answer is for those who waited; whoever comes later asks again.
//
// Owner:   outlives every place that was taken.
// Thread:  take() and Lead::tell() any; a Seat belongs to the thread of the executor that took it.
// Failure: take() gives neither when too many questions are open.
// Stop:    a Lead that is dropped without a word sends those who wait to ask again, one of them as
//          the next lead; Seat::leave() ends one wait.
#pragma once

#include "base/digest.h"
#include "base/task.h"
#include "base/wake.h"

#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace hawker {

template <typename Answer>
class Questions {
public:
    using Shared = std::shared_ptr<const Answer>;
    class Lead;
    class Seat;
    // At most one of the two.
    struct Place {
        std::unique_ptr<Lead> lead;  // it is ours to ask
        std::shared_ptr<Seat> seat;  // somebody is asking: wait
    };

    explicit Questions(std::size_t most) : most_(most) {}
    Questions(const Questions&) = delete;
    Questions& operator=(const Questions&) = delete;

    Place take(const Digest& key, Executor& home) {
        Place place;
        const std::scoped_lock lock(mutex_);
        if (const auto asked = open_.find(key); asked != open_.end()) {
            place.seat = std::make_shared<Seat>(home);
            asked->second.push_back(place.seat);
        } else if (open_.size() < most_) {
            open_.emplace(key, Seats());
            place.lead = std::make_unique<Lead>(*this, key);
        }
        return place;
    }
    std::size_t open() const {
        const std::scoped_lock lock(mutex_);
        return open_.size();
    }
    // Those with a seat.
    std::size_t waiting() const {
        const std::scoped_lock lock(mutex_);
        std::size_t seats = 0;
        for (const auto& [key, each] : open_) seats += each.size();
        return seats;
    }

private:
    using Seats = std::vector<std::shared_ptr<Seat>>;

    void settle(const Digest& key, const Shared& answer) {
        Seats seats;
        {
            const std::scoped_lock lock(mutex_);
            const auto asked = open_.find(key);
            seats = std::move(asked->second);
            open_.erase(asked);
        }
        // A seat is touched on its own thread only; the job keeps it, should its owner have left.
        for (const std::shared_ptr<Seat>& seat : seats)
            seat->home_.post([seat, answer] {
                seat->settled_ = true;
                seat->answer_ = answer;
                seat->wake_.notify_all();
            });
    }

    const std::size_t most_;
    mutable std::mutex mutex_;
    std::unordered_map<Digest, Seats> open_;
};

template <typename Answer>
class Questions<Answer>::Lead {
public:
    Lead(Questions& questions, const Digest& key) : questions_(questions), key_(key) {}
    Lead(const Lead&) = delete;
    Lead& operator=(const Lead&) = delete;
    ~Lead() {
        if (!told_) questions_.settle(key_, nullptr);
    }
    // Once.
    void tell(const Shared& answer) {
        told_ = true;
        questions_.settle(key_, answer);
    }

private:
    Questions& questions_;
    const Digest key_;
    bool told_ = false;
};

template <typename Answer>
class Questions<Answer>::Seat {
public:
    explicit Seat(Executor& home) : home_(home), wake_(home) {}
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;
    // The answer; null when the lead went without one (take a place again) or we left.
    Task<Shared> wait() {
        while (!settled_ && !left_) co_await wake_.wait();
        co_return left_ ? nullptr : answer_;
    }
    void leave() {
        left_ = true;
        wake_.notify_all();
    }
    bool has_left() const { return left_; }

private:
    friend class Questions;
    Executor& home_;
    Wake wake_;
    bool settled_ = false;
    bool left_ = false;
    Shared answer_;
};

}  // namespace hawker
