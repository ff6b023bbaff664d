// The road of a request that a caching rule matched: hit, miss and joined miss are the same steps.
//
//   1. find    only where the answer could not come from a fetch: HEAD, conditionals,
//   only-if-cached
//   2. open    a reader; the cache joins or starts the one fetch of the task
//   3. permit  may this principal read what somebody else's credentials brought here?
//   4. answer  preconditions, ranges, fields
//   5. send    runs of bytes, from the reader; straight from the origin where the cache had to step
//   aside
#pragma once

#include "daemon/proxy/own_source.h"
#include "daemon/proxy/permission.h"
#include "daemon/proxy/prepared_head.h"
#include "daemon/proxy/stored_response.h"

#include <memory>
#include <optional>
#include <string>

namespace hawker::proxy {

class CachedRoad {
public:
    explicit CachedRoad(Context& context);
    CachedRoad(const CachedRoad&) = delete;
    CachedRoad& operator=(const CachedRoad&) = delete;
    ~CachedRoad();
    Task<void> run();
    // The origin has refused these credentials: what they were allowed before is over.
    void withdraw_permission() { permission_.withdraw(); }

private:
    enum class Permit : std::uint8_t { unknown, granted, reopen, answered };
    enum class Staleness : std::uint8_t { fresh, stale };

    Task<void> serve();
    Task<void> serve_what_is_here();
    // Answers from what is there, or not at all: HEAD, requests that only ask whether something
    // changed, and requests whose answer could not be kept.
    Task<void> serve_without_fetching();
    Task<void> serve_by_reading();
    // False when the representation was replaced before a byte of it was sent: open again.
    Task<bool> serve_from(cache::Reader& reader, const PreparedHead& head);
    // cached_on_request.cpp: a range was asked for, and the rest is to be fetched too.
    bool prefetches(const cache::Reader& reader) const;
    Task<void> want_the_whole();
    // All of it is stored; else it has answered.
    Task<bool> has_all_or_answers();
    // nullopt where the answer is not simply these bytes.
    std::optional<ByteRange> plain_range(const cache::Representation& representation) const;
    void begin_plainly(const cache::Reader& reader, const PreparedHead& head, ByteRange range);
    Task<Expected<void>> send_plainly(cache::Reader& reader, const PreparedHead& head,
                                      ByteRange range);
    Task<Expected<void>> send_answer(cache::Reader& reader, const PreparedHead& head);

    Task<Expected<std::unique_ptr<cache::Reader>>> open_reader(RangeSpec wanted);
    // cached_part.cpp: of a stored part that this one lies in; null when there is none.
    Task<std::unique_ptr<cache::Reader>> open_covering_part();
    StoredAnswer part_answer(const PreparedHead& head, ByteRange held) const;
    // Where the part's bytes stand in what is read.
    ByteRange held_part() const { return {held_from_, held_from_ + decision_.part->length()}; }
    // As far as it is known here.
    Permit permit_at_once(const cache::Reader& reader, const PreparedHead& head);
    Task<Permit> permit(cache::Reader& reader, const PreparedHead& head);
    bool must_revalidate(const cache::Reader& reader, const PreparedHead& head) const;
    // What comes back for these credentials may be stored.
    bool may_fetch() const;
    Task<Permit> ask_origin(const cache::Representation& representation, Staleness staleness);
    // Although the origin cannot be asked: as the mirror or the rule's on_unverifiable says.
    bool may_unverified(const cache::Representation& representation) const;
    bool is_nobody_well() const;
    Task<Permit> go_unverified(const Error& why, const cache::Representation& representation);
    std::string cure_for_unverified() const;
    bool is_stale(const PreparedHead& head) const;

    Task<Expected<void>> send_body(cache::Reader& reader, const StoredAnswer& answer);
    Task<Expected<void>> send_range(cache::Reader& reader, ByteRange range);
    Task<Expected<void>> send_parts(cache::Reader& first, const StoredAnswer& answer);
    // The rest of a range without the cache: it ran out of room, or failed. Checks that the origin
    // still has the same thing.
    Task<Expected<void>> send_from_origin(const cache::Representation& representation,
                                          ByteRange rest);
    Task<Expected<void>> copy_from_origin(cache::Transfer& transfer,
                                          const cache::Representation& representation,
                                          ByteRange rest);

    // When there is no reader: the origin's own answer if it left one, else its answer to the
    // client's own request.
    Task<void> step_aside(const Error& error);
    bool is_for_the_client(const origin::Declined& declined) const;
    Task<void> serve_without_cache();
    // The same for a mirror that follows every redirect: the bytes, past the cache.
    Task<void> serve_past_cache();
    // cached_together.cpp: of those who ask a mirror for the same thing with the same credentials
    // at the same time one opens it, and the others wait for what comes of it. Null: it is ours to
    // open.
    Task<std::shared_ptr<const Verdict>> hear_opening();
    // Null: it has answered.
    Task<std::unique_ptr<cache::Reader>> open_or_answer();
    void tell_opening(Verdict verdict);
    // The upstream's no: to this client, and to those who wait for it.
    Task<void> refuse(http::ResponseHead head, origin::Response& response);
    Task<void> answer_as_others(Refusal refusal);
    bool follows_everything() const { return context_.mirror && context_.mirror->join; }
    // Nothing else is to be said in Cache-Status.
    bool is_hit_and_no_more(const cache::Reader& reader) const;
    std::string cache_status(const cache::Reader& reader) const;

    Context& context_;
    const filters::Decision& decision_;
    const filters::Rule& rule_;
    OwnSource source_;
    Permission permission_;
    std::unique_ptr<AccessQuestions::Lead> opening_;  // others wait for it
    std::uint64_t held_from_ = 0;  // of a part: where it begins in the one that covers it
    bool is_told_ = false;  // what the content hashes to, by a mirror's upstream (told_content.h)
    bool asked_origin_ = false;
    std::optional<Error> unverified_;  // why what is sent was not asked for
};

}  // namespace hawker::proxy
