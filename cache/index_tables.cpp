#include "cache/index_tables.h"

#include "cache/records.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace hawker::cache {

namespace {

constexpr std::array<const char*, kTables> kTableNames = {"objects", "pieces",  "bodies", "inline",
                                                          "access",  "digests", "links",  "meta"};
constexpr unsigned kReaders = 512;
constexpr std::size_t kSpareReaders = 32;

std::size_t number_of(Table table) { return static_cast<std::size_t>(table); }

MDB_val to_val(std::string_view bytes) {
    // LMDB takes its input by a pointer to non-const, and does not write through it.
    return {bytes.size(), const_cast<char*>(bytes.data())};  // NOLINT
}

std::string_view to_view(const MDB_val& value) {
    return {static_cast<const char*>(value.mv_data), value.mv_size};
}

std::unexpected<Error> lmdb_error(int problem, std::string_view doing) {
    if (problem > 0) return fail(system_error(problem, doing));
    Errc code = Errc::unavailable;
    if (problem == MDB_MAP_FULL || problem == MDB_TXN_FULL || problem == MDB_READERS_FULL)
        code = Errc::exhausted;
    if (problem == MDB_INVALID || problem == MDB_CORRUPTED || problem == MDB_VERSION_MISMATCH)
        code = Errc::invalid;
    return fail(code, fmt::format("{}: {}", doing, mdb_strerror(problem)));
}

}  // namespace

Cursor::Cursor(MDB_txn* txn, MDB_dbi table) {
    if (mdb_cursor_open(txn, table, &cursor_) != 0) cursor_ = nullptr;
}

Cursor::~Cursor() {
    if (cursor_) mdb_cursor_close(cursor_);
}

bool Cursor::move(MDB_cursor_op operation, std::string_view from) {
    if (!cursor_) return false;
    MDB_val key = to_val(from);
    MDB_val row{};
    if (mdb_cursor_get(cursor_, &key, &row, operation) != 0) return false;
    key_ = to_view(key);
    row_ = to_view(row);
    return true;
}

bool Cursor::seek(std::string_view key) {
    return move(key.empty() ? MDB_FIRST : MDB_SET_RANGE, key);
}
bool Cursor::next() { return move(MDB_NEXT, {}); }
bool Cursor::erase() { return cursor_ && mdb_cursor_del(cursor_, 0) == 0; }

MDB_dbi Txn::handle_of(Table table) const { return environment_->tables_[number_of(table)]; }

std::optional<std::string_view> Txn::get(Table table, std::string_view key) const {
    MDB_val name = to_val(key);
    MDB_val row{};
    if (mdb_get(txn_, handle_of(table), &name, &row) != 0) return std::nullopt;
    return to_view(row);
}

std::uint64_t Txn::rows(Table table) const {
    MDB_stat stat{};
    if (mdb_stat(txn_, handle_of(table), &stat) != 0) return 0;
    return stat.ms_entries;
}

Cursor Txn::cursor(Table table) const { return {txn_, handle_of(table)}; }

ReadTxn::~ReadTxn() {
    if (txn_) environment_->give_back(txn_);
}

WriteTxn::~WriteTxn() {
    if (txn_) mdb_txn_abort(txn_);
}

void WriteTxn::note(int problem) {
    if (problem_ == 0 && problem != MDB_NOTFOUND) problem_ = problem;
}

void WriteTxn::put(Table table, std::string_view key, std::string_view row) {
    if (problem_ != 0) return;
    MDB_val name = to_val(key);
    MDB_val value = to_val(row);
    note(mdb_put(txn_, handle_of(table), &name, &value, 0));
}

std::span<char> WriteTxn::reserve(Table table, std::string_view key, std::size_t size) {
    if (problem_ != 0) return {};
    MDB_val name = to_val(key);
    MDB_val value{size, nullptr};
    int problem = mdb_put(txn_, handle_of(table), &name, &value, MDB_RESERVE | MDB_APPEND);
    if (problem == MDB_KEYEXIST)  // it is not behind all the others
        problem = mdb_put(txn_, handle_of(table), &name, &value, MDB_RESERVE);
    note(problem);
    if (problem_ != 0) return {};
    return {static_cast<char*>(value.mv_data), size};
}

void WriteTxn::erase(Table table, std::string_view key) {
    if (problem_ != 0) return;
    MDB_val name = to_val(key);
    note(mdb_del(txn_, handle_of(table), &name, nullptr));
}

void WriteTxn::erase_all(Table table, std::string_view prefix) {
    if (problem_ != 0) return;
    Cursor rows = cursor(table);
    // After a deletion the cursor stands on the row that followed; seeking again says so without
    // relying on it.
    while (rows.seek(prefix) && rows.key().starts_with(prefix)) {
        if (!rows.erase()) return note(MDB_MAP_FULL);
    }
}

Expected<void> WriteTxn::commit() {
    MDB_txn* txn = std::exchange(txn_, nullptr);
    if (problem_ != 0) {
        mdb_txn_abort(txn);
        return lmdb_error(problem_, "write the index");
    }
    if (const int problem = environment_->calls_.commit(txn); problem != 0)
        return lmdb_error(problem, "commit the index");
    return {};
}

Expected<std::unique_ptr<Environment>> Environment::open(IndexCalls& calls,
                                                         const std::filesystem::path& directory,
                                                         std::uint64_t map_size) {
    auto environment =
        std::unique_ptr<Environment>(new Environment(calls));  // NOLINT: the constructor is private
    const std::string doing = fmt::format("open the index in {}", directory.string());
    MDB_env*& env = environment->env_;
    if (const int problem = mdb_env_create(&env); problem != 0) return lmdb_error(problem, doing);
    mdb_env_set_maxdbs(env, kTables);
    mdb_env_set_maxreaders(env, kReaders);
    constexpr std::uint64_t kRound = 64 * 1024;
    mdb_env_set_mapsize(env, (map_size + kRound - 1) / kRound * kRound);
    // NOTLS: a read belongs to a call, not to a thread. NOMETASYNC: integrity always, the last
    // commits only after sync(). NORDAHEAD: rows are read at random, reading ahead would push data
    // out of the page cache.
    if (const int problem =
            mdb_env_open(env, directory.c_str(), MDB_NOTLS | MDB_NOMETASYNC | MDB_NORDAHEAD, 0600);
        problem != 0)
        return lmdb_error(problem, doing);
    int dead = 0;
    mdb_reader_check(
        env, &dead);  // slots of a process that was killed would keep pages from being used again

    MDB_envinfo info{};
    MDB_stat stat{};
    mdb_env_info(env, &info);
    mdb_env_stat(env, &stat);
    environment->page_bytes_ = stat.ms_psize;
    environment->pages_ = info.me_mapsize / stat.ms_psize;
    environment->reserve_ = std::clamp<std::uint64_t>(environment->pages_ / 8, 64, 16384);
    if (auto opened = environment->open_tables(); !opened)
        return fail(std::move(opened.error()).within(doing));
    return environment;
}

Expected<void> Environment::open_tables() {
    auto txn = write();
    if (!txn) return fail(txn.error());
    // The version first: a foreign index is left as it was found.
    MDB_txn* raw = txn->txn_;
    const std::size_t meta = number_of(Table::meta);
    int problem = mdb_dbi_open(raw, kTableNames[meta], 0, &tables_[meta]);
    if (problem == 0) {
        const auto row = txn->get(Table::meta, "version");
        const auto version = row ? decode_number(*row) : std::nullopt;
        if (version != kFormatVersion && version != kOlderVersion)
            return fail(Errc::invalid, fmt::format("it has format version {}, and this hawkerd "
                                                   "knows only {}; use another directory, "
                                                   "or empty this one",
                                                   version ? std::to_string(*version) : "unknown",
                                                   kFormatVersion));
    } else if (problem != MDB_NOTFOUND) {
        return lmdb_error(problem, "look for the version");
    }
    for (std::size_t i = 0; i < kTables; ++i) {
        problem = mdb_dbi_open(raw, kTableNames[i], MDB_CREATE, &tables_[i]);
        if (problem != 0) return lmdb_error(problem, fmt::format("open table {}", kTableNames[i]));
    }
    const std::string ours = encode_number(kFormatVersion);
    if (txn->get(Table::meta, "version") != ours) txn->put(Table::meta, "version", ours);
    return txn->commit();
}

Environment::~Environment() { close(); }

void Environment::close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    idle_.wait(lock, [this] { return reading_ == 0; });
    for (MDB_txn* txn : std::exchange(spare_, {})) mdb_txn_abort(txn);
    if (env_) mdb_env_close(std::exchange(env_, nullptr));
}

std::optional<ReadTxn> Environment::read() {
    const std::scoped_lock lock(mutex_);
    if (closed_) return std::nullopt;
    MDB_txn* txn = nullptr;
    int problem = 0;
    if (spare_.empty()) {
        problem = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
    } else {
        txn = spare_.back();
        spare_.pop_back();
        problem = mdb_txn_renew(txn);
        if (problem != 0) mdb_txn_abort(txn);
    }
    if (problem != 0) return std::nullopt;
    ++reading_;
    return std::optional<ReadTxn>(std::in_place, *this, txn);
}

void Environment::give_back(MDB_txn* txn) {
    mdb_txn_reset(txn);
    const std::scoped_lock lock(mutex_);
    if (spare_.size() < kSpareReaders && !closed_)
        spare_.push_back(txn);
    else
        mdb_txn_abort(txn);
    if (--reading_ == 0) idle_.notify_all();
}

Expected<WriteTxn> Environment::write() {
    MDB_txn* txn = nullptr;
    if (const int problem = mdb_txn_begin(env_, nullptr, 0, &txn); problem != 0)
        return lmdb_error(problem, "begin to write the index");
    return WriteTxn(*this, txn);
}

Expected<void> Environment::sync() {
    if (const int problem = calls_.sync(env_); problem != 0)
        return lmdb_error(problem, "sync the index");
    return {};
}

bool Environment::has_room(std::uint64_t bytes) {
    const std::uint64_t wanted = reserve_ + bytes / page_bytes_;
    MDB_envinfo info{};
    mdb_env_info(env_, &info);
    std::uint64_t free = pages_ - std::min<std::uint64_t>(pages_, info.me_last_pgno + 1);
    if (free >= wanted) return true;
    // The map has been full once, so pages are taken from LMDB's list of freed ones (table 0; each
    // row begins with a count).
    const auto txn = read();
    if (!txn) return false;
    Cursor freed = txn->free_list();
    for (bool more = freed.seek({}); more && free < wanted; more = freed.next()) {
        std::size_t count = 0;
        if (freed.row().size() < sizeof(count)) break;
        std::memcpy(&count, freed.row().data(), sizeof(count));
        free += count;
    }
    return free >= wanted;
}

bool Environment::read_through(std::uint64_t most) const {
    MDB_envinfo info{};
    mdb_env_info(env_, &info);
    const std::uint64_t size = (info.me_last_pgno + 1) * page_bytes_;
    int file = -1;
    if (size > most || mdb_env_get_fd(env_, &file) != 0) return false;
    std::vector<char> room(64 * 1024);
    for (off_t at = 0;;) {
        const ssize_t got = ::pread(file, room.data(), room.size(), at);
        if (got <= 0) return got == 0;
        at += got;
    }
}

}  // namespace hawker::cache
