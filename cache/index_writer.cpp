#include "cache/index_writer.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

namespace hawker::cache {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBatch = 2048;
// LMDB holds them twice until they are committed.
constexpr std::uint64_t kBatchBytes = 8ULL << 20U;
// Each commit waits for the disk: who is behind it waits less often, for half of what there is.
constexpr std::uint64_t kMostAtOnce = 4;  // batches in one
constexpr std::uint64_t kShareOfQueue = 2;
constexpr std::uint64_t kQueueBytes = 128ULL << 20U;
constexpr std::uint64_t kBehindBytes = kQueueBytes / 2;
constexpr std::size_t kTouches = 16384;  // tasks whose hits are remembered between two writes
constexpr std::size_t kTouchesPerCommit = 2048;
constexpr auto kTouchInterval = 5s;
constexpr auto kSyncInterval = 1s;
constexpr auto kRetryInterval = 1s;

bool is_flush(const Mutation& mutation) { return std::holds_alternative<Flush>(mutation); }
bool is_removal(const Mutation& mutation) { return std::holds_alternative<Remove>(mutation); }

bool is_impatient(const Mutation& mutation) {
    const auto* flush = std::get_if<Flush>(&mutation);
    return flush && flush->now;
}

// The generation that gets pieces with it, and is not complete without them.
std::optional<std::pair<TaskId, std::uint64_t>> whose_pieces(const Mutation& mutation) {
    if (const auto* put = std::get_if<PutPiece>(&mutation)) return {{put->task, put->generation}};
    if (const auto* link = std::get_if<PutLink>(&mutation))
        return {{link->record.task, link->record.generation}};
    return std::nullopt;
}

// The generation that gets rows with it.
std::optional<std::pair<TaskId, std::uint64_t>> whose_rows(const Mutation& mutation) {
    if (const auto* put = std::get_if<PutObject>(&mutation))
        return {{put->record.task, put->record.generation}};
    if (const auto* put = std::get_if<PutInline>(&mutation))
        return {{put->record.task, put->record.generation}};
    return whose_pieces(mutation);
}

DataFile* file_named_by(const Mutation& mutation) {
    if (const auto* put = std::get_if<PutPiece>(&mutation)) return put->file.get();
    if (const auto* link = std::get_if<PutLink>(&mutation)) return link->file.get();
    return nullptr;
}

std::uint64_t weight_of_additions(const std::vector<Mutation>& batch) {
    std::uint64_t weight = 0;
    for (const Mutation& mutation : batch)
        if (is_addition(mutation)) weight += weight_of(mutation);
    return weight;
}

Expected<void> index_is_full() {
    return fail(Errc::exhausted, "the index has reached its map_size");
}

// Whoever is called second finds that what the first held is free.
void call_back(Mutation mutation) {
    if (const auto* flush = std::get_if<Flush>(&mutation); flush && flush->done) flush->done();
    if (const auto* removal = std::get_if<Remove>(&mutation); removal && removal->after_commit)
        removal->after_commit();
}

}  // namespace

IndexWriter::IndexWriter(Environment& environment, IndexRun& run, Scribe& scribe,
                         std::chrono::milliseconds commit_interval, OnStored on_stored,
                         OnLost on_lost, const Clock& clock, const Log& log)
    : environment_(environment),
      run_(run),
      scribe_(scribe),
      commit_interval_(commit_interval),
      on_stored_(std::move(on_stored)),
      on_lost_(std::move(on_lost)),
      clock_(clock),
      log_(log) {
    synced_at_ = scribe_.now();
    scribe_.begin([this] { return turn(); });
}

IndexWriter::~IndexWriter() { stop(Stop::at_once); }
void IndexWriter::close() { stop(Stop::after_the_queue); }

// The scribe is sent away first: what is left is written here.
void IndexWriter::stop(Stop how) {
    {
        const std::scoped_lock lock(mutex_);
        if (stop_ != Stop::no) return;
        stop_ = how;
    }
    scribe_.end();
    while (write_one_batch() != Progress::ended) {
    }
}

void IndexWriter::push(Mutation mutation) {
    const bool is_urgent = is_impatient(mutation);
    std::unique_lock lock(mutex_);
    if (stop_ != Stop::no) {
        lock.unlock();
        if (is_flush(mutation)) call_back(std::move(mutation));
        return;
    }
    const std::uint64_t weight = weight_of(mutation);
    if (is_addition(mutation) && weight_ + weight > kQueueBytes) {
        ++refused_;
        if (const auto lost = whose_rows(mutation))
            (std::holds_alternative<PutPiece>(mutation) ? refused_pieces_ : refused_rows_)
                .insert(*lost);
        return;
    }
    if (queue_.empty()) first_queued_ = scribe_.now();
    hurry_ = hurry_ || is_urgent;
    const bool was_full = is_full();
    weight_ += weight;
    queue_.push_back(std::move(mutation));
    // The scribe sleeps towards a deadline: it is woken when there is a new one, or when it may
    // start before.
    const bool is_news = queue_.size() == 1 || is_full() != was_full || is_urgent;
    lock.unlock();
    if (is_news) scribe_.wake(is_urgent ? Scribe::Hurry::somebody_waits : Scribe::Hurry::no);
}

void IndexWriter::touch(const TaskId& task) {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
    {
        const std::scoped_lock lock(mutex_);
        const bool first = touches_.empty();
        if (touches_.size() >= kTouches && !touches_.contains(task))
            return;  // an approximation of use is enough
        AccessRecord& access = touches_[task];
        access.used_at = std::max<std::int64_t>(access.used_at, now);
        ++access.hits;
        if (!first) return;
        touches_due_ = scribe_.now() + kTouchInterval;
    }
    scribe_.wake(Scribe::Hurry::no);
}

void IndexWriter::hurry() {
    {
        const std::scoped_lock lock(mutex_);
        if (queue_.empty() || std::exchange(hurry_, true)) return;
    }
    scribe_.wake(Scribe::Hurry::no);
}

bool IndexWriter::is_behind() const { return waiting_bytes() > kBehindBytes; }

// A batch, and more would be the next one's.
bool IndexWriter::is_full() const { return queue_.size() >= kBatch || weight_ >= kBatchBytes; }

IndexWriter::Time IndexWriter::next_deadline() const {
    Time due = Time::max();
    if (!queue_.empty()) due = std::min(due, first_queued_ + commit_interval_);
    if (!touches_.empty()) due = std::min(due, touches_due_);
    if (!stuck_.empty()) due = std::min(due, retry_at_);
    if (unsynced_) due = std::min(due, synced_at_ + kSyncInterval);
    return due;
}

// Only as many as fit: what does not is written one by one.
std::uint64_t IndexWriter::batches_at_once() const {
    const std::uint64_t many =
        std::clamp<std::uint64_t>(waiting_bytes() / kBatchBytes / kShareOfQueue, 1, kMostAtOnce);
    return many > 1 && environment_.has_room(many * kBatchBytes) ? many : 1;
}

IndexWriter::Batch IndexWriter::take_batch(std::uint64_t at_once) {
    Batch batch;
    batch.reserve(std::min(queue_.size(), at_once * kBatch));
    std::uint64_t taken = 0;
    while (!queue_.empty() && batch.size() < at_once * kBatch && taken < at_once * kBatchBytes) {
        const bool is_more = batch.size() >= kBatch || taken >= kBatchBytes;
        if (is_more && file_named_by(queue_.front()) != nullptr) break;  // each is synced by itself
        taken += weight_of(queue_.front());
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    weight_ -= taken;
    if (queue_.empty()) hurry_ = false;
    first_queued_ = scribe_.now();
    return batch;
}

IndexWriter::Time IndexWriter::turn() {
    while (write_one_batch() == Progress::goes_on) {
    }
    const std::scoped_lock lock(mutex_);
    return next_deadline();
}

IndexWriter::Progress IndexWriter::write_one_batch() {
    const std::uint64_t at_once = batches_at_once();
    std::unique_lock lock(mutex_);
    const Stop stop = stop_;
    const Time now = scribe_.now();
    if (stop == Stop::at_once) return Progress::ended;
    const bool is_due = stop != Stop::no || hurry_ || is_full();
    if (!is_due && next_deadline() > now) return Progress::waits;
    Batch batch = take_batch(at_once);
    const bool last = stop == Stop::after_the_queue && queue_.empty();
    const bool touches_are_due =
        last || std::ranges::any_of(batch, is_impatient) || touches_due_ <= now;
    const std::uint64_t refused = std::exchange(refused_, 0);
    lost_.merge(refused_pieces_);
    refused_pieces_.clear();
    for (const auto& lost : std::exchange(refused_rows_, {})) {
        lost_.insert(lost);
        given_up_.try_emplace(lost, Loss::rows);
    }
    lock.unlock();

    if (refused > 0)
        complain(refused, fail(Errc::exhausted, "the queue of changes is full").error());
    work(std::move(batch), touches_are_due, stop);
    sync_if_due(last ? stop : Stop::no);
    return last ? Progress::ended : Progress::goes_on;
}

// What the callbacks hold is let go here, without the lock: it may well push more.
void IndexWriter::work(Batch batch, bool touches_are_due, Stop stop) {
    Batch committed = write(std::move(batch), stop);
    if (touches_are_due) write_touches();  // after the batch: hits belong to its objects as well
    for (const auto& [generation, loss] : std::exchange(given_up_, {}))
        if (on_lost_) on_lost_(generation.first, generation.second, loss);
    for (Mutation& mutation : committed) call_back(std::move(mutation));
}

IndexWriter::Batch IndexWriter::write(Batch batch, Stop stop) {
    if (!stuck_.empty() && (retry_at_ <= scribe_.now() || stop != Stop::no)) {
        std::ranges::move(batch, std::back_inserter(stuck_));
        batch = std::exchange(stuck_, {});
    }
    if (std::ranges::all_of(batch, is_flush)) return batch;
    sync_files(batch);
    keep_honest(batch);
    if (std::ranges::any_of(batch, is_addition) && !environment_.has_room(0))
        drop_additions(batch, is_addition, Loss::no_room, index_is_full().error());
    const std::uint64_t weight = weight_of_additions(batch);
    auto written =
        weight == 0 || environment_.has_room(weight) ? write_in_one(batch) : index_is_full();
    if (!written) return write_one_by_one(std::move(batch), std::move(written.error()));
    if (std::ranges::any_of(batch, is_addition)) complained_ = false;
    return batch;
}

// The data before the rows that name it.
void IndexWriter::sync_files(Batch& batch) {
    std::map<const DataFile*, Expected<void>> synced;
    std::optional<Error> why;
    for (const Mutation& mutation : batch) {
        DataFile* file = file_named_by(mutation);
        if (file == nullptr || synced.contains(file)) continue;
        auto result = file->sync();
        if (!result) why = result.error();
        synced.emplace(file, std::move(result));
    }
    if (!why) return;
    const auto is_not_on_disk = [&synced](const Mutation& mutation) {
        const DataFile* file = file_named_by(mutation);
        return file != nullptr && !synced.at(file);
    };
    drop_additions(batch, is_not_on_disk, Loss::bytes, std::move(*why).within("sync a data file"));
}

void IndexWriter::drop_additions(Batch& batch, const std::function<bool(const Mutation&)>& hopeless,
                                 Loss loss, const Error& why) {
    for (const Mutation& mutation : batch)
        if (hopeless(mutation)) give_up(mutation, loss);
    if (const std::size_t dropped = std::erase_if(batch, hopeless); dropped > 0)
        complain(dropped, why);
    keep_honest(batch);
}

void IndexWriter::give_up(const Mutation& addition, Loss loss) {
    if (const auto lost = whose_pieces(addition)) lost_.insert(*lost);
    const auto lost = whose_rows(addition);
    if (!lost) return;
    Loss& gravest = given_up_.try_emplace(*lost, loss).first->second;
    gravest = std::max(gravest, loss);
}

// An object is not complete when one of its pieces could not be recorded, whatever its fetch
// believes.
void IndexWriter::keep_honest(Batch& batch) {
    if (lost_.empty()) return;
    for (Mutation& mutation : batch) {
        if (auto* put = std::get_if<PutObject>(&mutation))
            if (lost_.contains({put->record.task, put->record.generation}))
                put->record.complete = put->record.digest_verified = false;
        if (const auto* removal = std::get_if<Remove>(&mutation))
            lost_.erase({removal->task, removal->generation});
    }
}

Expected<WriteTxn> IndexWriter::begin_write() {
    if (auto begun = run_.begin(); !begun) return fail(std::move(begun.error()));
    return environment_.write();
}

Expected<void> IndexWriter::write_in_one(const Batch& batch) {
    auto txn = begin_write();
    if (!txn) return fail(txn.error());
    std::int64_t change = 0;
    for (const Mutation& mutation : batch) change += apply(*txn, mutation);
    if (change != 0)
        put_stored_bytes(*txn, stored_bytes(*txn) + static_cast<std::uint64_t>(change));
    auto committed = txn->commit();
    if (!committed) return committed;
    unsynced_ = true;
    if (change != 0) on_stored_(change);
    return committed;
}

// Something in the batch does not fit. Additions are given up with the first that fails; removals
// make room, and each is small enough for the pages that are kept for them.
IndexWriter::Batch IndexWriter::write_one_by_one(Batch batch, Error why) {
    Batch committed;
    bool adding = true;
    std::size_t dropped = 0;
    for (Mutation& mutation : batch) {
        Batch one;
        one.push_back(std::move(mutation));
        const bool addition = is_addition(one.front());
        keep_honest(one);
        if (addition && adding && !environment_.has_room(weight_of(one.front()))) {
            adding = false;
            why = index_is_full().error();
        }
        auto written = !addition || adding ? write_in_one(one) : Expected<void>(fail(why));
        if (written || is_flush(one.front())) {
            committed.push_back(std::move(one.front()));
            continue;
        }
        why = written.error();
        if (addition) {
            adding = false;
            ++dropped;
            give_up(one.front(), why.code == Errc::exhausted ? Loss::no_room : Loss::rows);
        } else if (is_removal(one.front())) {
            stuck_.push_back(std::move(one.front()));
            retry_at_ = scribe_.now() + kRetryInterval;
        }
    }
    if (dropped > 0 || !stuck_.empty()) complain(dropped, why);
    return committed;
}

void IndexWriter::write_touches() {
    Touches touches;
    {
        const std::scoped_lock lock(mutex_);
        touches.swap(touches_);
    }
    for (auto touch = touches.begin(); touch != touches.end();) {
        auto txn = begin_write();
        if (!txn) return;  // hits are a hint; losing some is nothing to speak of
        for (std::size_t n = 0; n < kTouchesPerCommit && touch != touches.end(); ++n, ++touch)
            apply_access(*txn, touch->first, touch->second);
        if (!txn->commit()) return;
        unsynced_ = true;
    }
}

// A commit has its pages on disk, but not yet the page that makes it the last one (NOMETASYNC).
void IndexWriter::sync_if_due(Stop stop) {
    const Time now = scribe_.now();
    if (!unsynced_ || (stop == Stop::no && now < synced_at_ + kSyncInterval)) return;
    synced_at_ = now;
    unsynced_ = false;
    if (auto synced = environment_.sync(); !synced) complain(0, synced.error());
}

void IndexWriter::complain(std::size_t dropped, const Error& why) {
    dropped_.fetch_add(dropped, std::memory_order_relaxed);
    if (std::exchange(complained_, true)) return;
    log_.error("cache index: {} ({}); {} changes dropped, and more until it can be written again",
               why.what, name_of(why.code), dropped);
}

}  // namespace hawker::cache
