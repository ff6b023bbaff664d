// How a run of the storm ends, and what must be left of it.
#include "cache/index_apply.h"
#include "cache/index_links.h"
#include "cache/records.h"
#include "tests/unit/cache/scratch.h"
#include "tests/unit/cache/storm.h"

#include <map>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

namespace hawker::cache::testing {

// What the disk has is decided first; then the process may wind up, and changes nothing any more.
void Storm::crash(Crash how) {
    ++crashes;
    const bool loses_last = how == Crash::power && dice_.chance(0.5);
    const std::string latest = index_->latest();
    const std::string left = loses_last ? index_->before() : latest;
    auto next = disk_->after(how, dice_);
    note(how == Crash::kill ? "killed" : "power cut");
    let_die();
    if (!trouble_.empty()) return;
    disk_ = std::move(next);
    // Certain is what was there and had not just been removed.
    Truth certain = autopsy(left);
    if (loses_last) {
        const Truth later = autopsy(latest);
        for (const auto& [name, generation] : certain)
            if (!later.contains(name)) excused_.insert(name);
        std::erase_if(certain, [this](const auto& row) { return excused_.contains(row.first); });
        for (auto& [name, generation] : certain) {
            const auto& kept = later.at(name).pieces;
            const std::size_t given_up = std::erase_if(
                generation.pieces, [&](const auto& piece) { return !kept.contains(piece.first); });
            if (given_up > 0) generation.record.complete = false;
        }
    }
    std::erase_if(certain, [this](const auto& row) { return excused_.contains(row.first); });
    KeptIndex::restore(directory_, left);
    check_disk(certain);
    begin();
    if (trouble_.empty() && dice_.chance(0.3)) check_by_reading(certain);
}

void Storm::stop_cleanly() {
    note("stop");
    calm();
    if (!trouble_.empty()) return;
    cache_->shut_down();
    cache_ = nullptr;
    crank();
    KeptIndex::restore(directory_, index_->latest());
    Truth certain = autopsy(index_->latest());
    std::erase_if(certain, [this](const auto& row) { return excused_.contains(row.first); });
    check_disk(certain);
    KeptIndex::restore(directory_, index_->latest());
}

// The process is gone for the world; here its coroutines have to end.
void Storm::let_die() {
    disk_->die();
    index_->die();
    origin_.is_down = true;
    faults_.quiet = true;
    for (Visitor& visitor : visitors_) {
        visitor.cancelled = true;
        if (visitor.reader) visitor.reader->cancel();
    }
    // What the dead still hear is not checked: nobody does.
    const std::string trouble = trouble_;
    trouble_.clear();
    const std::size_t lines = trace_.size();
    calm();
    trace_.resize(std::min(lines, trace_.size()));
    const bool hangs = trouble_.starts_with("somebody") || trouble_.starts_with("it never");
    if (!trouble.empty() || !hangs) trouble_ = trouble;
    cache_ = nullptr;
    crank();
    origin_.is_down = false;
    faults_.quiet = false;
}

Storm::Truth Storm::autopsy(const std::string& data) {
    Truth truth;
    if (data.empty()) return truth;
    check_count(data);
    KeptIndex::restore(directory_, data);
    Foundation foundation = Foundation::of_the_system();
    foundation.scribe = std::make_shared<HandScribe>(clock_);
    IndexOptions options;
    options.directory = directory_;
    options.map_size = 16U << 20U;
    auto index = Index::open(foundation, options, clock_, *log_);
    if (!index) {
        accuse("the index cannot be opened: " + index.error().what);
        return truth;
    }
    (*index)->each(std::nullopt, [&](const ObjectRecord& record, const AccessRecord&) {
        Certain& certain = truth[{record.task, record.generation}];
        certain.record = record;
        for (const PieceRecord& piece : (*index)->pieces(record.task, record.generation))
            certain.pieces.emplace(piece.number, piece);
        if (const auto found = (*index)->find_with_body(record.task); found && found->body)
            certain.body = test::text_of(*found->body);
        if (const auto shared = (*index)->shared_file(record.task, record.generation))
            certain.shared = shared->file;
        return true;
    });
    return truth;
}

// The number of stored bytes is what the rows say, and every name of a file is an object's.
void Storm::check_count(const std::string& data) {
    KeptIndex::restore(directory_, data);
    const Foundation foundation = Foundation::of_the_system();
    const auto environment = Environment::open(*foundation.index, directory_ / "index", 16U << 20U);
    if (!environment) return accuse("the index cannot be opened: " + environment.error().what);
    const auto txn = (*environment)->read();
    if (!txn) return accuse("the index cannot be read");
    const std::uint64_t kept = stored_bytes(*txn), counted = count_stored_bytes(*txn);
    if (kept != counted)
        accuse(fmt::format("{} bytes are said to be stored, and {} are", kept, counted));
    std::map<std::uint64_t, std::uint64_t> names;  // of a file
    Cursor rows = txn->cursor(Table::links);
    for (bool more = rows.seek({}); more; more = rows.next()) {
        const auto task = task_of(rows.key());
        const auto generation = generation_of(rows.key());
        if (!task || !generation) continue;
        ++names_checked;
        const auto object = txn->get(Table::objects, RowKey::object(*task).view());
        const auto record = object ? decode_object(*task, *object) : std::nullopt;
        if (!record || record->generation != *generation)
            accuse(fmt::format("a file is named by {}, which is gone", thing_of(*task).bytes));
        const auto shared = shared_file(*txn, *task, *generation);
        if (!shared) return accuse("a name of a file that is not known");
        names[shared->file] += 1;
        if (rows.row() != encode_number(shared->file)) accuse("a name of another file");
        if (names[shared->file] > shared->names) accuse("a file has more names than it counts");
    }
}

// Who is said to share a file does, and nobody else.
void Storm::check_names(const Truth& truth) {
    std::map<const void*, std::optional<std::uint64_t>> files;
    std::map<std::uint64_t, const void*> shared;
    for (const auto& [name, certain] : truth) {
        const std::string hex = certain.record.task.hex();
        const void* file =
            disk_->identity(hex.substr(0, 2), fmt::format("{}.{}", hex, certain.record.generation));
        if (file == nullptr) continue;
        const auto [known, is_new] = files.emplace(file, certain.shared);
        if (!is_new && (!certain.shared || known->second != certain.shared))
            accuse("a file with two names counts twice");
        if (certain.shared && shared.emplace(*certain.shared, file).first->second != file)
            accuse("two files are said to be one");
    }
}

// The bytes that the index is certain of are on the disk.
void Storm::check_disk(const Truth& truth) {
    check_names(truth);
    for (const auto& [name, certain] : truth) {
        const ObjectRecord& record = certain.record;
        if (record.inlined) {
            if (!certain.body || certain.body->size() != record.size)
                accuse("a small body is lost");
            else
                check_bytes(certain, ByteRange(0, record.size), *certain.body);
            continue;
        }
        const std::string hex = record.task.hex();
        const auto file =
            disk_->content(hex.substr(0, 2), fmt::format("{}.{}", hex, record.generation));
        std::uint64_t total = 0;
        for (const auto& [number, piece] : certain.pieces) {
            const std::uint64_t first = number * record.piece_size;
            total += piece.length;
            ++pieces_checked;
            if (!file || file->size() < first + piece.length) {
                accuse(fmt::format("piece {} of {} is lost", number, thing_of(record.task).bytes));
                continue;
            }
            const std::string bytes = file->substr(first, piece.length);
            // Tainted bytes may have been given up and overwritten by right ones; then the checksum
            // disagrees, and whoever reads them finds out.
            if (!thing_of(record.task).is_tainted &&
                XXH3_64bits(bytes.data(), bytes.size()) != piece.checksum)
                accuse(fmt::format("piece {} of {} is not what was committed", number,
                                   thing_of(record.task).bytes));
            check_bytes(certain, ByteRange(first, first + piece.length), bytes);
        }
        if (record.complete && total != record.size)
            accuse(fmt::format("{} is called complete, and has {} of {} bytes",
                               thing_of(record.task).bytes, total, record.size));
    }
}

std::uint64_t Storm::version_of(const ObjectRecord& record) {
    return std::strtoull(record.head.c_str() + record.head.rfind(' '), nullptr, 10);
}

// It was asked for by the digest of another version than came: rightly lost once that is found out.
bool Storm::is_doomed(const ObjectRecord& record) {
    return record.digest && !record.digest_verified &&
           record.digest != contents_.digest(thing_of(record.task).bytes, version_of(record));
}

void Storm::check_bytes(const Certain& certain, ByteRange range, const std::string& bytes) {
    const Thing& thing = thing_of(certain.record.task);
    if (thing.is_tainted) return;
    const std::uint64_t version = version_of(certain.record);
    const std::string& right = contents_.of(thing.bytes, version);
    if (range.end > right.size() || right.compare(range.first, range.length(), bytes) != 0)
        accuse(fmt::format("stored bytes of {} version {} at {} are wrong", thing.bytes, version,
                           range.first));
}

// The same through the front door, with nobody to fetch from.
void Storm::check_by_reading(const Truth& truth) {
    faults_.quiet = true;
    origin_.is_down = true;
    const CacheLimits limits = options_.limits;
    options_.limits.max_size = ~0ULL;
    cache_->set_limits(options_.limits);
    for (const auto& [name, certain] : truth) {
        if (thing_of(certain.record.task).is_tainted || is_doomed(certain.record)) continue;
        if (certain.record.inlined || certain.record.complete) {
            read_back(certain, std::nullopt);
            continue;
        }
        for (const auto& [number, piece] : certain.pieces) {
            const std::uint64_t first = number * certain.record.piece_size;
            read_back(certain, ByteRange(first, first + piece.length));
        }
    }
    options_.limits = limits;
    cache_->set_limits(limits);
    origin_.is_down = false;
    faults_.quiet = false;
}

void Storm::read_back(const Certain& certain, std::optional<ByteRange> range) {
    Visitor& visitor = visitors_.emplace_back();
    visitor.thing = &thing_of(certain.record.task);
    visitor.request.task = certain.record.task;
    visitor.request.source = std::make_shared<ShiftingSource>(origin_, *visitor.thing);
    visitor.request.fetch.attempts = 1;
    visitor.range = range;
    if (range) visitor.request.wanted = RangeSpec(range->first, range->end - 1);
    visitor.leaves_after = ~0ULL;
    group_.spawn(visit(*this, visitor, first_));
    const std::uint64_t wanted = range ? range->length() : certain.record.size;
    for (unsigned i = 0; i < 100 && !visitor.gone; ++i) {
        if (crank_some(100'000)) accuse("it never comes to rest");
        clock_.elapsed += std::chrono::milliseconds(10'000);
    }
    if (!visitor.finished || visitor.got != wanted)
        accuse(fmt::format("committed bytes of {} cannot be read: {} of {}{}", visitor.thing->bytes,
                           visitor.got, wanted, visitor.error ? ", " + visitor.error->what : ""));
    crank();
}

}  // namespace hawker::cache::testing
