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
using Mutation = std::variant<PutObject, PutPiece, PutInline, ForgetPiece, Remove, Flush>;

// Whether it adds rows: such a mutation may be dropped when there is no room, and nothing is wrong
// afterwards.
bool is_addition(const Mutation& mutation);
// Memory it holds while it waits, roughly.
std::uint64_t weight_of(const Mutation& mutation);

// Returns the bytes of bodies and pieces that came (or, below zero, went) with it.
std::int64_t apply(WriteTxn& txn, const Mutation& mutation);
// All of them: what the rows of `pieces` and `inline` add up to. Kept as a row of `meta`, in the
// same transaction as the rows that it counts, so that no start has to read them all.
std::uint64_t stored_bytes(const Txn& txn);
std::uint64_t count_stored_bytes(const Txn& txn);  // from the rows themselves
void put_stored_bytes(WriteTxn& txn, std::uint64_t bytes);
// Adds hits to an object's access row; nothing when the object is not there.
void apply_access(WriteTxn& txn, const TaskId& task, const AccessRecord& more);

}  // namespace hawker::cache
