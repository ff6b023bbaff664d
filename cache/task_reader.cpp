#include "cache/task_reader.h"

#include "cache/doubts.h"
#include "cache/residency.h"

#include <algorithm>
#include <utility>

namespace hawker::cache {
namespace {

constexpr std::uint64_t kColdWindow = 1_MiB;  // what is read from the disk at once

}  // namespace

TaskReader::TaskReader(std::shared_ptr<Stock> stock, std::shared_ptr<LiveObject> object,
                       LiveState& live, OpenRequest request, Executor& home, Origin origin)
    : stock_(std::move(stock)),
      object_(std::move(object)),
      request_(std::move(request)),
      home_(home),
      origin_(origin),
      representation_(live.representation),
      file_(live.file),
      body_(live.body),
      end_(live.holdings.size.value_or(kNoEnd)),
      waiter_(home) {
    // Until it is selected, what it will read is what its opener expected.
    ByteRange expected(0, end_);
    if (live.holdings.size)
        if (const auto wanted = request_.wanted.resolve(*live.holdings.size)) expected = *wanted;
    need_.position = expected.first;
    need_.end = expected.end;
    live.needs.push_back(&need_);
    live.was_joined = true;
    if (representation_->complete) return;
    live.want(expected);
    if (live.fetch && request_.source) live.sources.add(request_.source);
    live.decide_tail();
}

TaskReader::~TaskReader() {
    std::shared_ptr<Fetch> fetch;
    {
        auto live = object_->lock();
        std::erase(live->needs, &need_);
        if (live->needs.empty()) fetch = live->fetch;
    }
    if (fetch) fetch->kick();
}

void TaskReader::select(ByteRange range) {
    std::shared_ptr<Fetch> fetch;
    {
        auto live = object_->lock();
        selected_ = true;
        position_ = range.first;
        end_ = std::min(end_, range.end);
        need_.position = position_;
        need_.end = end_;
        if (live->representation->complete) return;
        live->want(range);
        live->decide_tail();
        fetch = live->fetch;
    }
    if (fetch) fetch->kick();
}

void TaskReader::cancel() {
    cancelled_ = true;
    object_->interrupt(waiter_);
}

Task<Expected<Run>> TaskReader::next(std::uint64_t most) {
    if (!selected_) select(ByteRange(0, end_));
    for (;;) {
        if (cancelled_) co_return fail(Errc::cancelled, "the reader was cancelled");
        Look seen = look(std::max<std::uint64_t>(most, 1));
        switch (seen.step) {
            case Step::finish:
                co_return Run();
            case Step::give_up:
                co_return fail(std::move(*seen.error));
            case Step::check:
                co_await check_piece(stock_, object_, file_, seen.doubt, home_);
                break;
            case Step::begin:
            case Step::wait:
                start_or_kick(seen);
                if (seen.step == Step::wait) co_await object_->changed(waiter_, seen.epoch);
                break;
            case Step::hand_out: {
                const bool was_back = std::exchange(took_back_, false);
                const bool is_warm = body_ || file_->is_resident(seen.run);
                Run run = is_warm ? run_of(seen.run) : cold_run_of(seen.run);
                if (was_back && !body_) {
                    const ByteRange ready = co_await bring_in(seen.run);
                    if (ready.empty()) break;
                    run = run_of(ready);
                }
                position_ = run.offset + run.length;
                co_return run;
            }
        }
    }
}

TaskReader::Look TaskReader::look(std::uint64_t most) {
    Look seen;
    auto live = object_->lock();
    need_.position = position_;
    need_.waiting = false;
    if (live->failure) {
        seen.step = Step::give_up;
        seen.error = live->failure;
        return seen;
    }
    if (live->holdings.size) {
        end_ = std::min(end_, *live->holdings.size);
        need_.end = end_;
    }
    // An empty body is not complete before its digest agrees either.
    const bool is_held = live->holdings.tail_is_held && live->holdings.size == 0U;
    if (position_ >= end_ && !is_held) return seen;
    const std::uint64_t here = live->holdings.readable_end(position_);
    if (here > position_) {
        seen.step = Step::hand_out;
        seen.run = ByteRange(position_, std::min(here, end_));
        seen.run.end = std::min(seen.run.end, position_ + std::min(most, seen.run.length()));
        return seen;
    }
    if (const PieceRecord* doubt = live->holdings.doubt_at(position_)) {
        seen.step = Step::check;
        seen.doubt = *doubt;
        return seen;
    }
    return look_for_missing(*live);
}

// The next byte is not here, or not to be had yet: join the fetch, or begin one.
TaskReader::Look TaskReader::look_for_missing(LiveState& live) {
    Look seen;
    waited_ = true;
    need_.waiting = true;
    if (!live.fetch && awaited_fetch_ == live.fetches && live.fetch_error) {
        seen.step = Step::give_up;
        seen.error = live.fetch_error;
        return seen;
    }
    if (!live.fetch && !live.holdings.size) {
        // What is missing of a body whose size nobody knows cannot be asked for.
        seen.step = Step::give_up;
        seen.error = live.fetch_error.value_or(
            Error(Errc::changed, "the body broke off before its size was known"));
        return seen;
    }
    if (!request_.source) {
        seen.step = Step::give_up;
        seen.error = Error(Errc::exhausted, "a damaged piece has to be fetched again");
        return seen;
    }
    if (live.fetch) {
        seen.step = Step::wait;
        seen.epoch = live.epoch;
        waiter_.position = position_;
        live.sources.add(request_.source);
        if (!live.is_flying(position_)) seen.fetch = live.fetch;
    } else {
        seen.step = Step::begin;
        live.want(ByteRange(position_, end_));
        seen.fetch = Fetch::begin(stock_, object_, live, request_, home_);
        if (!seen.fetch) {
            seen.step = Step::give_up;
            seen.error = Error(Errc::shutting_down, "the cache is closing");
        }
    }
    awaited_fetch_ = live.fetches;
    return seen;
}

void TaskReader::start_or_kick(const Look& seen) const {
    if (!seen.fetch) return;
    if (seen.step == Step::begin) {
        seen.fetch->start(nullptr);
    } else {
        seen.fetch->kick();
    }
}

Run TaskReader::run_of(ByteRange range) const {
    Run run;
    run.offset = range.first;
    run.length = range.length();
    if (body_) {
        run.bytes = std::span<const std::byte>(*body_).subspan(range.first, range.length());
    } else {
        run.fd = file_->fd();
    }
    return run;
}

Run TaskReader::cold_run_of(ByteRange range) const {
    const std::uint64_t end = std::min(range.end, range.first + kColdWindow);
    Run run = run_of(ByteRange(range.first, end));
    run.is_cold = true;
    run.ahead = std::min(range.end - end, kColdWindow);
    file_->expect_reading(ByteRange(range.first, end + run.ahead));
    return run;
}

void TaskReader::take_back(std::uint64_t position) {
    position_ = position;
    took_back_ = true;
}

Task<ByteRange> TaskReader::bring_in(ByteRange range) {
    const Run cold = cold_run_of(range);
    range.end = range.first + cold.length;
    auto read_in = [&] { return cache::bring_in(*file_, range, cold.ahead); };
    auto read = co_await offload(stock_->pool, home_, read_in);
    if (read) co_return range;
    stock_->log.warn("task {}: bytes {} to {} cannot be read: {}", object_->task.hex(), range.first,
                     range.end, read.error().what);
    const std::uint64_t piece_size = piece_size_of_object();
    for (std::uint64_t number = range.first / piece_size; number <= (range.end - 1) / piece_size;
         ++number)
        lose_piece(*stock_, *object_, static_cast<std::uint32_t>(number));
    co_return ByteRange(range.first, range.first);
}

std::uint64_t TaskReader::piece_size_of_object() const {
    auto live = object_->lock();
    return live->holdings.piece_size;
}

}  // namespace hawker::cache
