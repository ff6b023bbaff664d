// LMDB, as the index uses it: one environment, eight tables, short transactions. Nobody but
// cache/index* sees this.
//
// Owner:   the index.
// Thread:  read transactions on any thread, each for the length of one call; one write transaction
// at a time, on the thread
//          that began it.
// Failure: a read that fails is "not there" (logged once a kind); a write transaction remembers its
// first failure, ignores what
//          follows and reports it at commit().
// Stop:    close() waits for running reads; afterwards nothing is there.
//
// LMDB 0.9.24 has faults that we stay away from: no DUPSORT, no nested transactions, small
// transactions (ITS#9155, #9376).
#pragma once

#include "base/error.h"
#include "cache/foundation.h"

#include <array>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <lmdb.h>

namespace hawker::cache {

// Grows by one when a row can no longer be read by the code before it.
inline constexpr std::uint64_t kFormatVersion = 2;
// Read as it is, and written as ours: its small bodies are in older_bodies, and stay there.
inline constexpr std::uint64_t kOlderVersion = 1;

enum class Table : std::uint8_t {
    objects,
    pieces,
    bodies,
    older_bodies,
    access,
    digests,
    links,
    meta
};
inline constexpr std::size_t kTables = 8;

class Environment;

// Rows of one table in key order, within one transaction.
class Cursor {
public:
    Cursor(MDB_txn* txn, MDB_dbi table);
    ~Cursor();
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;

    // Goes to the first row whose key is not less. False: there is none.
    bool seek(std::string_view key);
    bool next();
    bool erase();
    // Valid until the cursor moves or the transaction writes.
    std::string_view key() const { return key_; }
    std::string_view row() const { return row_; }

private:
    bool move(MDB_cursor_op operation, std::string_view from);

    MDB_cursor* cursor_ = nullptr;
    std::string_view key_, row_;
};

class Txn {
public:
    Txn(Environment& environment, MDB_txn* txn) : environment_(&environment), txn_(txn) {}
    Txn(Txn&& other) noexcept
        : environment_(other.environment_), txn_(std::exchange(other.txn_, nullptr)) {}
    Txn& operator=(Txn&&) = delete;

    // Valid until the transaction ends or writes.
    std::optional<std::string_view> get(Table table, std::string_view key) const;
    std::uint64_t rows(Table table) const;
    Cursor cursor(Table table) const;

protected:
    ~Txn() = default;
    MDB_dbi handle_of(Table table) const;

    Environment* environment_;
    MDB_txn* txn_;
};

// A snapshot of what is committed. Dropping it gives its slot back.
class ReadTxn : public Txn {
public:
    using Txn::Txn;
    ReadTxn(ReadTxn&&) = default;
    ~ReadTxn();

    // LMDB's own list of pages that may be used again.
    Cursor free_list() const { return {txn_, 0}; }
};

class WriteTxn : public Txn {
    friend class Environment;

public:
    using Txn::Txn;
    WriteTxn(WriteTxn&&) = default;
    // Without commit(), nothing happened.
    ~WriteTxn();

    void put(Table table, std::string_view key, std::string_view row);
    // Room for a row of `size` bytes, to be filled before anything else is written; empty when
    // there is none. Keys that grow leave full pages behind them.
    std::span<char> reserve(Table table, std::string_view key, std::size_t size);
    // What is not there is erased already.
    void erase(Table table, std::string_view key);
    // Every row whose key begins with `prefix`.
    void erase_all(Table table, std::string_view prefix);
    // Errc::exhausted when the map or the disk is full; then nothing happened.
    Expected<void> commit();

private:
    void note(int problem);
    int problem_ = 0;
};

class Environment {
public:
    // Errc::invalid in words: damaged, another format version. `map_size` bounds the index; it is
    // address space, not disk.
    // `calls` outlives it.
    static Expected<std::unique_ptr<Environment>> open(IndexCalls& calls,
                                                       const std::filesystem::path& directory,
                                                       std::uint64_t map_size);
    ~Environment();
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;

    // nullopt after close(), or when LMDB has no slot left.
    std::optional<ReadTxn> read();
    Expected<WriteTxn> write();
    // The last commits reach the disk for certain.
    Expected<void> sync();
    // Whether about `bytes` of rows may be added. The last pages of the map are kept for removals,
    // which need room as well.
    bool has_room(std::uint64_t bytes);
    // Reads all of it into the page cache. False: it is larger than `most` bytes, or cannot be
    // read. Waits for the disk.
    bool read_through(std::uint64_t most) const;
    void close();

private:
    friend class Txn;
    friend class ReadTxn;
    friend class WriteTxn;
    explicit Environment(IndexCalls& calls) : calls_(calls) {}
    Expected<void> open_tables();
    void give_back(MDB_txn* txn);

    IndexCalls& calls_;
    MDB_env* env_ = nullptr;
    std::array<MDB_dbi, kTables> tables_{};
    std::uint64_t page_bytes_ = 0, pages_ = 0, reserve_ = 0;

    std::mutex mutex_;
    std::condition_variable idle_;
    std::vector<MDB_txn*> spare_;  // reset, ready to be renewed
    std::size_t reading_ = 0;
    bool closed_ = false;
};

}  // namespace hawker::cache
