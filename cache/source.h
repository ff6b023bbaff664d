// What the cache needs from the world: somewhere that bytes come from. The origin is one, a peer
// node is another, a test has its own. No URL, no header, no socket.
#pragma once

#include "base/byte_range.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/executor.h"
#include "base/task.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace hawker::cache {

// What a source says about the bytes it is about to deliver.
struct Arrival {
    std::uint64_t offset = 0;             // where the first byte belongs in the representation
    std::optional<std::uint64_t> length;  // bytes this transfer will deliver, when known
    std::optional<std::uint64_t> size;    // of the whole representation, when known
    bool ranged = false;  // the source honours ranges: more segments may run beside this one
    bool end_is_certain =
        true;               // false: the end cannot be told from a broken connection; never stored
    std::string validator;  // strong, opaque; empty: nothing to combine segments by
    std::string head;       // opaque; kept with the representation and given back to readers
    std::optional<Digest> digest;  // the source's own word for the content's SHA-256
};

// One running transfer.
//
// Owner:   the segment that asked for it. Dropping it ends the transfer; no await may be pending
//          then (cancel() first).
// Thread:  the `home` it was opened on.
class Transfer {
public:
    virtual ~Transfer() = default;

    // Once, first. Errors:
    //   refused      these credentials do not open it (401, 403); others may
    //   not_found    it is not there (404, 410)
    //   unavailable  busy or down; retry_after when the source said so
    //   unsupported  a fine answer for a client, but not a thing to store
    //   invalid      an answer that contradicts the request (wrong range, empty partial answer):
    //                nothing of it may be used
    //   changed      the range cannot be satisfied any more: the representation is another one
    //                (416)
    //   closed, timed_out, cancelled
    virtual Task<Expected<Arrival>> head() = 0;

    // The next bytes, in order; empty at the certain end. Valid until the next call. `closed` when
    // the transfer fell short. Never delivers more than Arrival::length.
    virtual Task<Expected<std::span<const std::byte>>> read() = 0;

    // Makes pending and later awaits return Errc::cancelled. Idempotent.
    virtual void cancel() = 0;
};

// How to ask for bytes on behalf of one principal. Immutable and shared: the fetch opens it on its
// own loop, whoever brought it.
class Source {
public:
    virtual ~Source() = default;
    // `range` whole: ask without a range. Never fails: what goes wrong is told by head().
    virtual std::unique_ptr<Transfer> open(const RangeSpec& range, Executor& home) const = 0;
};

}  // namespace hawker::cache
