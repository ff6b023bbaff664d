// What nobody asks for: making room, giving up what could not be recorded, sweeping up.
#include "cache/stock.h"

#include <utility>

namespace hawker::cache {
namespace {

constexpr std::chrono::milliseconds kUpkeepInterval{10'000};

}  // namespace

void Stock::begin_upkeep() {
    pool.post([self = shared_from_this()] {
        // Before somebody waits for it; what does not succeed now is tried again by who needs it.
        (void)self->index->begin_run();
        self->files->make_folders();
        self->note_stored(self->index->stored_bytes());
        self->sweep_orphans();
    });
    tick();
}

void Stock::tick() {
    pool.post_after(kUpkeepInterval, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || self->stopping) return;
        if (self->eviction->excess() > 0 && !self->evicting_.exchange(true)) {
            self->eviction->run();
            self->evicting_ = false;
        }
        self->tick();
    });
}

// Files of earlier runs that no object names go. Files of this run belong to its fetches.
void Stock::sweep_orphans() {
    std::uint64_t swept = 0;
    files->sweep([&](const DataFiles::Found& found) {
        if (stopping) return DataFiles::Fate::end;
        if (found.generation >= first_generation_) return DataFiles::Fate::keep;
        // As committed: a removal that is only queued gives its file back after its commit.
        const auto named = index->names_file(found.task, found.generation);
        if (!named || stopping) return DataFiles::Fate::end;
        if (*named) return DataFiles::Fate::keep;
        ++swept;
        return DataFiles::Fate::go;
    });
    if (swept > 0) log.info("swept {} data files that belonged to no object", swept);
}

bool Stock::has_room_for(const LiveState& live, const RangeSpec& spec) const {
    if (live.representation->complete || live.body || !live.holdings.size) return true;
    const auto wanted = spec.resolve(*live.holdings.size);
    if (!wanted) return true;
    const std::uint64_t here = live.holdings.present.count(*wanted);
    const std::uint64_t missing = wanted->length() - here;
    return missing == 0 || eviction->could_fit(live.holdings.present.total() + missing);
}

void Stock::note_stored(std::uint64_t bytes) {
    eviction->note_stored(bytes);
    evict_in_background();
}

// The writing thread waits for nobody, and must not be the last to hold an object.
void Stock::note_lost(const TaskId& task, std::uint64_t generation, Loss loss) {
    if (stopping) return;
    pool.post([weak = weak_from_this(), task, generation, loss] {
        if (const auto self = weak.lock()) self->give_up(task, generation, loss);
    });
    if (loss == Loss::no_room) eviction->note_full_index();
    evict_in_background();
}

// Its file would stay until the next start, and nobody would find it then.
void Stock::give_up(const TaskId& task, std::uint64_t generation, Loss loss) {
    const auto object = table->find(task);
    bool is_current = false;
    bool is_small = false;
    if (object) {
        auto live = object->lock();
        is_current = live->representation->generation == generation;
        is_small = live->body != nullptr;
    }
    if (!is_current) return remove_rows(task, generation);
    if (is_small) return;  // served for as long as it is hot
    std::optional<Error> failure;
    if (loss == Loss::bytes) failure = Error(Errc::exhausted, "its file could not be synced");
    retire(*object, std::move(failure));
}

void Stock::evict_in_background() {
    if (stopping || !eviction->is_due() || evicting_.exchange(true)) return;
    pool.post([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        if (!self->stopping) self->eviction->run();
        self->evicting_ = false;
    });
}

}  // namespace hawker::cache
