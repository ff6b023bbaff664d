#include "cache/index_apply.h"

#include "cache/records.h"

#include <algorithm>

namespace hawker::cache {

namespace {

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

// What is known about one generation's bytes.
void erase_content(WriteTxn& txn, const RowKey& generation) {
    txn.erase_all(Table::pieces, generation.view());
    txn.erase(Table::inline_bodies, generation.view());
}

void put(WriteTxn& txn, const ObjectRecord& record) {
    const auto before = object_row(txn, record.task);
    if (before && before->generation > record.generation) return;  // somebody was late
    if (before && (before->digest != record.digest || !names_content(record)))
        erase_digest(txn, *before);
    if (before && before->generation < record.generation)
        erase_content(txn, RowKey::body(record.task, before->generation));
    txn.put(Table::objects, RowKey::object(record.task).view(), encode(record));
    if (names_content(record))
        txn.put(Table::digests, RowKey::digest(*record.digest).view(), bytes_of(record.task));
}

struct Apply {
    WriteTxn& txn;

    void operator()(const PutObject& put_object) const { put(txn, put_object.record); }
    void operator()(const PutPiece& put_piece) const {
        const RowKey key =
            RowKey::piece(put_piece.task, put_piece.generation, put_piece.piece.number);
        txn.put(Table::pieces, key.view(), encode(put_piece.piece));
    }
    void operator()(const PutInline& put_inline) const {
        put(txn, put_inline.record);
        const RowKey key = RowKey::body(put_inline.record.task, put_inline.record.generation);
        const Body& body = *put_inline.body;
        const auto row = txn.reserve(Table::inline_bodies, key.view(), row_size_of(body));
        if (!row.empty()) encode_body(body, row);
    }
    void operator()(const ForgetPiece& forget) const {
        txn.erase(Table::pieces,
                  RowKey::piece(forget.task, forget.generation, forget.number).view());
    }
    void operator()(const Remove& remove) const {
        erase_content(txn, RowKey::body(remove.task, remove.generation));
        // A newer generation's rows stay. A row that cannot be read belongs to nobody.
        const auto object = object_row(txn, remove.task);
        if (object && object->generation != remove.generation) return;
        if (object) erase_digest(txn, *object);
        txn.erase(Table::objects, RowKey::object(remove.task).view());
        txn.erase(Table::access, RowKey::object(remove.task).view());
    }
    void operator()(const Flush&) const {}
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
    template <typename Other>
    std::uint64_t operator()(const Other&) const {
        return sizeof(Mutation);
    }
};

}  // namespace

bool is_addition(const Mutation& mutation) {
    return std::holds_alternative<PutObject>(mutation) ||
           std::holds_alternative<PutPiece>(mutation) ||
           std::holds_alternative<PutInline>(mutation);
}

std::uint64_t weight_of(const Mutation& mutation) { return std::visit(Weight(), mutation); }

void apply(WriteTxn& txn, const Mutation& mutation) { std::visit(Apply(txn), mutation); }

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
