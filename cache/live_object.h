// One representation while anybody uses it: what is known, what is here, who reads, who fetches.
//
// Owner:   shared by the live table, its readers and its fetch. It owns neither index nor cache.
// Thread:  any, through lock(). The lock is short: nobody waits for a disk or calls somebody else
//          while holding it; whom a change wakes is posted to after the lock is released.
// Life:    one object is one generation. When the representation is replaced or removed the object
//          is retired: it leaves the table, nothing of it is recorded any more, and a new object
//          takes the task.
#pragma once

#include "base/executor.h"
#include "cache/data_files.h"
#include "cache/holdings.h"
#include "cache/planner.h"
#include "cache/reader.h"
#include "cache/source_book.h"

#include <coroutine>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace hawker::cache {

class Fetch;

enum class Phase : std::uint8_t {
    unloaded,  // nobody has looked into the index yet
    loading,   // somebody is looking
    absent,    // nothing is stored
    opening,   // somebody is asking a source
    ready,     // the representation is known
};

// Somebody who waits for a change. At most one wait at a time.
struct Waiter {
    explicit Waiter(Executor& executor) : home(executor) {}
    Executor& home;
    std::coroutine_handle<> handle;
    std::uint64_t position = 0;  // the byte that is waited for
};

struct LiveState {
    Phase phase = Phase::unloaded;
    std::shared_ptr<const Representation> representation = std::make_shared<Representation>();
    std::string label, rule;
    Holdings holdings;
    std::shared_ptr<DataFile> file;  // null for a small body
    std::shared_ptr<Body> body;      // null for a file
    bool digest_verified = false;
    // The first byte that has left since a running hash may have seen it.
    std::uint64_t rehash_from = kNoEnd;
    bool recordable = true;  // the index may be told about it
    bool recorded = false;   // the index knows the object
    // Pieces that are here, and could not be summed up, or must not be recorded yet.
    std::set<std::uint32_t> unrecorded;
    // Pieces with bytes that came under another validator. Only the digest of the whole tells
    // whether they are of this content: until then they are not recorded, or a crash would keep
    // the mixture.
    std::set<std::uint32_t> foreign;
    bool retired = false;          // no longer the task's; see above
    std::optional<Error> failure;  // what every reader gets from now on

    unsigned declined = 0;     // leaders of the opening who got an answer that is not for storing
    std::vector<Need*> needs;  // of every reader
    Extents goal;              // what anybody ever wanted, in whole pieces
    SourceBook sources;
    std::vector<ByteRange> flying;     // segments under way
    std::shared_ptr<Fetch> fetch;      // the running one
    bool born_of_fetch = false;        // the running fetch found nothing stored
    bool was_joined = false;           // the running fetch has had a reader
    std::uint64_t fetches = 0;         // begun so far; the number of the running one
    std::optional<Error> fetch_error;  // of the last one that ended

    std::uint64_t epoch = 0;  // counts changes
    std::vector<Waiter*> waiters;

    // A copy of the representation that takes its place: readers keep the one that they have seen.
    // Before the lock is released.
    Representation& change();
    bool is_flying(std::uint64_t offset) const;
    // Somebody wants `range`. A small body, and one that nothing can be combined with, is only
    // fetched whole.
    void want(ByteRange range);
    // May bytes of two transfers be parts of one representation?
    bool can_combine() const {
        return !representation->validator.empty() || representation->digest;
    }
    // A known digest is not confirmed yet, and will be, once what is missing is here.
    void decide_tail();
    ObjectRecord record() const;
};

class LiveObject {
public:
    explicit LiveObject(const TaskId& id) : task(id) {}
    LiveObject(const LiveObject&) = delete;
    LiveObject& operator=(const LiveObject&) = delete;

    const TaskId task;

    // The state, for as long as this lives. Never across a co_await.
    class Access {
    public:
        explicit Access(LiveObject& object) : state_(object.state_), lock_(object.mutex_) {}
        Access(const Access&) = delete;
        Access& operator=(const Access&) = delete;
        ~Access();

        LiveState* operator->() { return &state_; }
        LiveState& operator*() { return state_; }
        // Something changed: whoever waits looks again.
        void wake_all();
        // Bytes arrived: whoever waits for one of them looks again.
        void wake_at(ByteRange arrived);

    private:
        LiveState& state_;
        std::unique_lock<std::mutex> lock_;
        std::vector<Waiter*> woken_;
    };
    Access lock() { return Access(*this); }

    // co_await object.changed(waiter, seen): goes on, on the waiter's home, after a change since
    // epoch `seen`.
    class Changed {
    public:
        Changed(LiveObject& object, Waiter& waiter, std::uint64_t seen)
            : object_(object), waiter_(waiter), seen_(seen) {}
        bool await_ready() const noexcept { return false; }
        bool await_suspend(std::coroutine_handle<> awaiter) const;
        void await_resume() const noexcept {}

    private:
        LiveObject& object_;
        Waiter& waiter_;
        std::uint64_t seen_;
    };
    Changed changed(Waiter& waiter, std::uint64_t seen) { return Changed(*this, waiter, seen); }
    // Wakes this one waiter, if it waits.
    void interrupt(Waiter& waiter);

private:
    std::mutex mutex_;
    LiveState state_;
};

}  // namespace hawker::cache
