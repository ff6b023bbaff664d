#include "cache/stock.h"

#include "cache/fetch.h"

#include <algorithm>
#include <utility>

namespace hawker::cache {
namespace {

// A fetch waits so long for descriptors that come back, and then takes one of the last.
constexpr std::chrono::milliseconds kRecordingPatience{250};
constexpr std::size_t kClosedTogether = 64;  // idle files, when there are no descriptors

Representation representation_of(const ObjectRecord& record) {
    Representation known;
    known.task = record.task;
    known.generation = record.generation;
    known.size = record.size;
    known.validator = record.validator;
    known.head = record.head;
    known.digest = record.digest;
    known.stored_at = record.stored_at;
    known.complete = record.complete;
    return known;
}

bool has_content(const ObjectRecord& record, const std::optional<Digest>& digest) {
    return !digest || !record.digest || *record.digest == *digest;
}

}  // namespace

Expected<std::shared_ptr<Stock>> Stock::open(
    const Foundation& foundation, const CacheOptions& options, Executor& pool, const Clock& clock,
    const Log& log, std::function<void(const FetchReport&)> on_fetch_done) {
    auto files = DataFiles::open(foundation.disk, options.directory);
    if (!files) return fail(std::move(files.error()).within("open the data files"));
    std::shared_ptr<Stock> stock(
        new Stock(options, pool, clock, log));  // NOLINT: the constructor is private
    IndexOptions index_options;
    index_options.directory = options.directory;
    index_options.map_size = options.map_size;
    index_options.commit_interval = options.commit_interval;
    index_options.calm_look_ups = options.calm_look_ups;
    // The index belongs to the stock, so the plain pointer cannot outlive it.
    index_options.on_stored = [raw = stock.get()](std::uint64_t bytes) { raw->note_stored(bytes); };
    index_options.on_lost = [raw = stock.get()](const TaskId& task, std::uint64_t generation,
                                                Loss loss) {
        raw->note_lost(task, generation, loss);
    };
    auto index = Index::open(foundation, index_options, clock, log);
    if (!index) return fail(std::move(index.error()).within("open the index"));

    stock->table = std::make_shared<LiveTable>(options.memory);
    stock->files = std::move(*files);
    stock->index = std::move(*index);
    stock->on_fetch_done_ = std::move(on_fetch_done);
    stock->first_generation_ = stock->index->next_generation();
    stock->eviction = std::make_unique<Eviction>(
        *stock->index, *stock->files, log,
        [raw = stock.get()](const TaskId& task, std::uint64_t generation) {
            return raw->remove_idle(task, generation);
        });
    stock->eviction->set_limits(options.limits);
    return stock;
}

std::optional<IndexedObject> Stock::find_indexed(const TaskId& task) const {
    // Asked before, too: a removal may be committed, and forgotten, while we look.
    const std::uint64_t doomed = table->doomed(task);
    auto found = index->find_with_body(task);
    if (!found) return found;
    const std::uint64_t generation = found->record.generation;
    if (generation <= doomed || table->is_doomed(task, generation)) return std::nullopt;
    return found;
}

void Stock::load(const std::shared_ptr<LiveObject>& object, const OpenRequest& request) {
    const std::optional<Digest>& digest = request.digest;
    const TaskId& task = object->task;
    std::optional<Stored> stored;
    bool is_new = false;
    if (auto found = find_indexed(task)) {
        const std::uint64_t generation = found->record.generation;
        if (has_content(found->record, digest)) {
            auto taken = take_out(std::move(*found));
            if (!taken && taken.error().code == Errc::exhausted) {
                leave_out_of_reach(*object, std::move(taken.error()));
                return;
            }
            if (taken) stored = std::move(*taken);
        }
        if (!stored) remove_rows(task, generation);
    }
    if (!stored && digest && request.links_by_digest) {
        stored = link_same_content(task, *digest);
        is_new = stored.has_value();
    }
    settle(*object, std::move(stored));
    if (is_new) keep_until_recorded(object);
}

bool Stock::load_at_once(LiveObject& object, const std::optional<Digest>& digest) {
    if (!index->is_in_memory()) return false;
    auto found = find_indexed(object.task);
    // A data file has to be opened, and the same content under another name may be one.
    const bool can_wait = found ? !found->body || !has_content(found->record, digest) : !!digest;
    if (can_wait) return false;
    std::optional<Stored> stored;
    if (found)
        if (auto taken = take_out(std::move(*found))) stored = std::move(*taken);
    settle(object, std::move(stored));
    return true;
}

// Whoever asks now goes to the origin without the cache; what is stored stays.
void Stock::leave_out_of_reach(LiveObject& object, Error why) {
    {
        auto live = object.lock();
        live->failure = std::move(why);
        live->phase = Phase::absent;
        live.wake_all();
    }
    table->leave(object);
}

void Stock::settle(LiveObject& object, std::optional<Stored> stored) {
    const bool is_stored = stored.has_value();
    if (is_stored) {
        table->weigh(object, stored->body.get());
        adopt(object, std::move(*stored));
    }
    auto live = object.lock();
    live->phase = is_stored ? Phase::ready : Phase::absent;
    live.wake_all();
}

bool Stock::link_told(const std::shared_ptr<LiveObject>& object, const Arrival& arrival,
                      const std::string& label, const std::string& rule) {
    const Words own{.arrival = arrival, .label = label, .rule = rule};
    auto stored = link_same_content(object->task, *arrival.digest, &own);
    if (!stored) return false;
    settle(*object, std::move(stored));
    keep_until_recorded(object);
    return true;
}

// Nothing when the bytes are not where the record says.
Expected<Stock::Stored> Stock::take_out(IndexedObject found) const {
    Stored stored;
    stored.record = std::move(found.record);
    const ObjectRecord& record = stored.record;
    if (record.complete && record.size == 0) {
        stored.body = std::make_shared<Body>();  // whatever became of a file without pieces
        return stored;
    }
    if (record.inlined) {
        if (!found.body) return fail(Errc::corrupt, "a body in the index is damaged");
        stored.body = std::move(found.body);
        return stored;
    }
    auto file = files->open_existing(record.task, record.generation);
    if (!file && file.error().code == Errc::exhausted &&
        close_idle_files(kClosedTogether) == Relief::given)
        file = files->open_existing(record.task, record.generation);
    if (!file) return fail(std::move(file.error()));
    stored.file = std::move(*file);
    stored.file->close_on(pool);
    if (is_among_the_last(*stored.file)) close_idle_files(kClosedTogether);
    stored.pieces = index->pieces(record.task, record.generation);
    return stored;
}

// Another URL, the same bytes: the second task gets a second name for the first one's data.
std::optional<Stock::Stored> Stock::link_same_content(const TaskId& task, const Digest& digest,
                                                      const Words* own) {
    const auto other = index->by_digest(digest);
    if (!other || *other == task) return std::nullopt;
    auto found = find_indexed(*other);
    if (!found) return std::nullopt;
    const ObjectRecord& theirs = found->record;
    if (!theirs.complete || !theirs.digest_verified || theirs.digest != digest) return std::nullopt;
    if (own && own->arrival.size && *own->arrival.size != theirs.size) return std::nullopt;
    const std::uint64_t their_generation = theirs.generation;
    auto stored = take_out(std::move(*found));
    if (!stored) return std::nullopt;

    ObjectRecord& ours = stored->record;
    ours.task = task;
    if (own) {
        ours.head = own->arrival.head;
        ours.validator = own->arrival.validator;
        ours.label = own->label;
        ours.rule = own->rule;
        ours.stored_at = std::chrono::system_clock::to_time_t(clock.wall());
    }
    ours.generation = index->next_generation();
    if (stored->body) {
        index->put_inline(ours, stored->body);
    } else {
        if (!index->begin_run()) return std::nullopt;
        if (!files->link(*other, their_generation, task, ours.generation)) return std::nullopt;
        index->put_link(ours, stored->pieces, stored->file, *other, their_generation);
    }
    return std::move(*stored);
}

void Stock::adopt(LiveObject& object, Stored stored) const {
    const ObjectRecord& record = stored.record;
    Holdings holdings;
    holdings.size = record.size;
    holdings.piece_size = std::max<std::uint64_t>(record.piece_size, 1);
    if (stored.body) holdings.present.add(ByteRange(0, record.size));
    for (const PieceRecord& piece : stored.pieces) {
        const ByteRange range = holdings.piece_range(piece.number);
        if (range.empty() || range.length() != piece.length) continue;
        holdings.present.add(range);
        if (piece.boot < index->trusted_boot()) holdings.doubtful.emplace(piece.number, piece);
    }

    auto live = object.lock();
    live->label = record.label;
    live->rule = record.rule;
    live->holdings = std::move(holdings);
    Representation& known = live->change();
    known = representation_of(record);
    // Where nothing has to be hashed, all pieces are the whole, whether that was written down or
    // not.
    known.complete = (record.complete || !record.digest) && live->holdings.all_present();
    live->file = std::move(stored.file);
    live->body = std::move(stored.body);
    // It was the digest of a whole: what fills a gap now has not been seen by it.
    live->digest_verified = record.digest_verified && live->representation->complete;
    live->recorded = true;
    live->decide_tail();
}

Relief Stock::close_idle_files(std::size_t most) const {
    if (table->close_idle_files(most) > 0) return Relief::given;
    // A few would bring little to many who ask.
    if (*unrecorded_files_ <= options.descriptors / 4) return Relief::none;
    index->hurry();
    return Relief::coming;
}

void Stock::keep_until_recorded(const std::shared_ptr<LiveObject>& object) const {
    const auto file = object->lock()->file;
    if (!file || !file->is_made()) {
        index->flush([object] {});
        return;
    }
    ++*unrecorded_files_;
    // Counted until it is let go, and not only until the callback has run.
    const auto let_go = [kept = object, count = unrecorded_files_](LiveObject*) mutable {
        kept = nullptr;
        --*count;
    };
    index->flush([kept = std::shared_ptr<LiveObject>(object.get(), let_go)] {});
}

bool Stock::free_descriptors() const {
    if (table->close_idle_files(kClosedTogether) > 0) return true;
    if (*unrecorded_files_ == 0) return false;
    index->wait_for_commit(kRecordingPatience);
    return table->close_idle_files(kClosedTogether) > 0;
}

Expected<void> Stock::make_file(LiveObject& object, DataFile& file) {
    auto made = file.make();
    if (!made && made.error().code == Errc::exhausted && free_descriptors()) made = file.make();
    if (!made) return made;
    if (is_among_the_last(file) && close_idle_files(kClosedTogether) == Relief::coming)
        free_descriptors();
    std::uint64_t generation = 0;
    bool nameless = false;
    {
        // Who retires the object from here on finds a name to remove.
        auto live = object.lock();
        generation = live->representation->generation;
        nameless = !live->recordable;
    }
    if (nameless) files->remove(object.task, generation);
    return {};
}

void Stock::remove_rows(const TaskId& task, std::uint64_t generation) {
    table->doom(task, generation);
    index->remove(task, generation, [table = table, files = files, task, generation] {
        files->remove(task, generation);
        table->spare(task, generation);
    });
}

void Stock::retire(LiveObject& object, std::optional<Error> failure) {
    std::shared_ptr<Fetch> fetch;
    std::uint64_t generation = 0;
    {
        auto live = object.lock();
        if (failure && !live->failure) live->failure = failure;
        fetch = live->fetch;
        live.wake_all();
        if (!live->retired) {
            live->retired = true;
            live->recordable = false;
            generation = live->representation->generation;
        }
    }
    if (generation != 0) remove_rows(object.task, generation);
    table->leave(object);
    if (fetch && failure) fetch->stop(*failure);
    if (fetch && !failure) fetch->kick();
}

bool Stock::remove_idle(const TaskId& task, std::uint64_t generation) {
    const auto record = index->find(task);
    if (!record || record->generation != generation || table->is_doomed(task, generation))
        return false;
    if (!table->take_idle(task, generation)) return false;
    remove_rows(task, generation);
    return true;
}

bool Stock::fetch_begins(const std::shared_ptr<Fetch>& fetch) {
    const std::scoped_lock lock(fetches_mutex_);
    if (stopping) return false;
    fetches_.emplace(fetch.get(), fetch);
    return true;
}

void Stock::fetch_ended(const Fetch& fetch, const FetchReport& report) {
    if (on_fetch_done_) on_fetch_done_(report);
    const std::scoped_lock lock(fetches_mutex_);
    fetches_.erase(&fetch);
    fetch_ended_.notify_all();
}

void Stock::stop_fetches(const Error& why) {
    std::vector<std::shared_ptr<Fetch>> running;
    {
        const std::scoped_lock lock(fetches_mutex_);
        stopping = true;
        for (const auto& [known, fetch] : fetches_)
            if (auto alive = fetch.lock()) running.push_back(std::move(alive));
    }
    for (const auto& fetch : running) fetch->stop(why);
}

Usage Stock::usage() const {
    Usage usage;
    usage.bytes = eviction->bytes();
    usage.objects = index->objects();
    usage.evictions = eviction->evictions();
    usage.evicted_bytes = eviction->evicted_bytes();
    usage.corrupt_pieces = corrupt_pieces;
    usage.running_fetches = running_fetches();
    usage.waiting_bytes = index->waiting_bytes();
    usage.dropped_changes = index->dropped();
    return usage;
}

std::size_t Stock::running_fetches() const {
    const std::scoped_lock lock(fetches_mutex_);
    return fetches_.size();
}

bool Stock::wait_for_fetches(std::chrono::milliseconds patience) {
    std::unique_lock lock(fetches_mutex_);
    return fetch_ended_.wait_for(lock, patience, [this] { return fetches_.empty(); });
}

}  // namespace hawker::cache
