// The yeses of an access memory on disk, so that they outlive the process: a file of records, and
// beside it the key that names them, both for our user's eyes alone. Neither holds a credential.
//
// Owner:   the access memory. Thread: any; nobody waits: a strand of the pool writes.
// Failure: what cannot be written is not remembered beyond the process: one warning, an empty file.
//          A record that was damaged, cut off or made under another key is none: each carries a
//          keyed sum of its own.
// Stop:    what was noted before the pool stops is written.
#pragma once

#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/executor.h"
#include "base/keyed_hash.h"
#include "base/log.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace hawker::proxy {

class AccessJournal {
public:
    struct Record {
        // yes: this principal may read this task; no: not any more; nobody: no principal may.
        // open, refused, hidden: the words of an AccessMemory::Standing; `until` is when it was
        // heard.
        enum class Kind : std::uint8_t {
            yes = 1,
            no = 2,
            nobody = 3,
            open = 4,
            refused = 5,
            hidden = 6
        };
        Record() = default;
        Record(Kind its_kind, const Digest& its_key, const TaskId& its_task, WallTime its_end)
            : kind(its_kind), key(its_key), task(its_task), until(its_end) {}
        Kind kind = Kind::yes;
        Digest key;
        TaskId task;
        WallTime until;
    };

    // Opens or creates `access` and `access.key` in `directory`. Errc::denied for a key that others
    // could read. `pool` and `log` outlive it.
    static Expected<std::unique_ptr<AccessJournal>> open(const std::filesystem::path& directory,
                                                         Executor& pool, const Log& log);
    virtual ~AccessJournal() = default;

    virtual const KeyedHash& names() const = 0;
    // What was noted in earlier lives, in that order. Once, before anything is noted; may wait for
    // the disk.
    virtual std::vector<Record> recall() = 0;
    virtual void note(const Record& record) = 0;
    // These instead of everything that was noted before.
    virtual void begin_anew(std::vector<Record> records) = 0;
    // Since it was begun.
    virtual std::size_t length() const = 0;
};

}  // namespace hawker::proxy
