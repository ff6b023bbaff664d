// The one filling of one task: up to so many transfers at once, ordered by what readers need next.
//
// Owner:   itself, while it runs; the live object knows it, the stock counts it; no reader owns it.
// Thread:  the home it began on. kick() and stop() from any thread.
// Failure: what no source can deliver is told to the readers through the live object. A
//          representation that turned out to be another one, or not to match its digest, is
//          retired: nothing of it is served or kept.
// Stop:    stop() cancels the transfers; complete pieces stay. The report is made exactly once.
#pragma once

#include "base/digest.h"
#include "base/strand.h"
#include "base/task_group.h"
#include "base/wake.h"
#include "cache/backoff.h"
#include "cache/live_object.h"
#include "cache/piece_sums.h"
#include "cache/source.h"
#include "cache/stock.h"

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hawker::cache {

// A transfer whose head has been read and found good, and whose it is.
struct Beginning {
    std::unique_ptr<Transfer> transfer;
    Arrival arrival;
    std::shared_ptr<const Source> source;
    std::chrono::nanoseconds waited{0};  // for the head
};

class Fetch : public std::enable_shared_from_this<Fetch> {
public:
    // Makes the fetch known in `live`, the state of `object` that the caller has locked. start()
    // comes next, without the lock. Null when the cache is closing.
    static std::shared_ptr<Fetch> begin(const std::shared_ptr<Stock>& stock,
                                        std::shared_ptr<LiveObject> object, LiveState& live,
                                        const OpenRequest& request, Executor& home);
    Fetch(std::shared_ptr<Stock> stock, std::shared_ptr<LiveObject> object,
          const OpenRequest& request, Executor& home);
    Fetch(const Fetch&) = delete;
    Fetch& operator=(const Fetch&) = delete;

    // On the home. With the transfer that opened the task, or without one.
    void start(std::unique_ptr<Beginning> beginning);
    // Needs have changed: plan again.
    void kick();
    void stop(Error why);

private:
    // A stretch that one transfer after the other fills.
    struct Segment {
        explicit Segment(ByteRange range, unsigned attempts)
            : next(range.first), end(range.end), backoff(attempts, std::chrono::minutes(1)) {}
        std::uint64_t next;  // the first byte that is still to come
        std::uint64_t end;
        Backoff backoff;
        bool given_up = false;         // its rest goes back to the planner
        bool is_foreign = false;       // under another validator than the representation's
        Transfer* transfer = nullptr;  // the running one
        std::shared_ptr<const Source> source;
        ByteRange announced;  // as it stands among the live object's `flying`
    };
    using Verdict = Expected<void>;

    // fetch.cpp: the road from the first plan to the report
    Task<void> run(std::shared_ptr<Fetch> self, std::unique_ptr<Beginning> beginning);
    void launch_first(std::unique_ptr<Beginning> beginning);
    bool go_on();
    void poke();
    std::optional<ByteRange> plan(LiveState& live) const;
    bool is_abandoned(const LiveState& live) const;
    Transfer* find_one_nobody_needs(const LiveState& live);
    void launch(std::shared_ptr<Segment> segment, std::unique_ptr<Beginning> beginning);
    void cancel_segments();
    bool settle();
    void record_whole(LiveState& live) const;
    void end_with(Error error);
    void retire(Error error);
    void report();
    Task<void> nap(std::chrono::milliseconds delay, const Segment& segment);
    bool is_over() const { return stop_reason_ || error_; }

    // segment.cpp: one stretch, from asking to writing
    Task<void> fill(std::shared_ptr<Segment> segment, std::unique_ptr<Beginning> beginning);
    Task<Verdict> attempt(Segment& segment, std::unique_ptr<Beginning> beginning);
    std::unique_ptr<Beginning> ask(Segment& segment);
    bool is_the_same(const LiveState& live, const Arrival& arrival) const;
    Verdict accept(Segment& segment, const Arrival& arrival);
    Task<Verdict> pump(Segment& segment, Beginning& beginning);
    Task<Verdict> keep(const Segment& segment, std::uint64_t at, std::span<const std::byte> bytes);
    Verdict arrived(const Segment& segment, ByteRange range, const std::vector<ByteRange>& written,
                    const std::vector<PieceSum>& sums);
    Task<bool> overcome(Error error, Segment& segment);
    bool try_another_source(const Segment& segment);
    bool may_resume();
    void take_everything(Segment& segment, LiveState& live);
    void end_is_known(std::uint64_t size);
    void announce(Segment& segment, LiveState& live, ByteRange range);
    void withdraw(Segment& segment, LiveState& live);
    bool is_done(const Segment& segment) const;
    void learn_pace(const Beginning& beginning, SteadyTime answered, std::uint64_t bytes);

    // confirm.cpp: checksums of pieces, the digest of the whole
    void confirm_in_background(const std::vector<std::uint32_t>& pieces);
    Task<void> record_pieces();
    void record_piece(std::uint32_t number, ByteRange range, std::uint64_t sum);
    bool is_hashed(const LiveState& live) const;
    Task<void> verify_digest();
    Task<bool> hash_up_to(std::uint64_t end);
    bool conclude();

    std::shared_ptr<Stock> stock_;
    std::shared_ptr<LiveObject> object_;
    Executor& home_;
    const FetchOptions options_;
    const SteadyTime began_;

    // The kernel lets one write at a time into a file, and those who wait for it spin.
    Strand writes_;
    PieceSums sums_;  // the strand's
    Wake changed_;    // a segment ended, needs changed, something was confirmed
    Wake naps_;
    TaskGroup work_;
    TaskGroup road_;

    std::list<std::shared_ptr<Segment>> active_;
    unsigned allowed_;  // segments at once, now; fewer when the source is busy
    bool poked_ = false;
    const bool is_named_;         // the content, by its digest: it is no mere word of a source
    bool single_ = false;         // the source has no ranges: one stream from the start
    std::uint64_t per_wait_ = 0;  // Situation::per_wait, as the last transfer showed it
    std::optional<Error> stop_reason_;
    std::optional<Error> error_;

    std::vector<std::uint32_t> to_record_;
    std::map<std::uint32_t, PieceSum> summed_;  // of those, what need not be read back
    bool recording_ = false;
    Sha256 hash_;
    std::uint64_t hashed_ = 0;
    bool verifying_ = false;

    FetchReport report_;
};

}  // namespace hawker::cache
