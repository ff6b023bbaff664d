#include "cache/fetch.h"

#include "base/frames.h"

#include <algorithm>
#include <utility>

namespace hawker::cache {
namespace {

FetchReport first_lines(const OpenRequest& request) {
    FetchReport report;
    report.task = request.task;
    report.label = request.label;
    report.rule = request.rule;
    return report;
}

}  // namespace

std::shared_ptr<Fetch> Fetch::begin(const std::shared_ptr<Stock>& stock,
                                    std::shared_ptr<LiveObject> object, LiveState& live,
                                    const OpenRequest& request, Executor& home) {
    auto fetch = std::allocate_shared<Fetch>(detail::FrameAllocator<Fetch>(), stock,
                                             std::move(object), request, home);
    if (!stock->fetch_begins(fetch)) return nullptr;
    fetch->single_ = !live.can_combine();
    fetch->to_record_.assign(live.unrecorded.begin(), live.unrecorded.end());
    live.fetch = fetch;
    ++live.fetches;
    live.fetch_error.reset();
    live.was_joined = !live.needs.empty();
    live.sources.begin_with(request.source);
    live.decide_tail();
    return fetch;
}

Fetch::Fetch(std::shared_ptr<Stock> stock, std::shared_ptr<LiveObject> object,
             const OpenRequest& request, Executor& home)
    : stock_(std::move(stock)),
      object_(std::move(object)),
      home_(home),
      options_(request.fetch),
      began_(stock_->clock.now()),
      writes_(stock_->pool),
      changed_(home),
      naps_(home),
      work_(home),
      road_(home),
      allowed_(std::max(1U, options_.connections)),
      is_named_(request.digest.has_value()),
      report_(first_lines(request)) {}

void Fetch::start(std::unique_ptr<Beginning> beginning) {
    road_.spawn(run(shared_from_this(), std::move(beginning)));
}

void Fetch::kick() {
    home_.post([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->poke();
    });
}

void Fetch::stop(Error why) {
    home_.post([weak = weak_from_this(), why = std::move(why)] {
        const auto self = weak.lock();
        if (!self || self->is_over()) return;
        self->stop_reason_ = why;
        self->naps_.notify_all();
        self->poke();
    });
}

void Fetch::poke() {
    poked_ = true;
    changed_.notify_all();
}

// `self` is what keeps the fetch alive while it runs.
Task<void> Fetch::run([[maybe_unused]] std::shared_ptr<Fetch> self,
                      std::unique_ptr<Beginning> beginning) {
    if (beginning) {
        // Who opened the task tells its client the head first: writing wakes other threads.
        co_await resume_on(home_);
        launch_first(std::move(beginning));
    }
    for (;;) {
        for (;;) {
            poked_ = false;
            if (!go_on()) break;
            while (!poked_) co_await changed_.wait();
        }
        cancel_segments();
        co_await work_.drained();
        if (settle()) break;
    }
    report();
}

// The transfer that opened the task goes on as the first segment.
void Fetch::launch_first(std::unique_ptr<Beginning> beginning) {
    const Arrival& arrival = beginning->arrival;
    ++report_.segments;
    std::shared_ptr<Segment> segment;
    {
        auto live = object_->lock();
        const std::uint64_t size = arrival.size.value_or(kNoEnd);
        ByteRange range(arrival.offset, size);
        if (arrival.ranged && arrival.length)
            range.end = std::min(size, arrival.offset + *arrival.length);
        if (!arrival.ranged) {
            single_ = true;
            live->want(ByteRange(0, size));
        }
        segment = std::make_shared<Segment>(range, options_.attempts);
        segment->source = beginning->source;
        announce(*segment, *live, range);
        live->decide_tail();
    }
    launch(std::move(segment), std::move(beginning));
}

// Starts what is to be started. False when nothing is under way and nothing is left to do.
bool Fetch::go_on() {
    std::vector<std::shared_ptr<Segment>> planned;
    Transfer* in_the_way = nullptr;
    bool cannot_combine = false;
    {
        auto live = object_->lock();
        if (is_over() || live->failure || is_abandoned(*live)) return false;
        const std::size_t most = single_ ? 1 : allowed_;
        while (active_.size() + planned.size() < most) {
            const auto range = plan(*live);
            if (!range) break;
            cannot_combine = !live->can_combine() && !live->holdings.present.empty();
            if (cannot_combine) break;
            planned.push_back(std::make_shared<Segment>(*range, options_.attempts));
            announce(*planned.back(), *live, *range);
            ++report_.segments;
        }
        if (planned.empty() && !single_ && active_.size() >= most)
            in_the_way = find_one_nobody_needs(*live);
        live->decide_tail();
    }
    if (cannot_combine) {
        retire(
            Error(Errc::changed, "a part is missing, and nothing could be combined with the rest"));
        return false;
    }
    if (in_the_way != nullptr) in_the_way->cancel();
    for (std::shared_ptr<Segment>& segment : planned) launch(std::move(segment), nullptr);
    confirm_in_background({});
    return !active_.empty() || recording_ || verifying_;
}

std::optional<ByteRange> Fetch::plan(LiveState& live) const {
    if (!live.holdings.size) return std::nullopt;
    std::vector<Need> needs;
    needs.reserve(live.needs.size());
    for (const Need* need : live.needs) needs.push_back(*need);
    const Situation situation{.size = *live.holdings.size,
                              .piece_size = live.holdings.piece_size,
                              .connections = single_ ? 1 : options_.connections,
                              .begun = report_.segments,
                              .per_wait = per_wait_,
                              .present = live.holdings.present,
                              .flying = live.flying,
                              .goal = live.goal,
                              .needs = needs};
    return plan_segment(situation);
}

// The last reader has left, and the rule says that it was for readers only.
bool Fetch::is_abandoned(const LiveState& live) const {
    if (!live.needs.empty() || !live.was_joined || live.holdings.all_present()) return false;
    if (live.retired || !live.recordable) return true;
    if (options_.on_abandon == OnAbandon::finish) return false;
    if (options_.on_abandon == OnAbandon::stop) return true;
    if (!live.holdings.size) return true;  // there is no share of what has no size
    std::uint64_t here = 0;
    for (const ByteRange& wanted : live.goal.stretches())
        here += live.holdings.present.count(wanted);
    return here * 100 < live.goal.total() * options_.finish_if_percent;
}

// All connections are busy, a reader waits for something else, and one of them works for nobody who
// is still there.
Transfer* Fetch::find_one_nobody_needs(const LiveState& live) {
    const bool somebody_waits =
        std::any_of(live.needs.begin(), live.needs.end(), [&live](const Need* need) {
            return need->waiting && !live.is_flying(need->position) &&
                   live.holdings.present.run_end(need->position) == need->position;
        });
    if (!somebody_waits) return nullptr;
    for (const std::shared_ptr<Segment>& segment : active_) {
        if (segment->transfer == nullptr || segment->given_up) continue;
        const bool is_needed =
            std::any_of(live.needs.begin(), live.needs.end(), [&segment](const Need* need) {
                return need->position < segment->end && segment->next < need->end;
            });
        if (is_needed) continue;
        segment->given_up = true;
        return segment->transfer;
    }
    return nullptr;
}

void Fetch::launch(std::shared_ptr<Segment> segment, std::unique_ptr<Beginning> beginning) {
    active_.push_back(segment);
    work_.spawn(fill(std::move(segment), std::move(beginning)));
}

void Fetch::cancel_segments() {
    const auto running = active_;  // a cancelled one may leave the list at once
    for (const std::shared_ptr<Segment>& segment : running) {
        segment->given_up = true;
        if (segment->transfer != nullptr) segment->transfer->cancel();
    }
    naps_.notify_all();
}

// Nothing is under way any more. False when there is work again after all.
bool Fetch::settle() {
    bool retires = false;
    {
        auto live = object_->lock();
        const bool failed = is_over() || live->failure;
        if (!failed && !is_abandoned(*live) && plan(*live)) return false;
        const bool confirmed = !live->representation->digest || live->digest_verified;
        const bool whole = live->holdings.all_present() && confirmed && !live->failure;
        if (whole && to_record_.empty() && live->unrecorded.empty()) {
            live->change().complete = true;
            report_.complete = true;
            if (live->recordable) record_whole(*live);
        }
        // A part that nothing can be combined with would only cut the next reader off.
        const bool is_useless = !whole && !live->can_combine();
        retires = !live->retired && (!live->recordable || !live->recorded || is_useless);
        live->fetch = nullptr;
        live->born_of_fetch = false;
        live->flying.clear();
        live->fetch_error = error_ ? error_ : stop_reason_;
        live->sources.clear();
        live->decide_tail();
        live.wake_all();
    }
    if (retires) stock_->retire(*object_, std::nullopt);
    stock_->keep_until_recorded(object_);
    return true;
}

// Tells the index that every byte is here.
void Fetch::record_whole(LiveState& live) const {
    live.recorded = true;
    if (live.body)
        stock_->index->put_inline(live.record(), live.body);
    else
        stock_->index->put_object(live.record());
}

void Fetch::end_with(Error error) {
    if (!is_over()) error_ = std::move(error);
    naps_.notify_all();
    poke();
}

void Fetch::retire(Error error) {
    stock_->retire(*object_, error);
    end_with(std::move(error));
}

void Fetch::report() {
    report_.cost =
        std::chrono::duration_cast<std::chrono::milliseconds>(stock_->clock.now() - began_);
    report_.error = error_ ? error_ : stop_reason_;
    stock_->fetch_ended(*this, report_);
}

// A pause that the end of the segment cuts short.
Task<void> Fetch::nap(std::chrono::milliseconds delay, const Segment& segment) {
    const auto due = std::make_shared<bool>(false);
    home_.post_after(delay, [weak = weak_from_this(), due] {
        *due = true;
        if (const auto self = weak.lock()) self->naps_.notify_all();
    });
    while (!*due && !is_over() && !segment.given_up) co_await naps_.wait();
}

}  // namespace hawker::cache
