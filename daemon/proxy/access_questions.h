// The questions of `access: verify` that are being asked of origins now: one for each principal and
// task, however many clients on however many loops wait for its answer. An answer is for those who
// waited; whoever comes later asks again, so a no is never remembered.
//
// Owner:   the access memory; outlives every place that was taken.
// Thread:  take() any; a Lead and a Seat belong to the loop that took them.
// Failure: take() gives neither when too many questions are open: the client's own request may go
//          to the origin instead.
// Stop:    a Lead that is dropped without a word sends those who wait to ask again, one of them as
//          the next lead; Seat::leave() ends one wait.
#pragma once

#include "base/digest.h"
#include "base/wake.h"
#include "cache/source.h"
#include "daemon/http/message.h"

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace hawker::proxy {

// The origin's own no, as every client that waited for it may see it.
struct Refusal {
    http::ResponseHead head;
    std::string body;
};

struct Verdict {
    explicit Verdict(Expected<cache::Arrival> what_it_has) : now(std::move(what_it_has)) {}
    Expected<cache::Arrival> now;  // yes, and what the origin has; or why there is no yes
    std::optional<Refusal> refusal;
};

class AccessQuestions {
public:
    class Lead;
    class Seat;
    // At most one of the two.
    struct Place {
        std::unique_ptr<Lead> lead;  // it is ours to ask
        std::shared_ptr<Seat> seat;  // somebody is asking: wait
    };

    explicit AccessQuestions(std::size_t most) : most_(most) {}
    AccessQuestions(const AccessQuestions&) = delete;
    AccessQuestions& operator=(const AccessQuestions&) = delete;
    Place take(const Digest& key, Executor& home);
    std::size_t open() const;
    std::size_t waiting() const;  // clients with a seat

private:
    using Seats = std::vector<std::shared_ptr<Seat>>;
    void settle(const Digest& key, const std::shared_ptr<const Verdict>& verdict);

    const std::size_t most_;
    mutable std::mutex mutex_;
    std::unordered_map<Digest, Seats> open_;
};

class AccessQuestions::Lead {
public:
    Lead(AccessQuestions& questions, const Digest& key) : questions_(questions), key_(key) {}
    Lead(const Lead&) = delete;
    Lead& operator=(const Lead&) = delete;
    ~Lead();
    // Once.
    void tell(const std::shared_ptr<const Verdict>& verdict);

private:
    AccessQuestions& questions_;
    const Digest key_;
    bool told_ = false;
};

class AccessQuestions::Seat {
public:
    explicit Seat(Executor& home) : home_(home), wake_(home) {}
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;
    // The verdict; null when the lead went without one (take a place again) or we left.
    Task<std::shared_ptr<const Verdict>> wait();
    void leave();
    bool has_left() const { return left_; }

private:
    friend class AccessQuestions;
    Executor& home_;
    Wake wake_;
    bool settled_ = false;
    bool left_ = false;
    std::shared_ptr<const Verdict> verdict_;
};

}  // namespace hawker::proxy
