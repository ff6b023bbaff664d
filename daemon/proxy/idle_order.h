// The connections of a loop that wait for a request, in the order in which they began to wait.
// Being busy costs nothing: who is in the order carries its own links.
//
// Owner: the loop's proxy; outlives its members. Thread: the loop's.
#pragma once

#include "base/clock.h"

namespace hawker::proxy {

class IdleOrder {
public:
    // Derived from by what stands in the order. Dropping it takes it out.
    class Member {
    public:
        Member() = default;
        ~Member() { leave(); }
        Member(const Member&) = delete;
        Member& operator=(const Member&) = delete;

        // At the end. To be called by one that is not in any order.
        void join(IdleOrder& order, SteadyTime now);
        // Nothing for one that is in no order.
        void leave();
        SteadyTime idle_since() const { return since_; }

    private:
        friend class IdleOrder;
        Member* before_ = nullptr;
        Member* after_ = nullptr;
        SteadyTime since_{};
    };

    IdleOrder() { ends_.before_ = ends_.after_ = &ends_; }
    IdleOrder(const IdleOrder&) = delete;
    IdleOrder& operator=(const IdleOrder&) = delete;

    // Who has waited longest; null when nobody waits.
    Member* longest() { return ends_.after_ == &ends_ ? nullptr : ends_.after_; }

private:
    Member ends_;
};

inline void IdleOrder::Member::join(IdleOrder& order, SteadyTime now) {
    since_ = now;
    after_ = &order.ends_;
    before_ = order.ends_.before_;
    before_->after_ = this;
    order.ends_.before_ = this;
}

inline void IdleOrder::Member::leave() {
    if (!before_) return;
    before_->after_ = after_;
    after_->before_ = before_;
    before_ = after_ = nullptr;
}

}  // namespace hawker::proxy
