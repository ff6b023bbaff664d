#include "cache/live_object.h"

#include <algorithm>

namespace hawker::cache {

Representation& LiveState::change() {
    auto changed = std::make_shared<Representation>(*representation);
    Representation& its = *changed;
    representation = std::move(changed);
    return its;
}

bool LiveState::is_flying(std::uint64_t offset) const {
    return std::any_of(flying.begin(), flying.end(), [offset](const ByteRange& segment) {
        return segment.first <= offset && offset < segment.end;
    });
}

void LiveState::want(ByteRange range) {
    if (!holdings.size) return;
    const ByteRange whole(0, *holdings.size);
    goal.add(body || !can_combine() ? whole
                                    : in_whole_pieces(range, holdings.piece_size, *holdings.size));
}

void LiveState::decide_tail() {
    const bool unconfirmed = representation->digest && !digest_verified;
    bool becomes_whole = holdings.all_present() || (fetch && !holdings.size);
    if (unconfirmed && !becomes_whole && fetch && holdings.size) {
        Extents in_the_end = holdings.present;
        for (const ByteRange& wanted : goal.stretches()) in_the_end.add(wanted);
        becomes_whole = in_the_end.contains(ByteRange(0, *holdings.size));
    }
    holdings.tail_is_held = unconfirmed && becomes_whole;
}

ObjectRecord LiveState::record() const {
    ObjectRecord row;
    row.task = representation->task;
    row.generation = representation->generation;
    row.size = representation->size.value_or(0);
    row.piece_size = holdings.piece_size;
    row.validator = representation->validator;
    row.head = representation->head;
    row.digest = representation->digest;
    row.digest_verified = digest_verified;
    row.complete = representation->complete;
    row.inlined = body != nullptr;
    row.stored_at = representation->stored_at;
    row.label = label;
    row.rule = rule;
    return row;
}

LiveObject::Access::~Access() {
    lock_.unlock();
    // A waiter is ours alone once it has left the list: nobody else resumes it, and it cannot go
    // before it is resumed.
    for (Waiter* waiter : woken_) {
        const std::coroutine_handle<> handle = waiter->handle;
        waiter->home.post([handle] { handle.resume(); });
    }
}

void LiveObject::Access::wake_all() {
    ++state_.epoch;
    woken_.insert(woken_.end(), state_.waiters.begin(), state_.waiters.end());
    state_.waiters.clear();
}

void LiveObject::Access::wake_at(ByteRange arrived) {
    ++state_.epoch;
    std::erase_if(state_.waiters, [this, arrived](Waiter* waiter) {
        if (waiter->position < arrived.first || waiter->position >= arrived.end) return false;
        woken_.push_back(waiter);
        return true;
    });
}

bool LiveObject::Changed::await_suspend(std::coroutine_handle<> awaiter) const {
    const std::scoped_lock lock(object_.mutex_);
    if (object_.state_.epoch != seen_) return false;
    waiter_.handle = awaiter;
    object_.state_.waiters.push_back(&waiter_);
    return true;
}

void LiveObject::interrupt(Waiter& waiter) {
    const std::scoped_lock lock(mutex_);
    if (std::erase(state_.waiters, &waiter) == 0) return;
    waiter.home.post([handle = waiter.handle] { handle.resume(); });
}

}  // namespace hawker::cache
