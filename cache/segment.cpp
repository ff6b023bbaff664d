// Fetch, one segment: asking a source, checking the answer, writing what comes, and what to do when
// it does not come.
#include "cache/fetch.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace hawker::cache {
namespace {

bool is_a_refusal(Errc code) {
    return code == Errc::refused || code == Errc::not_found || code == Errc::unsupported ||
           code == Errc::denied;
}

}  // namespace

void Fetch::announce(Segment& segment, LiveState& live, ByteRange range) {
    withdraw(segment, live);
    segment.announced = range;
    if (!range.empty()) live.flying.push_back(range);
}

void Fetch::withdraw(Segment& segment, LiveState& live) {
    const auto it = std::find(live.flying.begin(), live.flying.end(), segment.announced);
    if (it != live.flying.end()) live.flying.erase(it);
    segment.announced = ByteRange();
}

bool Fetch::is_done(const Segment& segment) const {
    return is_over() || segment.given_up || segment.next >= segment.end;
}

Task<void> Fetch::fill(std::shared_ptr<Segment> segment, std::unique_ptr<Beginning> beginning) {
    while (!is_done(*segment)) {
        auto verdict = co_await attempt(*segment, std::move(beginning));
        if (verdict || is_done(*segment)) continue;
        const bool again = co_await overcome(std::move(verdict.error()), *segment);
        if (!again) break;
    }
    {
        auto live = object_->lock();
        withdraw(*segment, *live);
    }
    active_.remove(segment);
    poke();
}

// One transfer, from the question to its end.
Task<Fetch::Verdict> Fetch::attempt(Segment& segment, std::unique_ptr<Beginning> beginning) {
    const bool is_answered = beginning != nullptr;
    if (!is_answered) beginning = ask(segment);
    if (!beginning) co_return fail(Errc::refused, "no source is left that opens it");
    segment.transfer = beginning->transfer.get();
    const SteadyTime asked = stock_->clock.now();
    Verdict verdict;
    if (!is_answered) {
        auto arrival = co_await beginning->transfer->head();
        verdict = arrival ? accept(segment, *arrival) : Verdict(fail(arrival.error()));
        if (verdict) beginning->arrival = std::move(*arrival);
        beginning->waited = stock_->clock.now() - asked;
    }
    const SteadyTime answered = stock_->clock.now();
    const std::uint64_t before = segment.next;
    if (verdict) verdict = co_await pump(segment, *beginning);
    if (verdict) learn_pace(*beginning, answered, segment.next - before);
    segment.transfer = nullptr;
    if (!verdict) beginning->transfer->cancel();
    co_return verdict;
}

void Fetch::learn_pace(const Beginning& beginning, SteadyTime answered, std::uint64_t bytes) {
    using seconds = std::chrono::duration<double>;
    const seconds took = stock_->clock.now() - answered;
    if (took <= seconds::zero()) return;
    const double rate = static_cast<double>(bytes) / took.count();
    per_wait_ = static_cast<std::uint64_t>(rate * seconds(beginning.waited).count());
}

// Opens a transfer for what the segment still needs, with the best source there is; null when there
// is none.
std::unique_ptr<Beginning> Fetch::ask(Segment& segment) {
    RangeSpec range(segment.next, std::nullopt);
    auto beginning = std::make_unique<Beginning>();
    {
        auto live = object_->lock();
        beginning->source = live->sources.pick();
        if (live->holdings.size) {
            const unsigned connections = single_ ? 1 : options_.connections;
            range = request_for(ByteRange(segment.next, segment.end), *live->holdings.size,
                                connections);
        }
    }
    if (!beginning->source) return nullptr;
    segment.source = beginning->source;
    beginning->transfer = beginning->source->open(range, home_);
    return beginning;
}

// The servers of one name may each have a tag of their own. What is named by its digest comes from
// any of them; where the digest is only a source's word, from one that gives the same word, or when
// the whole is checked before its end is given away.
bool Fetch::is_the_same(const LiveState& live, const Arrival& arrival) const {
    const Representation& known = *live.representation;
    const bool is_told_twice = !is_named_ && known.digest && arrival.digest;
    if (is_told_twice && *known.digest != *arrival.digest) return false;
    if (arrival.validator == known.validator) return true;
    if (!known.digest || !known.size || arrival.size != known.size) return false;
    return is_named_ || is_told_twice || live.holdings.tail_is_held;
}

// Does this answer belong to the representation that we know, and to the place that we asked for?
Fetch::Verdict Fetch::accept(Segment& segment, const Arrival& arrival) {
    auto live = object_->lock();
    const Representation& known = *live->representation;
    if (!is_the_same(*live, arrival))
        return fail(Errc::changed, "the validator is another one than at the beginning");
    if (known.size && arrival.size && *known.size != *arrival.size)
        return fail(Errc::changed, "the size is another one than at the beginning");
    if (arrival.offset != segment.next && arrival.offset != 0)
        return fail(Errc::invalid, "the answer begins at another byte than was asked for");
    if (arrival.size && !Holdings::can_be_cut(*arrival.size, live->holdings.piece_size))
        return no_room();
    if (arrival.size && !known.size) {
        live->change().size = arrival.size;
        live->holdings.size = arrival.size;
        segment.end = std::min(segment.end, *arrival.size);
        live->want(ByteRange(0, *arrival.size));
        for (const std::uint32_t piece : live->holdings.whole_pieces(ByteRange(0, *arrival.size)))
            to_record_.push_back(piece);
        live.wake_all();
    }
    if (!arrival.end_is_certain) live->recordable = false;
    if (!arrival.ranged || arrival.offset != segment.next) take_everything(segment, *live);
    segment.is_foreign = arrival.validator != live->representation->validator;
    return {};
}

// The source has no ranges: this one stream brings it all, and no other runs beside it.
void Fetch::take_everything(Segment& segment, LiveState& live) {
    single_ = true;
    segment.end = live.holdings.size.value_or(kNoEnd);
    live.want(ByteRange(0, segment.end));
    announce(segment, live, ByteRange(segment.next, segment.end));
    for (const std::shared_ptr<Segment>& other : active_) {
        if (other.get() == &segment) continue;
        other->given_up = true;
        withdraw(*other, live);
        // Cancelled a little later: not while the lock is held.
        home_.post([other] {
            if (other->transfer != nullptr) other->transfer->cancel();
        });
    }
}

Task<Fetch::Verdict> Fetch::pump(Segment& segment, Beginning& beginning) {
    Transfer& transfer = *beginning.transfer;
    const Arrival& arrival = beginning.arrival;
    const std::uint64_t before = segment.next;
    std::uint64_t at = arrival.offset;
    const std::uint64_t own_end = arrival.length ? arrival.offset + *arrival.length : kNoEnd;
    for (;;) {
        auto bytes = co_await transfer.read();
        if (!bytes) co_return fail(std::move(bytes.error()));
        if (bytes->empty()) break;
        const std::uint64_t count = bytes->size();
        report_.bytes += count;
        auto kept = co_await keep(segment, at, *bytes);
        if (!kept) co_return kept;
        // The first bytes of all: whoever waits for them goes before more is received and written.
        if (report_.bytes == count) co_await resume_on(home_);
        at += count;
        if (at > segment.next) {
            segment.next = at;
            segment.backoff.progress();
        }
        if (segment.given_up || is_over())
            co_return fail(Errc::cancelled, "the segment is not wanted any more");
        // Everything that was wanted; the end of the transfer is waited for only when that is all
        // that it still has.
        if (at >= segment.end && at != own_end) {
            transfer.cancel();
            co_return Verdict();
        }
    }
    if (segment.end == kNoEnd && own_end == kNoEnd) {
        end_is_known(at);
        segment.end = at;
        co_return Verdict();
    }
    if (own_end != kNoEnd && at < own_end) co_return fail(Errc::closed, "the transfer fell short");
    if (at < segment.end && segment.next == before)
        co_return fail(Errc::closed, "the transfer brought nothing");
    co_return Verdict();
}

// Puts bytes where they belong. Those that are here already stay as they are.
Task<Fetch::Verdict> Fetch::keep(const Segment& segment, std::uint64_t at,
                                 std::span<const std::byte> bytes) {
    const ByteRange range(at, at + bytes.size());
    std::vector<ByteRange> missing;
    std::shared_ptr<DataFile> file;
    std::shared_ptr<Body> body;
    std::uint64_t piece_size = 0;
    std::uint64_t size = kNoEnd;
    {
        auto live = object_->lock();
        if (live->failure) co_return fail(*live->failure);
        if (live->holdings.size && range.end > *live->holdings.size)
            co_return fail(Errc::invalid, "more bytes than the representation has");
        // Where no size was told, nobody has asked whether it fits.
        const bool is_open = !live->holdings.size && live->file;
        if (is_open && !stock_->eviction->could_fit(range.end)) co_return no_room();
        missing = live->holdings.present.gaps(range);
        file = live->file;
        body = live->body;
        piece_size = live->holdings.piece_size;
        size = live->holdings.size.value_or(kNoEnd);
    }
    std::vector<PieceSum> sums;
    auto write = [&]() -> Expected<void> {
        if (auto begun = stock_->index->begin_run(); !begun) return begun;
        if (!file->is_made())
            if (auto made = stock_->make_file(*object_, *file); !made) return made;
        for (const ByteRange& part : missing) {
            const auto piece = bytes.subspan(part.first - at, part.length());
            if (auto written = file->write(part.first, piece); !written) return written;
            sums_.add(part.first, piece, piece_size, size, sums);
        }
        return {};
    };
    if (body) {
        for (const ByteRange& part : missing)  // std::ranges::copy goes byte by byte (GCC 12)
            std::memcpy(body->data() + part.first, bytes.data() + (part.first - at), part.length());
    } else if (!missing.empty()) {
        auto written = co_await offload(writes_, home_, write);
        if (!written) {
            auto make_room_and_write = [&] {
                stock_->make_room();
                return write();
            };
            written = co_await offload(writes_, home_, make_room_and_write);
        }
        if (!written) co_return fail(Errc::exhausted, "store the bytes: " + written.error().what);
    }
    co_return arrived(segment, range, missing, sums);
}

Fetch::Verdict Fetch::arrived(const Segment& segment, ByteRange range,
                              const std::vector<ByteRange>& written,
                              const std::vector<PieceSum>& sums) {
    std::vector<std::uint32_t> pieces;
    {
        auto live = object_->lock();
        if (live->failure) return fail(*live->failure);
        for (const ByteRange& part : written) {
            const std::uint32_t last = live->holdings.piece_at(part.end - 1);
            for (std::uint32_t piece = live->holdings.piece_at(part.first); piece <= last;
                 ++piece) {
                summed_.erase(piece);
                if (segment.is_foreign) live->foreign.insert(piece);
            }
        }
        for (const PieceSum& sum : sums)
            summed_.insert_or_assign(live->holdings.piece_at(sum.piece.first), sum);
        // Only these: what was here when the writing began may have been found damaged since.
        for (const ByteRange& part : written) live->holdings.present.add(part);
        if (live->file)
            for (const ByteRange& part : written)
                for (const std::uint32_t piece : live->holdings.whole_pieces(part))
                    pieces.push_back(piece);
        // What was held back for lack of these bytes may be free now.
        const std::uint64_t held = live->holdings.tail_is_held ? kHeldBack : 0;
        live.wake_at(ByteRange(range.first - std::min(range.first, held), range.end));
    }
    confirm_in_background(pieces);
    return {};
}

// A body of unknown length has ended.
void Fetch::end_is_known(std::uint64_t size) {
    std::vector<std::uint32_t> pieces;
    {
        auto live = object_->lock();
        live->change().size = size;
        live->holdings.size = size;
        live->want(ByteRange(0, size));
        live->decide_tail();
        pieces = live->holdings.whole_pieces(ByteRange(0, size));
        live.wake_all();
    }
    confirm_in_background(pieces);
}

// After a failure: true when the segment is worth another attempt, now.
Task<bool> Fetch::overcome(Error error, Segment& segment) {
    if (error.code == Errc::shutting_down) co_return false;
    // Not by us (is_done() says so then): whoever brought the source is gone.
    const bool has_gone = error.code == Errc::cancelled;
    if (has_gone) error = Error(Errc::unavailable, "whoever could fetch the rest has left");
    if (error.code == Errc::changed || error.code == Errc::corrupt) {
        retire(std::move(error));
        co_return false;
    }
    if (error.code == Errc::exhausted) {
        end_with(std::move(error));
        co_return false;
    }
    if (!may_resume()) {
        // Nothing can be combined with what has come so far: it is of no use to anybody.
        retire(std::move(error));
        co_return false;
    }
    if (has_gone || is_a_refusal(error.code)) {
        const bool another = try_another_source(segment);
        if (!another) end_with(std::move(error));
        report_.retries += another ? 1 : 0;
        co_return another;
    }
    if (error.code == Errc::unavailable && !error.retry_after && active_.size() > 1) {
        // Others are being served: the source may only allow fewer at once.
        allowed_ = static_cast<unsigned>(active_.size()) - 1;
        ++report_.retries;
        co_return false;
    }
    const auto delay = segment.backoff.next(error);
    if (!delay) {
        end_with(std::move(error));
        co_return false;
    }
    ++report_.retries;
    co_await nap(*delay, segment);
    co_return true;
}

bool Fetch::try_another_source(const Segment& segment) {
    auto live = object_->lock();
    live->sources.refuse(segment.source);
    return live->sources.pick() != nullptr;
}

bool Fetch::may_resume() {
    auto live = object_->lock();
    return live->can_combine() || live->holdings.present.empty();
}

}  // namespace hawker::cache
