// One ranged GET with what may follow it: redirects, and the second question to an origin whose
// object is empty. Not a door.
#pragma once

#include "base/questions.h"
#include "daemon/origin/answer_check.h"
#include "daemon/origin/origin_source.h"
#include "daemon/origin/target.h"

#include <atomic>
#include <set>

namespace hawker::origin {

class OriginTransfer;

struct OriginSource::Shared {
    Shared(SourceOptions its_options, ClientOf its_client_of, Executor& its_home)
        : options(std::move(its_options)), client_of(std::move(its_client_of)), home(its_home) {}
    const SourceOptions options;
    const ClientOf client_of;
    Executor& home;
    // Touched on `home` only.
    bool keeps_declined = true;
    std::unique_ptr<Declined> declined;
    bool stopped = false;
    std::set<OriginTransfer*> transfers;  // that run there
    std::mutex landing_mutex;
    bool has_recalled = false;
    LandingPtr landing;             // where the first transfer's redirects led
    bool has_lost_landing = false;  // there was one; whoever asks for another holds the lead
    Questions<Landing> ways{1};

    // On any loop: from the first request to the last byte.
    std::atomic<int> under_way = 0;
};

enum class Purpose : std::uint8_t { bytes, access };

class OriginTransfer final : public cache::Transfer {
public:
    OriginTransfer(std::shared_ptr<OriginSource::Shared> shared, RangeSpec range, Executor& home,
                   Purpose purpose, Otherwise otherwise = Otherwise::nothing);
    ~OriginTransfer() override;
    OriginTransfer(const OriginTransfer&) = delete;
    OriginTransfer& operator=(const OriginTransfer&) = delete;

    Task<Expected<cache::Arrival>> head() override;
    Task<Expected<std::span<const std::byte>>> read() override;
    void cancel() override;

private:
    enum class Next : std::uint8_t { judge, ask_again };

    bool is_at_home() const { return &home_ == &shared_->home; }
    Request next_request() const;
    // The first request of the next server that has the thing. False when none is left.
    bool turn_to_next();
    void told(const Error& error);
    http::Fields first_fields() const;
    // Begins where the redirects of an earlier transfer led. False where there is no such place.
    bool land();
    void remember_landing();
    void forget_landing();
    // Where a way has ended, one transfer asks for it again, and the others go where that was led.
    // False: it is ours to ask.
    Task<bool> land_again();
    bool is_way_lost() const;
    Task<Expected<cache::Arrival>> ask_all();
    Expected<void> join(http::ResponseHead& head) const;
    Task<Expected<cache::Arrival>> ask_one();
    void begin();
    void end();
    Next follow(const http::ResponseHead& head);
    // One of those that have the same thing: what may be said to one may be said to all.
    bool is_one_of_them(const Target& target) const;
    Expected<cache::Arrival> judge(http::ResponseHead head);
    const std::optional<ByteRange>& part() const { return shared_->options.part; }

    std::shared_ptr<OriginSource::Shared> shared_;
    Executor& home_;
    Purpose purpose_;
    Otherwise otherwise_;
    RangeSpec range_;
    std::vector<std::size_t> order_;  // places in SourceOptions::alternatives
    std::size_t turn_ = 0;            // the next of them
    std::size_t asked_ = 0;           // the last, or who led to where this one began
    SteadyTime waits_since_{};        // for what it says
    Expected<Target> target_;
    http::Fields fields_;                             // of the next request, without Range
    std::vector<http::ResponseHead> hops_;            // the answers that redirected here
    bool is_elsewhere_ = false;                       // one of them led to another origin
    bool has_landed_ = false;                         // the first of them was not asked this time
    LandingPtr landing_;                              // where it began, or where it was led
    std::unique_ptr<Questions<Landing>::Lead> lead_;  // it asks the way for all
    std::shared_ptr<Questions<Landing>::Seat> seat_;  // somebody else does
    std::optional<Digest> promised_;                  // by an answer that redirected here
    std::unique_ptr<Response> response_;
    std::optional<std::uint64_t> remaining_;  // of Arrival::length
    bool server_failed_ = false;              // what was answered last was no word about the thing
    bool was_told_to_wait_ = false;           // by a 429
    bool had_no_place_ = false;               // it was not asked: too much is under way there
    bool cancelled_ = false;
    bool under_way_ = false;
    Lanes::Kind kind_ = Lanes::Kind::first;
};

}  // namespace hawker::origin
