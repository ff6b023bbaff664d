// A small world for the cache: a clock turned by hand, executors cranked by hand, and an origin
// that does as it is told.
#pragma once

#include "base/clock.h"
#include "base/executor.h"
#include "base/wake.h"
#include "cache/source.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace hawker::cache::testing {

class HandClock final : public Clock {
public:
    SteadyTime now() const override { return SteadyTime(elapsed_); }
    WallTime wall() const override {
        return WallTime(std::chrono::seconds(1'700'000'000) + elapsed_);
    }
    void advance(std::chrono::milliseconds by) { elapsed_ += by; }

private:
    std::chrono::milliseconds elapsed_{0};
};

// Runs what was posted when it is told to. One thread, but for post(): the index calls back from
// its own.
class HandExecutor final : public Executor {
public:
    explicit HandExecutor(const HandClock& clock) : clock_(clock) {}

    void post(Job job) override {
        const std::scoped_lock lock(mutex_);
        ready_.push_back(std::move(job));
    }
    void post_after(std::chrono::milliseconds delay, Job job) override {
        const std::scoped_lock lock(mutex_);
        delayed_.emplace(clock_.now() + delay, std::move(job));
    }
    // One job; false when none is due.
    bool turn() {
        Job job;
        {
            const std::scoped_lock lock(mutex_);
            while (!delayed_.empty() && delayed_.begin()->first <= clock_.now()) {
                ready_.push_back(std::move(delayed_.begin()->second));
                delayed_.erase(delayed_.begin());
            }
            if (ready_.empty()) return false;
            job = std::move(ready_.front());
            ready_.pop_front();
        }
        job();
        return true;
    }

private:
    const HandClock& clock_;
    std::mutex mutex_;
    std::deque<Job> ready_;
    std::multimap<SteadyTime, Job> delayed_;
};

// What one transfer is to do. By default it delivers what was asked for.
struct Behaviour {
    std::optional<Error> refusal;                                     // instead of a head
    std::function<void(Arrival&)> edit;                               // of the head
    std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();  // then it breaks off
    Errc breaks_with = Errc::closed;
};

// The thing that bytes come from. Any thread.
class FakeOrigin {
public:
    // One transfer, as the origin saw it.
    struct Line {
        RangeSpec asked = RangeSpec::whole();
        std::string principal;
        Behaviour behaviour;
        std::uint64_t allowed = 0;  // bytes that may leave, when lines are served by hand
        bool answered = false;
        std::uint64_t sent = 0;
        bool open = true;
        std::function<void()> nudge;  // makes the transfer look again
    };

    explicit FakeOrigin(std::string bytes) : content(std::move(bytes)) {}

    std::string content;
    std::string validator = "\"v1\"";
    bool ranged = true;
    bool knows_size = true;
    bool end_is_certain = true;
    bool by_hand = false;  // nothing leaves before answer() and deliver()
    std::uint64_t chunk = 65'536;
    std::optional<Digest> digest;
    std::set<std::string> refused;  // principals
    std::deque<Behaviour> script;   // for the next transfers
    std::function<void(const Line&)> on_ask;

    std::shared_ptr<Line> ask(const RangeSpec& range, const std::string& principal) {
        const std::scoped_lock lock(mutex);
        auto line = std::make_shared<Line>();
        line->asked = range;
        line->principal = principal;
        line->answered = !by_hand;
        line->allowed = by_hand ? 0 : std::numeric_limits<std::uint64_t>::max();
        if (!script.empty()) {
            line->behaviour = std::move(script.front());
            script.pop_front();
        }
        lines.push_back(line);
        if (on_ask) on_ask(*line);
        return line;
    }

    std::size_t transfers() const { return lines.size(); }
    std::size_t open_lines() const {
        return static_cast<std::size_t>(
            std::count_if(lines.begin(), lines.end(), [](const auto& line) { return line->open; }));
    }
    std::uint64_t bytes_sent() const {
        std::uint64_t sum = 0;
        for (const auto& line : lines) sum += line->sent;
        return sum;
    }
    Line& line(std::size_t number) { return *lines.at(number); }
    void answer(std::size_t number) {
        line(number).answered = true;
        if (line(number).nudge) line(number).nudge();
    }
    void deliver(std::size_t number, std::uint64_t bytes) {
        line(number).allowed += bytes;
        answer(number);
    }
    void break_off(std::size_t number, Errc code) {
        line(number).behaviour.bytes = line(number).sent;
        line(number).behaviour.breaks_with = code;
        deliver(number, 1);
    }

    mutable std::mutex mutex;
    std::vector<std::shared_ptr<Line>> lines;
};

class FakeTransfer final : public Transfer {
public:
    FakeTransfer(FakeOrigin& origin, std::shared_ptr<FakeOrigin::Line> line, Executor& home)
        : origin_(origin), line_(std::move(line)), home_(home), wake_(home) {
        line_->nudge = [this] { wake_.notify_all(); };
    }
    ~FakeTransfer() override {
        line_->nudge = nullptr;
        line_->open = false;
    }

    Task<Expected<Arrival>> head() override {
        co_await resume_on(home_);
        while (!line_->answered && !cancelled_) co_await wake_.wait();
        if (cancelled_) co_return fail(Errc::cancelled, "cancelled");
        if (line_->behaviour.refusal) co_return fail(*line_->behaviour.refusal);
        if (origin_.refused.contains(line_->principal)) co_return fail(Errc::refused, "403");
        const std::uint64_t size = origin_.content.size();
        Arrival arrival;
        arrival.validator = origin_.validator;
        arrival.head = "head of " + origin_.validator;
        arrival.digest = origin_.digest;
        arrival.ranged = origin_.ranged;
        arrival.end_is_certain = origin_.end_is_certain;
        at_ = 0;
        end_ = size;
        if (origin_.ranged && !line_->asked.is_whole()) {
            const auto range = line_->asked.resolve(size);
            if (!range) co_return fail(Errc::changed, "416");
            at_ = range->first;
            end_ = range->end;
        }
        arrival.offset = at_;
        if (origin_.knows_size) {
            arrival.size = size;
            arrival.length = end_ - at_;
        }
        if (line_->behaviour.edit) line_->behaviour.edit(arrival);
        co_return arrival;
    }

    Task<Expected<std::span<const std::byte>>> read() override {
        co_await resume_on(home_);
        while (!cancelled_ && at_ < end_ && line_->sent < line_->behaviour.bytes &&
               line_->sent >= line_->allowed)
            co_await wake_.wait();
        if (cancelled_) co_return fail(Errc::cancelled, "cancelled");
        if (line_->sent >= line_->behaviour.bytes)
            co_return fail(line_->behaviour.breaks_with, "broken off");
        if (at_ >= end_) co_return std::span<const std::byte>();
        std::uint64_t count = std::min(origin_.chunk, end_ - at_);
        count =
            std::min({count, line_->behaviour.bytes - line_->sent, line_->allowed - line_->sent});
        const auto bytes = std::as_bytes(std::span(origin_.content)).subspan(at_, count);
        at_ += count;
        line_->sent += count;
        co_return bytes;
    }

    void cancel() override {
        cancelled_ = true;
        wake_.notify_all();
    }

private:
    FakeOrigin& origin_;
    std::shared_ptr<FakeOrigin::Line> line_;
    Executor& home_;
    Wake wake_;
    std::uint64_t at_ = 0, end_ = 0;
    bool cancelled_ = false;
};

class FakeSource final : public Source {
public:
    FakeSource(FakeOrigin& origin, std::string principal)
        : origin_(origin), principal_(std::move(principal)) {}
    std::unique_ptr<Transfer> open(const RangeSpec& range, Executor& home) const override {
        return std::make_unique<FakeTransfer>(origin_, origin_.ask(range, principal_), home);
    }

private:
    FakeOrigin& origin_;
    std::string principal_;
};

// A directory that goes with the test.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name =
            (std::filesystem::temp_directory_path() / "hawker-cache-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) std::abort();
        path_ = name;
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

// Bytes that are different everywhere, so that a misplaced one is seen.
inline std::string some_content(std::uint64_t size, std::uint64_t seed = 1) {
    std::string bytes(size, '\0');
    std::uint64_t state = seed * 0x9E3779B97F4A7C15U + 1;
    for (std::uint64_t i = 0; i < size; i += 8) {
        state ^= state << 13U;
        state ^= state >> 7U;
        state ^= state << 17U;
        for (std::uint64_t k = 0; k < 8 && i + k < size; ++k)
            bytes[i + k] = static_cast<char>(state >> (8 * k));
    }
    return bytes;
}

inline Digest digest_of(const std::string& content) {
    Sha256 hash;
    hash.update(std::string_view(content));
    Digest digest;
    digest.bytes = hash.value();
    return digest;
}

inline TaskId task_named(std::string_view name) {
    Sha256 hash;
    hash.update(name);
    TaskId task;
    task.bytes = hash.value();
    return task;
}

}  // namespace hawker::cache::testing
