// Which generations have one data file: the same content under several URLs is a hard link, and its
// bytes are on the disk once. Rows in, rows out, within one transaction.
//
// A file is known by the generation of its first name, because that is never used twice. A file
// with one name has no rows here; one that has had two keeps them until its last name goes.
#pragma once

#include "cache/index.h"
#include "cache/index_tables.h"

#include <cstdint>
#include <optional>

namespace hawker::cache {

// The file of a generation that has, or has had, other names.
std::optional<SharedFile> shared_file(const Txn& txn, const TaskId& task, std::uint64_t generation);

// `task` has become one more name for the file of `of`. Returns the bytes that its rows count again
// from now on; 0 when it was one already.
std::uint64_t add_name(WriteTxn& txn, const TaskId& of, std::uint64_t of_generation,
                       const TaskId& task, std::uint64_t generation, std::uint64_t bytes);
// A name goes. Returns the bytes that stay on the disk, because another name has them.
std::uint64_t drop_name(WriteTxn& txn, const TaskId& task, std::uint64_t generation);

// Drops the names of objects that are gone: an older hawkerd removes them without a word.
void drop_lost_names(WriteTxn& txn);
// How much more the rows of all names count than is there.
std::uint64_t count_shared_bytes(const Txn& txn);

}  // namespace hawker::cache
