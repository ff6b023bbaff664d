#include "cache/opening.h"

#include <algorithm>
#include <utility>

namespace hawker::cache {
namespace {

// Nobody has a byte yet, and a client waits: one that is told to come back later can decide by
// itself.
constexpr std::chrono::milliseconds kPatience{5'000};
// What is asked for now would have to be forgotten: it waits for the disk, but not for a broken
// one.
constexpr std::chrono::milliseconds kCatchUp{10};
constexpr std::chrono::milliseconds kMostCatchUp{100};

// Does the transfer bring the whole representation, so that nothing has to be combined with it?
bool brings_everything(const Arrival& arrival) {
    if (arrival.offset != 0) return false;
    return !arrival.ranged || (arrival.size && arrival.length == arrival.size);
}

bool may_pass(Errc code) {
    return code == Errc::unavailable || code == Errc::closed || code == Errc::timed_out ||
           code == Errc::invalid;
}

}  // namespace

Opening::Opening(std::shared_ptr<Stock> stock, std::shared_ptr<LiveObject> object,
                 const OpenRequest& request, Executor& home)
    : stock_(std::move(stock)),
      object_(std::move(object)),
      request_(request),
      home_(home),
      backoff_(request.fetch.attempts, kPatience),
      range_(first_request(request.wanted, request.fetch.piece_size, request.fetch.connections)) {}

Task<Expected<void>> Opening::lead() {
    const SteadyTime patience = stock_->clock.now() + kMostCatchUp;
    while (request_.fetch.store && stock_->index->is_behind() && !stock_->stopping &&
           stock_->clock.now() < patience)
        co_await sleep_on(home_, kCatchUp);
    for (;;) {
        auto asked = co_await ask();
        if (asked) break;
        if (stock_->stopping) co_return fail(Errc::shutting_down, "the cache is closing");
        Error error = std::move(asked.error());
        if (error.code == Errc::changed) {
            // No such range, or none that could be combined with another: then without a range,
            // which cannot fail so.
            if (range_.is_whole()) co_return fail(std::move(error));
            range_ = RangeSpec::whole();
            continue;
        }
        if (!may_pass(error.code)) co_return fail(std::move(error));
        const auto delay = backoff_.next(error);
        if (!delay) co_return fail(std::move(error));
        co_await sleep_on(home_, *delay);
    }
    auto welcomed = co_await welcome();
    co_return welcomed;
}

Task<Expected<void>> Opening::ask() {
    beginning_ = std::make_unique<Beginning>();
    beginning_->source = request_.source;
    const SteadyTime asked = stock_->clock.now();
    beginning_->transfer = request_.source->open(range_, home_);
    auto arrival = co_await beginning_->transfer->head();
    beginning_->waited = stock_->clock.now() - asked;
    if (arrival) {
        beginning_->arrival = std::move(*arrival);
        auto judged = judge(beginning_->arrival);
        if (judged) co_return judged;
        arrival = fail(std::move(judged.error()));
        beginning_->transfer->cancel();
    }
    beginning_ = nullptr;
    co_return fail(std::move(arrival.error()));
}

Expected<void> Opening::judge(const Arrival& arrival) {
    const std::uint64_t piece = choose_piece_size(arrival.size, request_.fetch.piece_size);
    if (arrival.size && !Holdings::can_be_cut(*arrival.size, piece)) return no_room();
    if (brings_everything(arrival)) return {};
    if (!arrival.ranged || !arrival.size || arrival.offset > *arrival.size)
        return fail(range_.is_whole() ? Errc::invalid : Errc::changed,
                    "a part of a representation without its size");
    const bool can_combine = !arrival.validator.empty() || request_.digest || arrival.digest;
    if (!can_combine)
        return fail(range_.is_whole() ? Errc::invalid : Errc::changed,
                    "a part that nothing could be combined with");
    return {};
}

// The answer is good: a place for the bytes, and the fetch begins.
Task<Expected<void>> Opening::welcome() {
    const Arrival& arrival = beginning_->arrival;
    if (request_.links_by_digest && arrival.digest && !request_.digest) {
        auto link = [&] {
            return stock_->link_told(object_, arrival, request_.label, request_.rule);
        };
        const bool linked = co_await offload(stock_->pool, home_, link);
        if (linked) {
            beginning_->transfer->cancel();
            beginning_ = nullptr;
            co_return Expected<void>();
        }
    }
    const std::uint64_t generation = stock_->index->next_generation();
    std::shared_ptr<DataFile> file;
    if (!arrival.size || *arrival.size > stock_->options.inline_limit) {
        std::uint64_t expected = arrival.size.value_or(arrival.length.value_or(0));
        if (const auto wanted = request_.wanted.resolve(expected)) expected = wanted->length();
        if (!stock_->eviction->could_fit(expected)) {
            beginning_->transfer->cancel();
            co_return no_room();
        }
        // Made with its first bytes: by then the client has the head.
        file = stock_->files->create(object_->task, generation);
        file->close_on(stock_->pool);
    }
    const bool begun = install(generation, std::move(file));
    if (!begun) co_return fail(Errc::shutting_down, "the cache is closing");
    co_return Expected<void>();
}

bool Opening::install(std::uint64_t generation, std::shared_ptr<DataFile> file) {
    const Arrival& arrival = beginning_->arrival;
    std::shared_ptr<Fetch> fetch;
    const auto body = file ? nullptr : std::make_shared<Body>(*arrival.size);
    stock_->table->weigh(*object_, body.get());
    {
        auto live = object_->lock();
        Representation& known = live->change();
        known.task = object_->task;
        known.generation = generation;
        known.size = arrival.size;
        known.validator = arrival.validator;
        known.head = arrival.head;
        known.digest = request_.digest ? request_.digest : arrival.digest;
        known.stored_at = std::chrono::system_clock::to_time_t(stock_->clock.wall());
        live->label = request_.label;
        live->rule = request_.rule;
        live->holdings.size = arrival.size;
        live->holdings.piece_size = choose_piece_size(arrival.size, request_.fetch.piece_size);
        live->recordable = request_.fetch.store && arrival.end_is_certain && !live->retired;
        live->file = std::move(file);
        live->body = body;
        live->born_of_fetch = true;
        fetch = Fetch::begin(stock_, object_, *live, request_, home_);
        if (!fetch) return false;
        live->phase = Phase::ready;
        live.wake_all();
    }
    fetch->start(std::move(beginning_));
    return true;
}

}  // namespace hawker::cache
