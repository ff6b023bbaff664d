#include "tests/unit/cache/storm.h"

#include "cache/index_residency.h"

#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace hawker::cache::testing {

namespace {

constexpr std::uint64_t kJobs = 400'000;  // more at once never comes to rest
constexpr std::chrono::milliseconds kStride{10'000};

}  // namespace

bool DealtExecutor::turn(Dice& dice) {
    std::erase_if(delayed_, [this](auto& waiting) {
        if (waiting.first > clock_.now()) return false;
        ready_.push_back(std::move(waiting.second));
        return true;
    });
    if (ready_.empty()) return false;
    const auto chosen =
        ready_.begin() + static_cast<std::ptrdiff_t>(in_order_ ? 0 : dice.below(ready_.size()));
    Job job = std::move(*chosen);
    ready_.erase(chosen);
    job();
    return true;
}

Storm::Storm(std::uint64_t seed, const std::filesystem::path& directory, Contents& contents,
             Things things)
    : seed_(seed),
      directory_(directory),
      kind_(things),
      dice_(seed),
      faults_(seed + 1),
      contents_(contents),
      pool_(clock_, false),
      first_(clock_, true),
      second_(clock_, true),
      origin_(faults_, dice_, contents),
      group_(first_) {
    for (std::uint64_t number = 0; number < 8; ++number) {
        Thing& thing = things_.emplace_back();
        thing.task = task_named("thing " + std::to_string(number));
        thing.bytes = number == 7 ? 6 : number;  // the last two have the same content
        thing.has_digest = number >= 5;
        thing.has_validator = number != 3 && number != 5;
        if (kind_ == Things::all_kinds || number < 4) continue;
        thing.bytes = 6;
        thing.has_digest = thing.has_validator = true;
        thing.version = 4;  // not a small one
    }
    options_.directory = directory_;
    options_.inline_limit = 6'000;
    options_.map_size = dice_.chance(0.1) ? 768U << 10U : 8U << 20U;
    options_.commit_interval = std::chrono::milliseconds(0);
    // The loop looks into the index itself, or never does.
    options_.calm_look_ups = dice_.chance(0.5) ? 0 : IndexResidency::kNever;
    options_.limits.min_free = 0;
    options_.limits.max_size = 100'000 + dice_.below(3'000'000);
    disk_ = std::make_shared<MemoryDisk>(faults_, 500'000 + dice_.below(8'000'000));
    KeptIndex::restore(directory_, "");
    choose_faults();
}

// Dropping what is left of a run that went wrong.
Storm::~Storm() {
    if (cache_) let_die();
}

void Storm::note(std::string line) { trace_.push_back(std::move(line)); }

void Storm::accuse(std::string what) {
    note("TROUBLE " + what);
    if (trouble_.empty()) trouble_ = std::move(what);
}

Thing& Storm::thing_of(const TaskId& task) {
    for (Thing& thing : things_)
        if (thing.task == task) return thing;
    std::abort();
}

// A few kinds at a time: with all of them nothing is ever stored.
void Storm::choose_faults() {
    faults_.clear();
    if (dice_.chance(0.15)) return;
    constexpr std::array<int, 3> kErrors = {EIO, ENOSPC, EDQUOT};
    const std::uint64_t kinds = 1 + dice_.below(4);
    for (std::uint64_t i = 0; i < kinds; ++i) {
        Faults::Rule rule;
        rule.at = static_cast<Fault>(dice_.below(static_cast<std::uint64_t>(Fault::count)));
        rule.error = kErrors.at(dice_.below(kErrors.size()));
        if (rule.at == Fault::commit && dice_.chance(0.3)) rule.error = MDB_MAP_FULL;
        if (dice_.chance(0.3))
            rule.nth = 1 + dice_.below(40);
        else
            rule.chance = rule.at == Fault::cold ? 0.5 : 0.02 + 0.02 * double(dice_.below(12));
        faults_.add(rule);
        note(fmt::format("fault {}: error {}, number {}, chance {:.2f}", int(rule.at), rule.error,
                         rule.nth, rule.chance));
    }
}

void Storm::run() {
    begin();
    const std::uint64_t steps = 20 + dice_.below(60);
    for (std::uint64_t i = 0; i < steps && trouble_.empty(); ++i) step();
    if (trouble_.empty()) crash(dice_.chance(0.5) ? Crash::kill : Crash::power);
    if (trouble_.empty()) stop_cleanly();
    faults_struck = faults_.struck;
}

// A daemon starts, as often as it takes.
void Storm::begin() {
    for (unsigned attempt = 0; !cache_; ++attempt) {
        if (attempt > 3) faults_.quiet = true;
        Foundation foundation;
        foundation.disk = disk_;
        foundation.index = index_ = std::make_shared<KeptIndex>(faults_, directory_);
        foundation.scribe = scribe_ = std::make_shared<HandScribe>(clock_);
        auto opened = open_cache(foundation, options_, pool_, clock_, *log_, nullptr);
        if (opened)
            cache_ = std::move(*opened);
        else
            note(fmt::format("does not start: {}", name_of(opened.error().code)));
        if (attempt > 5) return accuse("it never starts: " + opened.error().what);
    }
    faults_.quiet = false;
    note("started");
}

void Storm::step() {
    const std::uint64_t number = dice_.below(100);
    if (number < 30) {
        arrive();
    } else if (number < 68) {
        crank_some(1 + dice_.below(120));
    } else if (number < 78) {
        scribe_->write();
    } else if (number < 83) {
        pass();
    } else if (number < 87) {
        replace();
    } else if (number < 90) {
        Thing& thing = *std::next(things_.begin(), std::ptrdiff_t(dice_.below(things_.size())));
        note(fmt::format("remove {}", thing.bytes));
        removals_.push_back(cache_->remove(thing.task, first_));
    } else if (number < 93) {
        for (Visitor& visitor : visitors_)
            if (!visitor.gone && visitor.reader && dice_.chance(0.5)) {
                visitor.cancelled = true;
                visitor.reader->cancel();
            }
    } else if (number < 95) {
        options_.limits.max_size = 50'000 + dice_.below(2'000'000);
        cache_->set_limits(options_.limits);
    } else if (number < 96) {
        stop_cleanly();
        if (trouble_.empty()) begin();
    } else if (number < 97) {
        choose_faults();
    } else {
        crash(dice_.chance(0.4) ? Crash::kill : Crash::power);
    }
}

void Storm::replace() {
    Thing& thing = *std::next(things_.begin(), std::ptrdiff_t(dice_.below(things_.size())));
    // Without a validator only the digest tells versions apart.
    if (thing.has_digest && !thing.has_validator) thing.is_tainted = true;
    ++thing.version;
    if (kind_ == Things::many_names)
        for (Thing& other : things_)
            if (other.bytes == thing.bytes) other.version = thing.version;
    note(fmt::format("{} is replaced by version {}", thing.bytes, thing.version));
}

void Storm::arrive() {
    Visitor& visitor = visitors_.emplace_back();
    visitor.thing = &*std::next(things_.begin(), std::ptrdiff_t(dice_.below(things_.size())));
    Thing& thing = *visitor.thing;
    const std::uint64_t size = contents_.of(thing.bytes, thing.version).size();
    OpenRequest& request = visitor.request;
    request.task = thing.task;
    request.links_by_digest = true;
    request.source = std::make_shared<ShiftingSource>(origin_, thing);
    request.fetch.piece_size = 16'384;
    request.fetch.connections = static_cast<unsigned>(1 + dice_.below(4));
    request.fetch.attempts = static_cast<unsigned>(1 + dice_.below(4));
    request.fetch.on_abandon = static_cast<OnAbandon>(dice_.below(3));
    request.fetch.store = !dice_.chance(0.05);
    if (thing.has_digest && dice_.chance(0.85))
        request.digest = contents_.digest(thing.bytes, thing.version);
    if (size > 0 && dice_.chance(0.4)) {
        const std::uint64_t first = dice_.below(size);
        visitor.range = ByteRange(first, first + 1 + dice_.below(size - first));
        request.wanted = RangeSpec(visitor.range->first, visitor.range->end - 1);
    }
    visitor.leaves_after = dice_.chance(0.2) ? dice_.below(size + 1) : ~0ULL;
    note(fmt::format("arrive: {} version {}, from {}", thing.bytes, thing.version,
                     visitor.range ? visitor.range->first : 0));
    group_.spawn(visit(*this, visitor, dice_.chance(0.5) ? first_ : second_));
}

Task<void> Storm::visit(Storm& storm, Visitor& visitor, Executor& home) {
    auto opened = co_await storm.cache_->open(visitor.request, home);
    if (opened) {
        visitor.reader = std::move(*opened);
        if (visitor.range) visitor.reader->select(*visitor.range);
        while (!visitor.cancelled && visitor.got < visitor.leaves_after) {
            auto run = co_await visitor.reader->next(1 + storm.dice_.below(100'000));
            if (!run) {
                visitor.error = run.error();
                break;
            }
            if (run->at_end()) {
                visitor.finished = true;
                break;
            }
            if (run->is_cold && storm.dice_.chance(0.5))
                visitor.reader->take_back(run->offset + storm.dice_.below(run->length));
            run->length = visitor.reader->position() - run->offset;
            storm.receive(visitor, *run);
        }
    } else {
        visitor.error = opened.error();
    }
    const bool was_whole = visitor.finished && !visitor.range;
    if (was_whole && visitor.request.digest &&
        digest_of(visitor.received) != *visitor.request.digest)
        storm.accuse(
            fmt::format("a finished body of {} does not match its digest", visitor.thing->bytes));
    if (was_whole && visitor.reader->representation().size.value_or(visitor.got) != visitor.got)
        storm.accuse("a finished body is shorter than its representation");
    storm.note(fmt::format("leave {}: {} bytes{}{}", visitor.thing->bytes, visitor.got,
                           visitor.finished ? ", finished" : "",
                           visitor.error ? ", " + visitor.error->what : ""));
    visitor.reader = nullptr;
    visitor.gone = true;
    co_await resume_on(storm.first_);  // the group's
}

// Is every byte the one that belongs there?
void Storm::receive(Visitor& visitor, const Run& run) {
    std::string text(run.length, '\0');
    if (run.fd < 0)
        std::memcpy(text.data(), run.bytes.data(), run.length);
    else if (::pread(run.fd, text.data(), run.length, static_cast<off_t>(run.offset)) !=
             static_cast<ssize_t>(run.length))
        return accuse(
            fmt::format("{} at {}: the file is too short", visitor.thing->bytes, run.offset));
    bytes_served += run.length;
    const std::uint64_t at = visitor.got + (visitor.range ? visitor.range->first : 0);
    if (run.offset != at) accuse("a run begins elsewhere than the one before ended");
    visitor.got += run.length;
    visitor.received += text;
    if (visitor.thing->is_tainted) return;
    const std::string& head = visitor.reader->representation().head;
    const std::uint64_t version = std::strtoull(head.c_str() + head.rfind(' '), nullptr, 10);
    const std::string& right = contents_.of(visitor.thing->bytes, version);
    if (run.offset > right.size() || right.compare(run.offset, run.length, text) != 0)
        accuse(fmt::format("wrong bytes of {} version {} at {}", visitor.thing->bytes, version,
                           run.offset));
}

// Up to so many jobs, from anywhere. False when there are no more.
bool Storm::crank_some(std::uint64_t jobs) {
    const std::array<DealtExecutor*, 3> all = {&pool_, &first_, &second_};
    for (std::uint64_t i = 0; i < jobs; ++i) {
        const std::uint64_t begin = dice_.below(all.size());
        bool busy = false;
        for (std::uint64_t k = 0; k < all.size() && !busy; ++k)
            busy = all.at((begin + k) % all.size())->turn(dice_);
        if (!busy) return false;
    }
    return true;
}

void Storm::crank() {
    if (crank_some(kJobs)) accuse("it never comes to rest");
    std::erase_if(removals_, [](const Task<bool>& removal) { return removal.done(); });
    std::erase_if(visitors_, [](const Visitor& visitor) { return visitor.gone; });
}

void Storm::pass() {
    clock_.elapsed += kStride * (1 + std::int64_t(dice_.below(3)));
    if (faults_.strike(Fault::clock))
        clock_.off += std::chrono::hours(std::int64_t(dice_.below(20'000)) - 10'000);
    scribe_->write();
}

// Time passes until nobody reads and nothing is fetched.
void Storm::calm() {
    for (unsigned i = 0; i < 300 && trouble_.empty(); ++i) {
        crank();
        scribe_->write();
        if (group_.running() == 0 && removals_.empty() && cache_->usage().running_fetches == 0)
            return;
        clock_.elapsed += kStride;
    }
    accuse("somebody waits for ever");
}

}  // namespace hawker::cache::testing
