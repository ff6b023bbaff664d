// The origin as a cache::Source: ranged GETs on behalf of one principal, each answer checked before
// its first byte counts.
//
// What makes an answer unusable is decided here (facts R11-R14, S1-S5, traps 2-6, 10-12): a
// Content-Range that is not what was asked, 200 with Content-Range, an empty 206, multipart, a
// content coding nobody asked for, a media type that the rule does not expect, Set-Cookie or
// Authorization where the rule does not say that credentials do not select the bytes, an unusable
// Vary.
#pragma once

#include "base/byte_range.h"
#include "base/clock.h"
#include "cache/source.h"
#include "daemon/origin/client.h"
#include "daemon/origin/landings.h"
#include "daemon/origin/upstreams.h"

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace hawker::origin {

// Finds the client of a loop; fetches run on the loop that began them, whoever brought the
// credentials.
using ClientOf = std::function<Client&(Executor& home)>;

struct SourceOptions {
    std::string url;  // the client's own, signature and all
    // Where several servers have the same thing: its URL at each, and which of them is asked. Empty
    // and null: `url` is the only one.
    std::vector<std::string> alternatives;
    std::shared_ptr<Upstreams> upstreams;
    bool asks_nobody = false;  // every transfer fails with Errc::unavailable, at once
    // End-to-end request fields that may go to the origin; no Range, no conditionals.
    http::Fields fields;
    // At most 5 hops. To another scheme, host or port only harmless fields go on, but for those of
    // `alternatives`.
    bool follow_redirects = false;
    bool may_store_credentialed = false;  // the rule says that credentials do not select the bytes
    bool obey_cache_control = false;      // policy http
    // Where redirects are followed: what the answers before the last one said may change its head,
    // before that is judged. False: it is not the thing, whatever its status says. Who sets it
    // answers for the media type too, and later transfers begin where the redirects of the first
    // one led, as long as they are let in there. Any loop.
    std::function<bool(std::span<const http::ResponseHead> hops, http::ResponseHead& last)> join;
    // With `join`: where another source of the same principal was led to the same thing, if it may
    // still go there; and what becomes of that, null when it is not let in there any more. Any
    // loop.
    std::function<LandingPtr()> recall_landing;
    std::function<void(LandingPtr)> keep_landing;
    // Accepted media types ("image/*" too). Empty: any but HTML and JSON that look like an error
    // page: status 200, and neither the path's ending nor a known digest speaks for them.
    std::vector<std::string> content_types;
    // What somebody whose word is taken has said of the content; it goes before the origin's own.
    std::optional<Digest> promised;
    bool knows_digest = false;  // the content will be verified by SHA-256
    // These bytes of what the URL names are all that is asked for, always with exactly this Range:
    // nothing else is signed for. To the cache they are the whole, and come without ranges.
    std::optional<ByteRange> part;
};

// Does the request say who asks, besides its URL? What is answered to it is stored only where the
// rule says that credentials do not select the bytes.
bool carries_credentials(const http::Fields& fields);

// An answer that is not for the cache but is exactly what the client should see (404, 302, 401,
// ...): the live response, its head already read, body still to come. Left by the first transfer
// that the exchange's own source made on the exchange's own loop, so that the exchange can relay it
// without asking the origin twice.
struct Declined {
    http::ResponseHead head;
    std::unique_ptr<Response> response;
    // Where redirects are followed for `join`: another origin said it, to which they led. What it
    // refuses is no word about who may read.
    bool is_elsewhere = false;
};

class OriginSource final : public cache::Source {
public:
    // `home` is the loop of the exchange that owns this source.
    OriginSource(SourceOptions options, ClientOf client_of, Executor& home);
    ~OriginSource() override;

    std::unique_ptr<cache::Transfer> open(const RangeSpec& range, Executor& home) const override;

    // On the exchange's loop: the answer to relay, if this source's own transfer was declined here.
    std::unique_ptr<Declined> take_declined() const;
    // The same, when its head is what the caller wants; else it stays.
    std::unique_ptr<Declined> take_declined_if(bool (*wanted)(const http::ResponseHead&)) const;

    // The access question of `access: verify`: a GET of one byte (If-None-Match is not sent: a
    // signature may not cover it); of a part, the part's own Range, cut off behind the head. Gives
    // what the origin says now; the caller compares validator and size. Errors as Transfer::head();
    // a declined answer is then in take_declined().
    // With something otherwise, servers that rest are not asked, and the others get no longer than
    // Upstreams::patience.
    Task<Expected<cache::Arrival>> probe(Otherwise otherwise = Otherwise::nothing) const;

    // The exchange is over, on its loop: no answer is kept for it any more.
    void let_go() const;

    // The client went away, on its loop: transfers that run there for this source are cancelled,
    // and later ones fail at once.
    void stop() const;

    struct Shared;

private:
    std::shared_ptr<Shared> shared_;
};

// Arrival::head is the response head in this form: a status line's worth of fields without
// hop-by-hop ones, and the time.
std::string encode_head(const http::ResponseHead& head, WallTime received);
struct StoredHead {
    http::ResponseHead head;
    WallTime received;
};
Expected<StoredHead> decode_head(std::string_view encoded);

}  // namespace hawker::origin
