#include "cache/index_links.h"

#include "cache/records.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hawker::cache {

namespace {

// Rows of a file are told from rows of names by the length of their keys.
constexpr std::size_t kNumber = sizeof(std::uint64_t);

std::optional<SharedFile> decode_file(std::string_view key, std::string_view row) {
    if (key.size() != kNumber || row.size() != 2 * kNumber) return std::nullopt;
    SharedFile shared;
    shared.file = decode_number(key).value_or(0);
    shared.names = decode_number(row.substr(0, kNumber)).value_or(0);
    shared.bytes = decode_number(row.substr(kNumber)).value_or(0);
    return shared;
}

void put_file(WriteTxn& txn, const SharedFile& shared) {
    txn.put(Table::links, encode_number(shared.file),
            encode_number(shared.names) + encode_number(shared.bytes));
}

std::optional<std::uint64_t> file_of(const Txn& txn, const RowKey& name) {
    const auto row = txn.get(Table::links, name.view());
    return row ? decode_number(*row) : std::nullopt;
}

}  // namespace

std::optional<SharedFile> shared_file(const Txn& txn, const TaskId& task,
                                      std::uint64_t generation) {
    const auto file = file_of(txn, RowKey::generation(task, generation));
    if (!file) return std::nullopt;
    const std::string key = encode_number(*file);
    const auto row = txn.get(Table::links, key);
    return row ? decode_file(key, *row) : std::nullopt;
}

std::uint64_t add_name(WriteTxn& txn, const TaskId& of, std::uint64_t of_generation,
                       const TaskId& task, std::uint64_t generation, std::uint64_t bytes) {
    const RowKey name = RowKey::generation(task, generation);
    if (file_of(txn, name)) return 0;
    auto shared = shared_file(txn, of, of_generation);
    if (!shared) {
        shared = SharedFile{.file = of_generation, .names = 1, .bytes = bytes};
        txn.put(Table::links, RowKey::generation(of, of_generation).view(),
                encode_number(shared->file));
    }
    ++shared->names;
    put_file(txn, *shared);
    txn.put(Table::links, name.view(), encode_number(shared->file));
    return shared->bytes;
}

std::uint64_t drop_name(WriteTxn& txn, const TaskId& task, std::uint64_t generation) {
    auto shared = shared_file(txn, task, generation);
    txn.erase(Table::links, RowKey::generation(task, generation).view());
    if (!shared) return 0;
    if (shared->names <= 1) {
        txn.erase(Table::links, encode_number(shared->file));
        return 0;
    }
    --shared->names;
    put_file(txn, *shared);
    return shared->bytes;
}

void drop_lost_names(WriteTxn& txn) {
    std::vector<std::pair<TaskId, std::uint64_t>> lost;
    {
        Cursor rows = txn.cursor(Table::links);
        for (bool more = rows.seek({}); more; more = rows.next()) {
            const auto task = task_of(rows.key());
            const auto generation = generation_of(rows.key());
            if (!task || !generation) continue;
            const auto row = txn.get(Table::objects, RowKey::object(*task).view());
            const auto object = row ? decode_object(*task, *row) : std::nullopt;
            if (!object || object->generation != *generation) lost.emplace_back(*task, *generation);
        }
    }
    for (const auto& [task, generation] : lost) drop_name(txn, task, generation);
}

std::uint64_t count_shared_bytes(const Txn& txn) {
    std::uint64_t bytes = 0;
    Cursor rows = txn.cursor(Table::links);
    for (bool more = rows.seek({}); more; more = rows.next())
        if (const auto shared = decode_file(rows.key(), rows.row()); shared && shared->names > 1)
            bytes += (shared->names - 1) * shared->bytes;
    return bytes;
}

}  // namespace hawker::cache
