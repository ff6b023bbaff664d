#include "cache/index_apply.h"

#include "cache/index_links.h"
#include "cache/records.h"

#include <algorithm>

namespace hawker::cache {

namespace {

constexpr std::string_view kStoredBytes = "stored";
// What an older hawkerd has kept, which knew nothing of links: it counted every name.
constexpr std::string_view kBytesOfNames = "bytes";

std::string_view bytes_of(const TaskId& task) {
    return {reinterpret_cast<const char*>(task.bytes.data()),
            task.bytes.size()};  // NOLINT: bytes as bytes
}

std::optional<ObjectRecord> object_row(const WriteTxn& txn, const TaskId& task) {
    const auto row = txn.get(Table::objects, RowKey::object(task).view());
    return row ? decode_object(task, *row) : std::nullopt;
}

bool names_content(const ObjectRecord& record) { return record.digest && record.digest_verified; }

// Several tasks may have the same content; the row belongs to the one it points at.
void erase_digest(WriteTxn& txn, const ObjectRecord& record) {
    if (!names_content(record)) return;
    const RowKey key = RowKey::digest(*record.digest);
    const auto row = txn.get(Table::digests, key.view());
    if (row && *row == bytes_of(record.task)) txn.erase(Table::digests, key.view());
}

using Count = std::int64_t;  // of bytes

Count bytes_of_piece(std::string_view key, std::optional<std::string_view> row) {
    const auto piece = row ? decode_piece(key, *row) : std::nullopt;
    return piece ? Count{piece->length} : 0;
}

Count bytes_of_body(std::optional<std::string_view> row) {
    return row ? static_cast<Count>(body_size_of(*row)) : 0;
}

// Returns how many bytes went with it.
Count erase_body(WriteTxn& txn, const TaskId& task, std::uint64_t generation) {
    const auto row = body_row(txn, task, generation);
    if (!row) return 0;
    const Count bytes = bytes_of_body(row);
    txn.erase(Table::bodies, RowKey::body(task, generation).view());
    if (txn.rows(Table::older_bodies) > 0)
        txn.erase(Table::older_bodies, RowKey::generation(task, generation).view());
    return bytes;
}

// What is known about one generation's bytes. Returns how many went with it.
Count erase_content(WriteTxn& txn, const TaskId& task, std::uint64_t generation) {
    const RowKey key = RowKey::generation(task, generation);
    Count bytes = erase_body(txn, task, generation);
    {
        Cursor rows = txn.cursor(Table::pieces);
        for (bool more = rows.seek(key.view()); more && rows.key().starts_with(key.view());
             more = rows.next())
            bytes += bytes_of_piece(rows.key(), rows.row());
    }
    txn.erase_all(Table::pieces, key.view());
    return bytes - static_cast<Count>(drop_name(txn, task, generation));
}

Count put_piece(WriteTxn& txn, const TaskId& task, std::uint64_t generation,
                const PieceRecord& piece) {
    const RowKey key = RowKey::piece(task, generation, piece.number);
    const Count before = bytes_of_piece(key.view(), txn.get(Table::pieces, key.view()));
    txn.put(Table::pieces, key.view(), encode(piece));
    return Count{piece.length} - before;
}

Count put(WriteTxn& txn, const ObjectRecord& record) {
    const auto before = object_row(txn, record.task);
    if (before && before->generation > record.generation) return 0;  // somebody was late
    if (before && (before->digest != record.digest || !names_content(record)))
        erase_digest(txn, *before);
    Count change = 0;
    if (before && before->generation < record.generation)
        change -= erase_content(txn, record.task, before->generation);
    txn.put(Table::objects, RowKey::object(record.task).view(), encode(record));
    if (names_content(record))
        txn.put(Table::digests, RowKey::digest(*record.digest).view(), bytes_of(record.task));
    return change;
}

struct Apply {
    WriteTxn& txn;

    Count operator()(const PutObject& put_object) const { return put(txn, put_object.record); }
    Count operator()(const PutPiece& put) const {
        // Its object was given up, or is another one by now: nobody would ever remove it.
        const auto ours = object_row(txn, put.task);
        if (!ours || ours->generation != put.generation) return {};
        return put_piece(txn, put.task, put.generation, put.piece);
    }
    Count operator()(const PutLink& link) const {
        Count change = put(txn, link.record);
        const auto ours = object_row(txn, link.record.task);
        if (!ours || ours->generation != link.record.generation) return change;
        Count bytes = 0;
        for (const PieceRecord& piece : link.pieces)
            bytes += put_piece(txn, link.record.task, link.record.generation, piece);
        // Where the first name has gone meanwhile, this one has the file for itself.
        const auto theirs = object_row(txn, link.of);
        if (theirs && theirs->generation == link.of_generation)
            change -= static_cast<Count>(add_name(txn, link.of, link.of_generation,
                                                  link.record.task, link.record.generation,
                                                  static_cast<std::uint64_t>(bytes)));
        return change + bytes;
    }
    Count operator()(const PutInline& put_inline) const {
        const Count change = put(txn, put_inline.record);
        const TaskId& task = put_inline.record.task;
        const std::uint64_t generation = put_inline.record.generation;
        const Count before = erase_body(txn, task, generation);
        const Body& body = *put_inline.body;
        const auto row =
            txn.reserve(Table::bodies, RowKey::body(task, generation).view(), row_size_of(body));
        if (!row.empty()) encode_body(body, row);
        return change + static_cast<Count>(body.size()) - before;
    }
    Count operator()(const ForgetPiece& forget) const {
        const RowKey key = RowKey::piece(forget.task, forget.generation, forget.number);
        const Count before = bytes_of_piece(key.view(), txn.get(Table::pieces, key.view()));
        txn.erase(Table::pieces, key.view());
        return -before;
    }
    Count operator()(const Remove& remove) const {
        const Count gone = erase_content(txn, remove.task, remove.generation);
        // A newer generation's rows stay. A row that cannot be read belongs to nobody.
        const auto object = object_row(txn, remove.task);
        if (object && object->generation != remove.generation) return -gone;
        if (object) erase_digest(txn, *object);
        txn.erase(Table::objects, RowKey::object(remove.task).view());
        txn.erase(Table::access, RowKey::object(remove.task).view());
        return -gone;
    }
    Count operator()(const Flush&) const { return 0; }
};

struct Weight {
    static std::uint64_t of(const ObjectRecord& record) {
        return sizeof(Mutation) + record.validator.size() + record.head.size() +
               record.label.size() + record.rule.size();
    }
    std::uint64_t operator()(const PutObject& put_object) const { return of(put_object.record); }
    std::uint64_t operator()(const PutInline& put_inline) const {
        return of(put_inline.record) + put_inline.body->size();
    }
    std::uint64_t operator()(const PutLink& link) const {
        constexpr std::uint64_t kRow = 96;  // key, row, and LMDB's header
        return of(link.record) + link.pieces.size() * kRow;
    }
    template <typename Other>
    std::uint64_t operator()(const Other&) const {
        return sizeof(Mutation);
    }
};

}  // namespace

std::optional<std::string_view> body_row(const Txn& txn, const TaskId& task,
                                         std::uint64_t generation) {
    if (const auto row = txn.get(Table::bodies, RowKey::body(task, generation).view())) return row;
    if (txn.rows(Table::older_bodies) == 0) return std::nullopt;
    return txn.get(Table::older_bodies, RowKey::generation(task, generation).view());
}

bool is_addition(const Mutation& mutation) {
    return std::holds_alternative<PutObject>(mutation) ||
           std::holds_alternative<PutPiece>(mutation) ||
           std::holds_alternative<PutLink>(mutation) || std::holds_alternative<PutInline>(mutation);
}

std::uint64_t weight_of(const Mutation& mutation) { return std::visit(Weight(), mutation); }

std::int64_t apply(WriteTxn& txn, const Mutation& mutation) {
    return std::visit(Apply(txn), mutation);
}

std::uint64_t stored_bytes(const Txn& txn) {
    const auto row = txn.get(Table::meta, kStoredBytes);
    const auto kept = row ? decode_number(*row) : std::nullopt;
    return kept ? *kept : count_stored_bytes(txn);
}

std::uint64_t count_stored_bytes(const Txn& txn) {
    Count bytes = 0;
    Cursor pieces = txn.cursor(Table::pieces);
    for (bool more = pieces.seek({}); more; more = pieces.next())
        bytes += bytes_of_piece(pieces.key(), pieces.row());
    for (const Table table : {Table::bodies, Table::older_bodies}) {
        Cursor bodies = txn.cursor(table);
        for (bool more = bodies.seek({}); more; more = bodies.next())
            bytes += bytes_of_body(bodies.row());
    }
    return static_cast<std::uint64_t>(bytes) - count_shared_bytes(txn);
}

bool has_older_count(const Txn& txn) { return txn.get(Table::meta, kBytesOfNames).has_value(); }

void convert_older_count(WriteTxn& txn) {
    const auto row = txn.get(Table::meta, kBytesOfNames);
    if (!row) return;
    const std::uint64_t of_names = decode_number(*row).value_or(0);
    drop_lost_names(txn);  // of what it has removed
    txn.erase(Table::meta, kBytesOfNames);
    put_stored_bytes(txn, of_names - count_shared_bytes(txn));
}

void put_stored_bytes(WriteTxn& txn, std::uint64_t bytes) {
    txn.put(Table::meta, kStoredBytes, encode_number(bytes));
}

void apply_access(WriteTxn& txn, const TaskId& task, const AccessRecord& more) {
    const RowKey key = RowKey::object(task);
    if (!txn.get(Table::objects, key.view())) return;
    AccessRecord access = more;
    if (const auto row = txn.get(Table::access, key.view()))
        if (const auto before = decode_access(*row)) {
            access.used_at = std::max(before->used_at, more.used_at);
            access.hits += before->hits;
        }
    txn.put(Table::access, key.view(), encode(access));
}

}  // namespace hawker::cache
