#include "cache/cache.h"

#include "cache/foundation.h"
#include "cache/opening.h"
#include "cache/stock.h"
#include "cache/task_reader.h"

#include <algorithm>
#include <utility>

namespace hawker::cache {
namespace {

constexpr unsigned kMostDeclined =
    2;  // in turn; then an answer that is not for storing is taken to be one for everybody
constexpr unsigned kMostRounds =
    8;  // of a task whose representation is replaced under those who open it
constexpr std::chrono::milliseconds kFetchesMayTake{10'000};  // to end, once they are told to

Entry entry_of(const ObjectRecord& record, const AccessRecord& access) {
    Entry entry;
    entry.task = record.task;
    entry.label = record.label;
    entry.rule = record.rule;
    entry.size = record.size;
    entry.stored = record.complete ? record.size : 0;
    entry.digest = record.digest;
    entry.stored_at = record.stored_at;
    entry.used_at = access.used_at;
    entry.hits = access.hits;
    entry.complete = record.complete;
    return entry;
}

class TheCache final : public Cache {
public:
    explicit TheCache(std::shared_ptr<Stock> stock) : stock_(std::move(stock)) {}
    ~TheCache() override { close(); }

    Task<Expected<std::unique_ptr<Reader>>> open(OpenRequest request, Executor& home) override;
    std::unique_ptr<Reader> open_at_hand(const TaskId& task, const std::optional<Digest>& digest,
                                         Executor& home) override;
    Task<std::optional<Representation>> find(TaskId task, Executor& home) override;
    void refresh(const TaskId& task, std::uint64_t generation, std::string head) override;
    Task<bool> remove(TaskId task, Executor& home) override { return forget(task, {}, home); }
    Task<bool> remove_generation(TaskId task, std::uint64_t generation, Executor& home) override {
        return forget(task, generation, home);
    }
    Task<void> settle_removals(Executor& home) override;
    std::vector<Entry> list(std::optional<TaskId> after, std::size_t most) const override;
    Usage usage() const override { return stock_->usage(); }
    void set_limits(const CacheLimits& limits) override { stock_->eviction->set_limits(limits); }
    Relief close_idle_files(std::size_t most) override { return stock_->close_idle_files(most); }
    void shut_down() override { close(); }

private:
    std::shared_ptr<LiveObject> bring_to_hand(const TaskId& task,
                                              const std::optional<Digest>& digest);
    // What one of those who open a task is to do next.
    enum class Step : std::uint8_t { read, load, lead, wait, again, replace, fail };
    struct Turn {
        Step step = Step::again;
        std::uint64_t epoch = 0;
        std::unique_ptr<Reader> reader;
        std::optional<Error> error;
    };
    Turn take_turn(const std::shared_ptr<LiveObject>& object, const OpenRequest& request,
                   Executor& home, bool has_waited, bool has_led);
    Origin origin_for(const LiveState& live, bool has_led) const;
    Task<Expected<void>> lead(std::shared_ptr<LiveObject> object, const OpenRequest& request,
                              Executor& home);
    void give_back_lead(LiveObject& object, const Error& error);
    Task<std::shared_ptr<LiveObject>> load(TaskId task, Executor& home);
    Task<bool> forget(TaskId task, std::optional<std::uint64_t> generation, Executor& home);
    void close();

    std::shared_ptr<Stock> stock_;
    bool closed_ = false;
};

Task<Expected<std::unique_ptr<Reader>>> TheCache::open(OpenRequest request, Executor& home) {
    Waiter waiter(home);
    std::shared_ptr<LiveObject> object;
    bool has_waited = false, has_led = false;
    unsigned rounds = 0;
    for (;;) {
        if (stock_->stopping) co_return fail(Errc::shutting_down, "the cache is closing");
        if (!object) {
            if (++rounds > kMostRounds)
                co_return fail(Errc::changed,
                               "the representation changes faster than it can be read");
            object = stock_->table->enter(request.task);
            has_waited = has_led = false;
        }
        Turn turn = take_turn(object, request, home, has_waited, has_led);
        if (turn.step == Step::read) {
            // Of what comes now, its time of storing tells the same.
            if (turn.reader->origin() != Origin::led) stock_->index->touch(request.task);
            co_return std::move(turn.reader);
        }
        if (turn.step == Step::fail) co_return fail(std::move(*turn.error));
        if (turn.step == Step::again || turn.step == Step::replace) {
            // Another content is wanted than the one that is stored: that one is of no use under
            // this name.
            if (turn.step == Step::replace)
                stock_->retire(*object, Error(Errc::changed, "another content is expected"));
            stock_->table->leave(*object);
            object = nullptr;
        } else if (turn.step == Step::load) {
            if (stock_->load_at_once(*object, request.digest)) continue;
            auto read_index = [&] { return stock_->load(object, request), true; };
            co_await stock_->look_ups.along(home, read_index);
        } else if (turn.step == Step::wait) {
            has_waited = true;
            co_await object->changed(waiter, turn.epoch);
        } else {
            auto led = co_await lead(object, request, home);
            if (!led) co_return fail(std::move(led.error()));
            has_led = true;
        }
    }
}

std::unique_ptr<Reader> TheCache::open_at_hand(const TaskId& task,
                                               const std::optional<Digest>& digest,
                                               Executor& home) {
    if (stock_->stopping) return nullptr;
    std::shared_ptr<LiveObject> object = stock_->table->use(task);
    if (!object) object = bring_to_hand(task, digest);
    if (!object) return nullptr;
    std::unique_ptr<Reader> reader;
    {
        auto live = object->lock();
        const Representation& known = *live->representation;
        const bool is_at_hand = live->phase == Phase::ready && !live->failure && !live->retired &&
                                known.complete && live->holdings.doubtful.empty();
        if (!is_at_hand || (digest && known.digest != digest)) return nullptr;
        reader =
            std::make_unique<TaskReader>(stock_, object, *live, OpenRequest(), home, Origin::hit);
    }
    stock_->index->touch(task);
    return reader;
}

// One that is only in the index, and small, or not even there: then open() does not look again.
// Null where that would have to be waited for.
std::shared_ptr<LiveObject> TheCache::bring_to_hand(const TaskId& task,
                                                    const std::optional<Digest>& digest) {
    if (!stock_->index->is_in_memory()) return nullptr;
    auto object = stock_->table->enter(task);
    {
        auto live = object->lock();
        if (live->phase != Phase::unloaded) return object;  // another loop was first
        live->phase = Phase::loading;
    }
    if (stock_->load_at_once(*object, digest)) {
        stock_->table->put_last(*object);
        return object;
    }
    auto live = object->lock();
    live->phase = Phase::unloaded;
    live.wake_all();
    return nullptr;
}

TheCache::Turn TheCache::take_turn(const std::shared_ptr<LiveObject>& object,
                                   const OpenRequest& request, Executor& home, bool has_waited,
                                   bool has_led) {
    Turn turn;
    auto live = object->lock();
    turn.epoch = live->epoch;
    const bool has_taken_part = has_waited || has_led;
    if (live->failure) {
        // What failed for those who led or waited has failed for them; another representation is
        // worth another look.
        if (!has_taken_part || live->failure->code == Errc::changed) return turn;
        turn.step = Step::fail;
        turn.error = live->failure;
        return turn;
    }
    if (live->retired && !has_taken_part) return turn;
    switch (live->phase) {
        case Phase::unloaded:
            live->phase = Phase::loading;
            turn.step = Step::load;
            return turn;
        case Phase::loading:
        case Phase::opening:
            turn.step = Step::wait;
            return turn;
        case Phase::absent:
            live->phase = Phase::opening;
            turn.step = Step::lead;
            return turn;
        case Phase::ready:
            break;
    }
    const Representation& known = *live->representation;
    if (request.digest && known.digest && *known.digest != *request.digest) {
        turn.step = Step::replace;
        return turn;
    }
    if (request.digest && !known.digest) {
        Representation& named = live->change();
        named.digest = request.digest;
        named.complete = false;
        live->digest_verified = false;
    }
    const Origin origin = origin_for(*live, has_led);
    // Who led was asked about its part; this one may want more of the same object.
    if (!has_led && !stock_->has_room_for(*live, request.wanted)) {
        turn.step = Step::fail;
        turn.error = no_room().error();
        return turn;
    }
    turn.step = Step::read;
    turn.reader = std::make_unique<TaskReader>(stock_, object, *live, request, home, origin);
    return turn;
}

Origin TheCache::origin_for(const LiveState& live, bool has_led) const {
    if (has_led) return Origin::led;
    if (live.representation->complete) return Origin::hit;
    return live.fetch && live.born_of_fetch ? Origin::joined : Origin::partial;
}

Task<Expected<void>> TheCache::lead(std::shared_ptr<LiveObject> object, const OpenRequest& request,
                                    Executor& home) {
    Opening opening(stock_, object, request, home);
    auto led = co_await opening.lead();
    if (!led) give_back_lead(*object, led.error());
    co_return led;
}

// The leader failed. What only concerns its credentials passes the lead on to the next one who
// waits, and so does an answer that may have been meant for this client only, once; anything else
// is the same for everybody.
void TheCache::give_back_lead(LiveObject& object, const Error& error) {
    bool is_over = false;
    {
        auto live = object.lock();
        const bool is_personal =
            error.code == Errc::refused || error.code == Errc::cancelled ||
            (error.code == Errc::unsupported && ++live->declined <= kMostDeclined);
        is_over = live->waiters.empty() || !is_personal;
        if (is_over) live->failure = error;
        live->phase = Phase::absent;
        live.wake_all();
    }
    if (is_over) stock_->table->leave(object);
}

Task<std::shared_ptr<LiveObject>> TheCache::load(TaskId task, Executor& home) {
    Waiter waiter(home);
    auto object = stock_->table->enter(task);
    for (;;) {
        Phase phase = Phase::loading;
        std::uint64_t epoch = 0;
        {
            auto live = object->lock();
            phase = live->phase;
            epoch = live->epoch;
            if (phase == Phase::unloaded) live->phase = Phase::loading;
        }
        if (phase == Phase::unloaded) {
            if (stock_->load_at_once(*object, std::nullopt)) continue;
            auto read_index = [&] { return stock_->load(object, OpenRequest()), true; };
            co_await stock_->look_ups.along(home, read_index);
        } else if (phase == Phase::loading) {
            co_await object->changed(waiter, epoch);
        } else {
            co_return object;
        }
    }
}

Task<std::optional<Representation>> TheCache::find(TaskId task, Executor& home) {
    auto object = co_await load(task, home);
    std::optional<Representation> found;
    {
        auto live = object->lock();
        if (live->phase == Phase::ready && !live->failure && !live->retired)
            found = *live->representation;
    }
    if (!found) stock_->table->leave_if_absent(object);
    co_return found;
}

void TheCache::refresh(const TaskId& task, std::uint64_t generation, std::string head) {
    const auto object = stock_->table->find(task);
    if (object) {
        auto live = object->lock();
        if (live->phase == Phase::ready) {
            if (live->retired || live->representation->generation != generation) return;
            live->change().head = std::move(head);
            if (live->recorded && live->recordable) stock_->index->put_object(live->record());
            return;
        }
    }
    stock_->pool.post([stock = stock_, task, generation, head = std::move(head)] {
        auto record = stock->index->find(task);
        if (!record || record->generation != generation ||
            stock->table->is_doomed(task, generation))
            return;
        record->head = head;
        stock->index->put_object(std::move(*record));
    });
}

Task<bool> TheCache::forget(TaskId task, std::optional<std::uint64_t> generation, Executor& home) {
    auto object = co_await load(task, home);
    bool is_there = false;
    bool is_meant = false;
    {
        auto live = object->lock();
        is_there = live->phase == Phase::ready && !live->retired;
        is_meant = is_there && (!generation || live->representation->generation == *generation);
    }
    if (!is_there) stock_->table->leave_if_absent(object);
    if (!is_meant) co_return false;
    stock_->retire(*object, std::nullopt);
    co_return true;
}

Task<void> TheCache::settle_removals(Executor& home) {
    struct Settling {
        explicit Settling(Executor& executor) : wake(executor) {}
        Wake wake;
        bool is_done = false;
    };
    const auto settling = std::make_shared<Settling>(home);
    const auto done = [settling, &home] {
        home.post([settling] {
            settling->is_done = true;
            settling->wake.notify_all();
        });
    };
    stock_->index->flush(done, Index::When::now);
    while (!settling->is_done) co_await settling->wake.wait();
}

std::vector<Entry> TheCache::list(std::optional<TaskId> after, std::size_t most) const {
    std::vector<Entry> entries;
    std::vector<std::uint64_t> generations;
    if (most == 0) return entries;
    stock_->index->each(after, [&](const ObjectRecord& record, const AccessRecord& access) {
        if (stock_->table->is_doomed(record.task, record.generation)) return true;
        entries.push_back(entry_of(record, access));
        generations.push_back(record.generation);
        return entries.size() < most;
    });
    for (std::size_t i = 0; i < entries.size(); ++i) {
        Entry& entry = entries[i];
        const auto shared = stock_->index->shared_file(entry.task, generations[i]);
        if (shared && shared->names > 1) entry.shared_file = shared->file;
        if (const auto object = stock_->table->find(entry.task)) {
            auto live = object->lock();
            if (live->phase == Phase::ready) {
                entry.fetching = live->fetch != nullptr;
                entry.stored = live->holdings.present.total();
                continue;
            }
        }
        if (entry.complete) continue;
        for (const PieceRecord& piece : stock_->index->pieces(entry.task, generations[i]))
            entry.stored += piece.length;
    }
    return entries;
}

void TheCache::close() {
    if (std::exchange(closed_, true)) return;
    stock_->stop_fetches(Error(Errc::shutting_down, "the cache is closing"));
    if (!stock_->wait_for_fetches(kFetchesMayTake))
        stock_->log.warn("{} fetches did not end in time", stock_->running_fetches());
    stock_->table->clear();
    stock_->index->close();
}

}  // namespace

Expected<std::unique_ptr<Cache>> Cache::open(
    const CacheOptions& options, Executor& pool, const Clock& clock, const Log& log,
    std::function<void(const FetchReport&)> on_fetch_done) {
    return open_cache(Foundation::of_the_system(), options, pool, clock, log,
                      std::move(on_fetch_done));
}

Expected<std::unique_ptr<Cache>> open_cache(const Foundation& foundation,
                                            const CacheOptions& options, Executor& pool,
                                            const Clock& clock, const Log& log,
                                            std::function<void(const FetchReport&)> on_fetch_done) {
    auto stock = Stock::open(foundation, options, pool, clock, log, std::move(on_fetch_done));
    if (!stock) return fail(std::move(stock.error()));
    (*stock)->begin_upkeep();
    return std::make_unique<TheCache>(std::move(*stock));
}

}  // namespace hawker::cache
