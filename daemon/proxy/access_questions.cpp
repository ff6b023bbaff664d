#include "daemon/proxy/access_questions.h"

#include <utility>

namespace hawker::proxy {

AccessQuestions::Place AccessQuestions::take(const Digest& key, Executor& home) {
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

std::size_t AccessQuestions::open() const {
    const std::scoped_lock lock(mutex_);
    return open_.size();
}

std::size_t AccessQuestions::waiting() const {
    const std::scoped_lock lock(mutex_);
    std::size_t clients = 0;
    for (const auto& [key, seats] : open_) clients += seats.size();
    return clients;
}

void AccessQuestions::settle(const Digest& key, const std::shared_ptr<const Verdict>& verdict) {
    Seats seats;
    {
        const std::scoped_lock lock(mutex_);
        const auto asked = open_.find(key);
        seats = std::move(asked->second);
        open_.erase(asked);
    }
    // A seat is touched on its own loop only; the job keeps it, should its owner have left.
    for (const std::shared_ptr<Seat>& seat : seats)
        seat->home_.post([seat, verdict] {
            seat->settled_ = true;
            seat->verdict_ = verdict;
            seat->wake_.notify_all();
        });
}

AccessQuestions::Lead::~Lead() {
    if (!told_) questions_.settle(key_, nullptr);
}

void AccessQuestions::Lead::tell(const std::shared_ptr<const Verdict>& verdict) {
    told_ = true;
    questions_.settle(key_, verdict);
}

Task<std::shared_ptr<const Verdict>> AccessQuestions::Seat::wait() {
    while (!settled_ && !left_) co_await wake_.wait();
    co_return left_ ? nullptr : verdict_;
}

void AccessQuestions::Seat::leave() {
    left_ = true;
    wake_.notify_all();
}

}  // namespace hawker::proxy
