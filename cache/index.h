// The durable truth about what is cached: one LMDB environment, one writing thread.
//
// Tables: `objects` task ID -> ObjectRecord; `pieces` task ID + generation + number -> PieceRecord;
// `bodies` generation + task ID
//         -> body; `access` task ID -> last use, hits; `digests` SHA-256 -> task ID; `meta` format
//         version, boot counter, clean mark, stored bytes; `links` names of one file. Records are
//         FlatBuffers (cache/records.fbs); docs/storage.md shows a worked example.
// Owner:  the cache.
// Thread: reads from any thread that may wait for a page fault (the pool); writes are queued from
// any thread without waiting. Order:  mutations take effect in the order they were queued. A batch
// is: fdatasync of every data file it names, then one
//         transaction. So the index never names bytes that are not on disk. Reads see what is
//         committed, nothing queued.
// Failure: a mutation that cannot be written (map full, disk full) is dropped and logged; the
// object is then simply not cached.
//         An object one of whose pieces was dropped is never written as complete. Removals are
//         tried again until they succeed. A row that cannot be read is logged and counts as absent.
// Stop:   close() commits what is queued and sets the clean mark; reads find nothing afterwards.
// Without it (a crash, or the
//         destructor alone) what is queued is lost and the next run trusts no piece unchecked.
#pragma once

#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/executor.h"
#include "base/log.h"
#include "cache/data_files.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hawker::cache {

struct Foundation;

// The bytes of a small representation. Reserved at its full size at once: it never moves, so what
// is below the announced offsets may be read while the rest is written.
using Body = std::vector<std::byte>;

struct ObjectRecord {
    TaskId task;
    std::uint64_t generation = 0;  // names the data file; never used twice for one task
    std::uint64_t size = 0;        // bytes of the whole representation
    std::uint64_t piece_size = 0;  // bytes
    std::string validator;
    std::string head;
    std::optional<Digest> digest;  // verified when `digest_verified`, else expected
    bool digest_verified = false;
    bool complete = false;       // every piece is recorded
    bool inlined = false;        // the body is in `inline`, there is no data file
    std::int64_t stored_at = 0;  // Unix seconds
    std::string label;
    std::string rule;
};

struct PieceRecord {
    std::uint32_t number = 0;
    std::uint32_t length = 0;    // bytes
    std::uint64_t checksum = 0;  // XXH3-64 of the bytes
    std::uint64_t boot = 0;      // the run of the daemon that wrote or last checked it
};

struct AccessRecord {
    std::int64_t used_at = 0;  // Unix seconds
    std::uint64_t hits = 0;
};

// An object, and its body where the index has that.
struct IndexedObject {
    ObjectRecord record;
    std::shared_ptr<Body> body;  // null: in a data file, or damaged
};

// Why a generation is not recorded as it was put.
enum class Loss : std::uint8_t {
    rows,     // they came faster than they could be written, or could not be written at all
    no_room,  // for rows, in the index or on its disk
    bytes,    // the file could not be synced: what is read from it may not be what was written
};

struct IndexOptions {
    std::filesystem::path directory;  // the environment lives in `directory`/index
    std::uint64_t map_size = 0;       // bytes
    std::chrono::milliseconds commit_interval{200};
    std::uint32_t calm_look_ups = 4096;  // see is_in_memory()
    // Told of bytes that have come with a commit, on the writing thread. It does not wait.
    std::function<void(std::uint64_t)> on_stored;
    // Told of generations of which something was given up; there too, and after the commit.
    std::function<void(const TaskId& task, std::uint64_t generation, Loss loss)> on_lost;
};

// A data file that has several names.
struct SharedFile {
    std::uint64_t file = 0;   // told from every other one of the directory
    std::uint64_t names = 0;  // as committed
    std::uint64_t bytes = 0;
};

class Index {
public:
    // Errc::invalid: another format version, another process has it open, a network file system.
    static Expected<std::unique_ptr<Index>> open(const Foundation& foundation,
                                                 const IndexOptions& options, const Clock& clock,
                                                 const Log& log);
    ~Index();
    Index(const Index&) = delete;
    Index& operator=(const Index&) = delete;

    std::optional<ObjectRecord> find(const TaskId& task) const;
    std::vector<PieceRecord> pieces(const TaskId& task,
                                    std::uint64_t generation) const;  // by number
    // Does the data file of that generation belong to an object? An error where nobody can say.
    Expected<bool> names_file(const TaskId& task, std::uint64_t generation) const;
    // As of one snapshot.
    std::optional<IndexedObject> find_with_body(const TaskId& task) const;
    // The last `calm_look_ups` for objects with their bodies found all that they needed in memory,
    // so that one more will hardly wait for the disk.
    bool is_in_memory() const;
    std::optional<TaskId> by_digest(const Digest& digest) const;
    // In task ID order, starting after `after`; stops when `visit` returns false. One snapshot for
    // about a thousand rows: `visit` may call the index, but neither wait nor close it.
    void each(std::optional<TaskId> after,
              const std::function<bool(const ObjectRecord&, const AccessRecord&)>& visit) const;
    std::uint64_t objects() const;
    // All pieces and small bodies, as committed; a data file counts once, however many names it
    // has. Does not wait.
    std::uint64_t stored_bytes() const;
    // The file of a generation that has, or has had, other names for it; nullopt for most.
    std::optional<SharedFile> shared_file(const TaskId& task, std::uint64_t generation) const;
    // Unique over the life of the directory, once the run has begun.
    std::uint64_t next_generation();

    // This run's number, and the oldest run whose pieces are trusted without a check: all, after a
    // clean stop; only this run's, after an unclean one.
    std::uint64_t boot() const;
    std::uint64_t trusted_boot() const;
    // Enters this run, before anything else than the index gets its number or changes its bytes. On
    // disk when it has succeeded: waits until then, the first time. The index itself sees to it
    // before it changes a row.
    Expected<void> begin_run();

    // A record replaces the one before, unless that has a newer generation; with the older
    // generation go its pieces and body (not its data file). The digests table follows a verified
    // digest.
    void put_object(ObjectRecord record);
    // `file` is synced before the batch that names the piece is committed.
    void put_piece(const TaskId& task, std::uint64_t generation, PieceRecord piece,
                   std::shared_ptr<DataFile> file);
    // `record` has become another name for the data file of `of`: `file`, with the same pieces. Its
    // bytes stay counted until both are removed.
    void put_link(ObjectRecord record, std::vector<PieceRecord> pieces,
                  std::shared_ptr<DataFile> file, const TaskId& of, std::uint64_t of_generation);
    // `body` does not change any more.
    void put_inline(ObjectRecord record, std::shared_ptr<const Body> body);
    void forget_piece(const TaskId& task, std::uint64_t generation, std::uint32_t number);
    // Removes the object of that generation with its pieces, body, access and digest rows.
    // `after_commit` runs on the writing thread (it may unlink the data file then, never before).
    void remove(const TaskId& task, std::uint64_t generation, std::function<void()> after_commit);
    // Gathered in memory and written with a later batch; a hit writes nothing by itself.
    void touch(const TaskId& task);
    // Runs `done` on the writing thread once everything queued before is committed or given up;
    // after close() at once. `now` does not wait for the commit interval: it costs a sync of the
    // disk, which others then share.
    enum class When : std::uint8_t { in_turn, now };
    void flush(std::function<void()> done, When when = When::in_turn);
    // What waits for the commit interval is written now.
    void hurry();
    // A flush `now` as a wait, of a thread that may wait for the disk. False: `patience` is over.
    bool wait_for_commit(std::optional<std::chrono::milliseconds> patience = std::nullopt);
    // Changes come faster than they can be written: half as many wait as may, before additions are
    // dropped.
    bool is_behind() const;
    // What waits (bytes), and the additions dropped since the start.
    std::uint64_t waiting_bytes() const;
    std::uint64_t dropped() const;

    void close();

private:
    struct State;
    explicit Index(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hawker::cache
