// One client's cursor over one task. It never cares whether the bytes are old, new or still
// arriving.
//
// Owner:   the exchange. Dropping it leaves the fetch (which goes on or stops by the rule's
//          on_abandon).
// Thread:  the `home` it was opened on. cancel() there too.
#pragma once

#include "base/byte_range.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/task.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hawker::cache {

// How a reader came to its bytes.
enum class Origin : std::uint8_t {
    hit,      // the representation was there, whole
    partial,  // it was there in part; what is missing is fetched
    led,  // absent: this reader's own source began the fetch, and its answer was the proof that it
          // may
    joined,  // absent before: somebody else's fetch was already running
};

// What a caller has made of a representation's head.
struct Derived {
    virtual ~Derived() = default;
};

// Keeps the first one, beside the head that it was made of; a copy begins empty. Thread: any.
class DerivedSlot {
public:
    DerivedSlot() = default;
    DerivedSlot(const DerivedSlot& /*other*/) {}
    DerivedSlot& operator=(const DerivedSlot& other);
    ~DerivedSlot() { const std::unique_ptr<const Derived> mine(kept_.load()); }

    const Derived* get() const { return kept_.load(std::memory_order_acquire); }
    // The one that is kept from now on: this one, or what somebody else was quicker with.
    const Derived& keep(std::unique_ptr<const Derived> made) const;

private:
    mutable std::atomic<const Derived*> kept_{nullptr};
};

// What is known about the representation.
struct Representation {
    TaskId task;
    std::uint64_t generation = 0;
    std::optional<std::uint64_t> size;  // unknown while a body of unknown length arrives
    std::string validator;              // empty when the source gave none
    std::string head;                   // opaque, from Arrival::head
    std::optional<Digest> digest;       // verified, or expected
    std::int64_t stored_at = 0;         // Unix seconds of the first byte
    bool complete = false;
    DerivedSlot derived;  // from `head` and `size`
};

// Bytes to send next: of a file (fd >= 0), or in memory. Both stay valid until the next call on the
// reader.
struct Run {
    int fd = -1;
    std::uint64_t offset = 0;          // in the file = in the representation
    std::uint64_t length = 0;          // 0: the end
    std::span<const std::byte> bytes;  // when fd < 0
    // Of a file, not all of it in memory: whoever reads it may wait for the disk, so no loop does.
    bool is_cold = false;
    std::uint64_t ahead = 0;  // when cold: so many bytes behind it will be wanted next
    bool at_end() const { return length == 0; }
};

class Reader {
public:
    virtual ~Reader() = default;

    // As it was when the reader was opened.
    virtual const Representation& representation() const = 0;
    virtual Origin origin() const = 0;

    // Which bytes next() will deliver; the whole representation at first. Once, before the first
    // next().
    virtual void select(ByteRange range) = 0;

    // The next run, at most `most` bytes, as soon as one byte of it is there. Errors:
    //   changed      the representation was replaced under the reader: cut the response, or open
    //                the task again while no byte of it was sent
    //   corrupt      verification failed: cut the response, nothing was kept
    //   exhausted    no room to store the rest: go on from position() straight from the origin
    //   refused, not_found, unavailable, closed, timed_out, shutting_down  no source can deliver
    //                                                                      the rest
    virtual Task<Expected<Run>> next(std::uint64_t most) = 0;

    // What next() handed out counts as not delivered from `position` on: it could not be read, or
    // its reader cannot wait. next() goes on there and brings the bytes into memory first; those
    // that cannot be read are given up and fetched again.
    virtual void take_back(std::uint64_t position) = 0;

    // Of the next byte to be delivered.
    virtual std::uint64_t position() const = 0;

    // True once next() has had to wait for bytes that were still to arrive.
    virtual bool waited() const = 0;

    // Ends a pending next() with Errc::cancelled; for a client that went away.
    virtual void cancel() = 0;
};

}  // namespace hawker::cache
