// The changes to the index, and what each does to the rows. Pure towards the world: rows in, rows
// out, within one transaction.
#pragma once

#include "cache/index.h"
#include "cache/index_tables.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace hawker::cache {

struct PutObject {
    ObjectRecord record;
};
struct PutPiece {
    TaskId task;
    std::uint64_t generation;
    PieceRecord piece;
    std::shared_ptr<DataFile> file;
};
// Another task has become a name of a data file that is there: its object and all its pieces, or
// nothing of it.
struct PutLink {
    ObjectRecord record;
    std::vector<PieceRecord> pieces;
    std::shared_ptr<DataFile> file;
    TaskId of;
    std::uint64_t of_generation;
};
struct PutInline {
    ObjectRecord record;
    std::shared_ptr<const Body> body;
};
struct ForgetPiece {
    TaskId task;
    std::uint64_t generation;
    std::uint32_t number;
};
struct Remove {
    TaskId task;
    std::uint64_t generation;
    std::function<void()> after_commit;
};
struct Flush {
    std::function<void()> done;
    bool now;
};
using Mutation = std::variant<PutObject, PutPiece, PutLink, PutInline, ForgetPiece, Remove, Flush>;

// Whether it adds rows: such a mutation may be dropped when there is no room, and nothing is wrong
// afterwards.
bool is_addition(const Mutation& mutation);
// A small body: our own row, or an older hawkerd's.
std::optional<std::string_view> body_row(const Txn& txn, const TaskId& task,
                                         std::uint64_t generation);

// Memory it holds while it waits, roughly.
std::uint64_t weight_of(const Mutation& mutation);

// Returns the bytes that are stored since, or, below zero, no longer.
std::int64_t apply(WriteTxn& txn, const Mutation& mutation);
// All of them: what the rows of `pieces` and `inline` add up to, each data file once, however many
// names it has. Kept as a row of `meta`, in the same transaction as the rows that it counts, so
// that no start has to read them all.
std::uint64_t stored_bytes(const Txn& txn);
std::uint64_t count_stored_bytes(const Txn& txn);  // from the rows themselves
void put_stored_bytes(WriteTxn& txn, std::uint64_t bytes);
// A hawkerd that knew nothing of links has counted every name, and said so in a row of its own.
bool has_older_count(const Txn& txn);
// Puts ours in its place; nothing to do where there is none.
void convert_older_count(WriteTxn& txn);
// Adds hits to an object's access row; nothing when the object is not there.
void apply_access(WriteTxn& txn, const TaskId& task, const AccessRecord& more);

}  // namespace hawker::cache
