#include "cache/index.h"

#include "cache/foundation.h"
#include "cache/index_apply.h"
#include "cache/index_links.h"
#include "cache/index_lock.h"
#include "cache/index_residency.h"
#include "cache/index_run.h"
#include "cache/index_tables.h"
#include "cache/index_writer.h"
#include "cache/records.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <span>
#include <utility>

namespace hawker::cache {

namespace {

// Generations are numbered (run, count): unique over the life of the directory without writing
// anything for each.
constexpr unsigned kCountBits = 32;
// Rows seen by each() in one snapshot. A snapshot that stays open keeps freed pages from being used
// again.
constexpr std::size_t kRowsPerSnapshot = 1024;
// An index of so many bytes costs a start half a millisecond from memory, and a few from a disk.
constexpr std::uint64_t kReadAtStart = 1U << 20U;

}  // namespace

struct Index::State {
    const Log& log;
    const Foundation foundation;  // outlives what stands on it
    UniqueFd lock;                // goes last: nobody else may open what is not closed yet
    std::unique_ptr<Environment> environment;
    std::optional<IndexRun> run;
    IndexResidency residency;
    std::atomic<std::uint64_t> stored_bytes{0};
    std::atomic<std::uint64_t> generations{0};
    std::unique_ptr<IndexWriter> writer;  // goes first

    State(Foundation stands_on, std::uint32_t calm_look_ups, const Log& its_log)
        : log(its_log), foundation(std::move(stands_on)), residency(calm_look_ups) {}

    std::optional<ObjectRecord> find_in(const Txn& txn, const TaskId& task) const {
        const auto row = txn.get(Table::objects, RowKey::object(task).view());
        if (!row) return std::nullopt;
        auto record = decode_object(task, *row);
        if (!record) corrupt("objects", task);
        return record;
    }
    void corrupt(std::string_view table, const TaskId& task) const {
        log.warn("cache index: a row of {} for task {} is damaged and ignored", table, task.hex());
    }
};

Index::Index(std::unique_ptr<State> state) : state_(std::move(state)) {}
Index::~Index() = default;

Expected<std::unique_ptr<Index>> Index::open(const Foundation& foundation,
                                             const IndexOptions& options, const Clock& clock,
                                             const Log& log) {
    if (auto prepared = prepare_directory(options.directory); !prepared)
        return fail(prepared.error());
    auto lock = lock_directory(options.directory);
    if (!lock) return fail(lock.error());
    const std::filesystem::path directory = options.directory / "index";
    if (auto prepared = prepare_directory(directory); !prepared) return fail(prepared.error());
    auto state = std::make_unique<State>(foundation, options.calm_look_ups, log);
    auto environment = Environment::open(*foundation.index, directory, options.map_size);
    if (!environment) return fail(environment.error());

    state->lock = std::move(*lock);
    state->environment = std::move(*environment);
    const bool is_at_hand = state->environment->read_through(kReadAtStart);
    if (is_at_hand && options.calm_look_ups != IndexResidency::kNever) state->residency.presume();
    state->run.emplace(*state->environment);
    if (state->run->follows_a_crash())
        log.warn(
            "cache index: the last stop was not clean; pieces are checked when they are first "
            "read");
    state->stored_bytes = state->run->stored_bytes_at_start();
    const auto count = [raw = state.get(), told = options.on_stored](std::int64_t change) {
        raw->stored_bytes += static_cast<std::uint64_t>(change);
        if (change > 0 && told) told(static_cast<std::uint64_t>(change));
    };
    state->writer =
        std::make_unique<IndexWriter>(*state->environment, *state->run, *foundation.scribe,
                                      options.commit_interval, count, options.on_lost, clock, log);
    return std::unique_ptr<Index>(
        new Index(std::move(state)));  // NOLINT: the constructor is private
}

void Index::close() {
    State& state = *state_;
    if (!state.lock) return;
    state.writer->close();
    if (auto ended = state.run->end(); !ended)
        state.log.error("cache index: cannot mark a clean stop: {}", ended.error().what);
    state.environment->close();
    state.lock.reset();
}

std::optional<ObjectRecord> Index::find(const TaskId& task) const {
    const auto txn = state_->environment->read();
    return txn ? state_->find_in(*txn, task) : std::nullopt;
}

std::vector<PieceRecord> Index::pieces(const TaskId& task, std::uint64_t generation) const {
    std::vector<PieceRecord> pieces;
    const auto txn = state_->environment->read();
    if (!txn) return pieces;
    const RowKey prefix = RowKey::generation(task, generation);
    Cursor rows = txn->cursor(Table::pieces);
    for (bool more = rows.seek(prefix.view()); more && rows.key().starts_with(prefix.view());
         more = rows.next()) {
        if (const auto piece = decode_piece(rows.key(), rows.row()))
            pieces.push_back(*piece);
        else
            state_->corrupt("pieces", task);
    }
    return pieces;
}

// Nearly every file has pieces, and their rows lie close together: the objects' own are many more.
Expected<bool> Index::names_file(const TaskId& task, std::uint64_t generation) const {
    const auto txn = state_->environment->read();
    if (!txn) return fail(Errc::unavailable, "the index cannot be read now");
    const RowKey prefix = RowKey::generation(task, generation);
    Cursor rows = txn->cursor(Table::pieces);
    if (rows.seek(prefix.view()) && rows.key().starts_with(prefix.view())) return true;
    const auto record = state_->find_in(*txn, task);
    return record && record->generation == generation && !record->inlined;
}

std::optional<IndexedObject> Index::find_with_body(const TaskId& task) const {
    const IndexResidency::LookUp look_up(state_->residency);
    const auto txn = state_->environment->read();
    if (!txn) return std::nullopt;
    auto record = state_->find_in(*txn, task);
    if (!record) return std::nullopt;
    IndexedObject found{.record = std::move(*record), .body = nullptr};
    if (!found.record.inlined) return found;
    const auto row = body_row(*txn, task, found.record.generation);
    const auto body = row ? decode_body(*row) : std::nullopt;
    if (row && !body) state_->corrupt("bodies", task);
    if (!body || body->size() != found.record.size) return found;
    const auto bytes = std::as_bytes(std::span(*body));
    found.body = std::make_shared<Body>(bytes.begin(), bytes.end());
    return found;
}

bool Index::is_in_memory() const { return state_->residency.is_likely(); }

std::optional<TaskId> Index::by_digest(const Digest& digest) const {
    const auto txn = state_->environment->read();
    if (!txn) return std::nullopt;
    const auto row = txn->get(Table::digests, RowKey::digest(digest).view());
    const auto task = row ? task_of(*row) : std::nullopt;
    if (!task) return std::nullopt;
    // Only a task that still says so itself.
    const auto object_row = txn->get(Table::objects, RowKey::object(*task).view());
    const auto object = object_row ? decode_object(*task, *object_row) : std::nullopt;
    if (!object || !object->digest_verified || object->digest != digest) return std::nullopt;
    return task;
}

void Index::each(std::optional<TaskId> after,
                 const std::function<bool(const ObjectRecord&, const AccessRecord&)>& visit) const {
    for (bool more = true; more;) {
        const auto txn = state_->environment->read();
        if (!txn) return;
        Cursor rows = txn->cursor(Table::objects);
        more = rows.seek(after ? RowKey::object(*after).view() : std::string_view());
        std::size_t seen = 0;
        for (; more && seen < kRowsPerSnapshot; more = rows.next()) {
            const auto task = task_of(rows.key());
            if (!task || (after && *task <= *after)) continue;
            ++seen;
            after = task;
            const auto record = decode_object(*task, rows.row());
            if (!record) {
                state_->corrupt("objects", *task);
                continue;
            }
            const auto access = txn->get(Table::access, rows.key());
            const auto decoded = access ? decode_access(*access) : std::nullopt;
            if (!visit(*record, decoded.value_or(AccessRecord()))) return;
        }
    }
}

std::uint64_t Index::objects() const {
    const auto txn = state_->environment->read();
    return txn ? txn->rows(Table::objects) : 0;
}

// A damaged piece is forgotten under each name of its file, and so may be taken away more often
// than it was counted, until it is fetched again or its names are gone.
std::uint64_t Index::stored_bytes() const {
    const auto bytes = static_cast<std::int64_t>(state_->stored_bytes.load());
    return static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0));
}

std::optional<SharedFile> Index::shared_file(const TaskId& task, std::uint64_t generation) const {
    const auto txn = state_->environment->read();
    return txn ? cache::shared_file(*txn, task, generation) : std::nullopt;
}

std::uint64_t Index::next_generation() {
    return state_->run->number() << kCountBits | ++state_->generations;
}
std::uint64_t Index::boot() const { return state_->run->number(); }
std::uint64_t Index::trusted_boot() const { return state_->run->trusted(); }
Expected<void> Index::begin_run() { return state_->run->begin(); }

void Index::put_object(ObjectRecord record) { state_->writer->push(PutObject(std::move(record))); }

void Index::put_piece(const TaskId& task, std::uint64_t generation, PieceRecord piece,
                      std::shared_ptr<DataFile> file) {
    state_->writer->push(PutPiece(task, generation, piece, std::move(file)));
}

void Index::put_link(ObjectRecord record, std::vector<PieceRecord> pieces,
                     std::shared_ptr<DataFile> file, const TaskId& of,
                     std::uint64_t of_generation) {
    state_->writer->push(
        PutLink(std::move(record), std::move(pieces), std::move(file), of, of_generation));
}

void Index::put_inline(ObjectRecord record, std::shared_ptr<const Body> body) {
    record.inlined = true;
    state_->writer->push(PutInline(std::move(record), std::move(body)));
}

void Index::forget_piece(const TaskId& task, std::uint64_t generation, std::uint32_t number) {
    state_->writer->push(ForgetPiece(task, generation, number));
}

void Index::remove(const TaskId& task, std::uint64_t generation,
                   std::function<void()> after_commit) {
    state_->writer->push(Remove(task, generation, std::move(after_commit)));
}

void Index::touch(const TaskId& task) { state_->writer->touch(task); }
void Index::flush(std::function<void()> done, When when) {
    state_->writer->push(Flush(std::move(done), when == When::now));
}

bool Index::is_behind() const { return state_->writer->is_behind(); }
std::uint64_t Index::waiting_bytes() const { return state_->writer->waiting_bytes(); }
std::uint64_t Index::dropped() const { return state_->writer->dropped(); }

void Index::hurry() { state_->writer->hurry(); }

bool Index::wait_for_commit(std::optional<std::chrono::milliseconds> patience) {
    struct Outcome {
        std::mutex mutex;
        std::condition_variable changed;
        bool committed = false;
    };
    const auto outcome = std::make_shared<Outcome>();  // whoever waits may have gone
    const auto done = [outcome] {
        const std::scoped_lock lock(outcome->mutex);
        outcome->committed = true;
        outcome->changed.notify_one();
    };
    flush(done, When::now);
    const auto is_committed = [&] { return outcome->committed; };
    std::unique_lock lock(outcome->mutex);
    if (patience) return outcome->changed.wait_for(lock, *patience, is_committed);
    outcome->changed.wait(lock, is_committed);
    return true;
}

}  // namespace hawker::cache
