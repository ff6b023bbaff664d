// An origin whose representations are replaced now and then, and that fails as the table of faults
// says. Every byte is a function of the thing, its version and the offset; the head names the
// version, so that whoever reads can tell what is right.
#pragma once

#include "base/wake.h"
#include "cache/source.h"
#include "tests/unit/cache/fakes.h"
#include "tests/unit/cache/faults.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hawker::cache::testing {

// What can be asked for. Two things with the same `bytes` have the same content in each version.
struct Thing {
    TaskId task;
    std::uint64_t bytes = 0;  // which content
    bool has_validator = true;
    bool has_digest = false;
    std::uint64_t version = 1;
    bool is_tainted = false;  // wrong bytes were sent: only its digest tells
};

// Contents are made once for all schedules.
class Contents {
public:
    const std::string& of(std::uint64_t bytes, std::uint64_t version) {
        static constexpr std::array<std::uint64_t, 7> kSizes = {0,      700,     5'000,  40'000,
                                                                66'000, 150'000, 300'000};
        auto [it, is_new] = made_.try_emplace({bytes, version});
        if (is_new)
            it->second =
                some_content(kSizes.at((bytes + version) % kSizes.size()), bytes * 1'000 + version);
        return it->second;
    }
    const Digest& digest(std::uint64_t bytes, std::uint64_t version) {
        auto [it, is_new] = digests_.try_emplace({bytes, version});
        if (is_new) it->second = digest_of(of(bytes, version));
        return it->second;
    }

private:
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> made_;
    std::map<std::pair<std::uint64_t, std::uint64_t>, Digest> digests_;
};

struct ShiftingOrigin {
    Faults& faults;
    Dice& dice;
    Contents& contents;
    bool is_down = false;  // nothing is to be had any more
};

class ShiftingTransfer final : public Transfer {
public:
    ShiftingTransfer(ShiftingOrigin& origin, Thing& thing, RangeSpec range, Executor& home)
        : origin_(origin), thing_(thing), range_(range), home_(home) {}

    Task<Expected<Arrival>> head() override {
        co_await resume_on(home_);
        if (cancelled_) co_return fail(Errc::cancelled, "cancelled");
        if (origin_.is_down) co_return fail(Errc::not_found, "the origin is gone");
        if (strikes(Fault::refused)) co_return fail(Errc::refused, "403");
        if (strikes(Fault::unreachable)) co_return fail(how_unreachable());
        bytes_ = &origin_.contents.of(thing_.bytes, thing_.version);
        Arrival arrival;
        if (thing_.has_validator) arrival.validator = fmt_version("\"v");
        arrival.head = fmt_version("version ");
        arrival.ranged = !strikes(Fault::no_ranges);
        arrival.end_is_certain = !strikes(Fault::uncertain_end);
        if (strikes(Fault::other_validator)) arrival.validator = "\"another\"";
        end_ = bytes_->size();
        if (arrival.ranged && !range_.is_whole()) {
            const auto part = range_.resolve(end_);
            if (!part) co_return fail(Errc::changed, "416");
            at_ = part->first;
            end_ = part->end;
        }
        arrival.offset = at_;
        if (!strikes(Fault::unknown_size)) {
            arrival.size = bytes_->size();
            arrival.length = end_ - at_;
        }
        co_return arrival;
    }

    Task<Expected<std::span<const std::byte>>> read() override {
        co_await resume_on(home_);
        if (!cancelled_ && !origin_.is_down && strikes(Fault::stall))
            co_await sleep_on(home_, std::chrono::milliseconds(10'000));
        if (cancelled_) co_return fail(Errc::cancelled, "cancelled");
        if (origin_.is_down || strikes(Fault::break_off))
            co_return fail(Errc::closed, "broken off");
        const std::uint64_t count = std::min(end_ - at_, 1 + origin_.dice.below(48'000));
        chunk_ = bytes_->substr(at_, count);
        if (!chunk_.empty() && thing_.has_digest && strikes(Fault::wrong_bytes)) {
            chunk_.at(origin_.dice.below(chunk_.size())) ^= 1;
            thing_.is_tainted = true;
        }
        at_ += count;
        co_return std::as_bytes(std::span(chunk_));
    }

    void cancel() override { cancelled_ = true; }

private:
    bool strikes(Fault fault) { return origin_.faults.strike(fault).has_value(); }
    std::string fmt_version(std::string text) const {
        text += std::to_string(thing_.version);
        if (text.starts_with('"')) text += '"';
        return text;
    }
    Error how_unreachable() {
        switch (origin_.dice.below(4)) {
            case 0:
                return {Errc::unavailable, "503"};
            case 1:
                return {Errc::unavailable, "429", std::chrono::milliseconds(1'000)};
            case 2:
                return {Errc::unavailable, "no such name"};
            default:
                return {Errc::timed_out, "no answer"};
        }
    }

    ShiftingOrigin& origin_;
    Thing& thing_;
    RangeSpec range_;
    Executor& home_;
    const std::string* bytes_ = nullptr;
    std::uint64_t at_ = 0, end_ = 0;
    std::string chunk_;
    bool cancelled_ = false;
};

class ShiftingSource final : public Source {
public:
    ShiftingSource(ShiftingOrigin& origin, Thing& thing) : origin_(origin), thing_(thing) {}
    std::unique_ptr<Transfer> open(const RangeSpec& range, Executor& home) const override {
        return std::make_unique<ShiftingTransfer>(origin_, thing_, range, home);
    }

private:
    ShiftingOrigin& origin_;
    Thing& thing_;
};

}  // namespace hawker::cache::testing
