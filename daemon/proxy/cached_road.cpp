#include "daemon/proxy/cached_road.h"

#include "daemon/http/caching.h"
#include "daemon/http/validators.h"
#include "daemon/proxy/access_question.h"
#include "daemon/proxy/told_content.h"

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

constexpr int kReopenings = 3;  // a representation that keeps changing is not for us

bool is_conditional(const http::Fields& fields) {
    return fields.has("If-None-Match") || fields.has("If-Modified-Since") ||
           fields.has("If-Match") || fields.has("If-Unmodified-Since");
}

std::string_view name_of_source(cache::Origin came) {
    switch (came) {
        case cache::Origin::hit:
            return "hit";
        case cache::Origin::partial:
            return "partial";
        case cache::Origin::led:
            return "miss";
        case cache::Origin::joined:
            return "joined";
    }
    return "miss";
}

}  // namespace

CachedRoad::CachedRoad(Context& context)
    : context_(context),
      decision_(context.decision),
      rule_(*context.decision.rule),
      source_(context),
      permission_(context, source_) {
    const auto digits = decision_.task_id.hex_digits();
    context.record.task.assign(digits.begin(), digits.end());
    context.cancel = [this] { source_.stop(); };
}

CachedRoad::~CachedRoad() { context_.cancel = nullptr; }

Task<void> CachedRoad::run() {
    if (context_.dragonfly.takes_only_what_is_here()) return serve_what_is_here();
    return serve();
}

Task<void> CachedRoad::serve_what_is_here() {
    const bool is_here = co_await has_all_or_answers();
    if (is_here) co_await serve();
}

Task<void> CachedRoad::serve() {
    const http::Fields& fields = context_.request.fields;
    if (decision_.part && (is_conditional(fields) || fields.has("If-Range")))
        return pass_through(context_);
    const bool only_if_cached = http::CacheControl::of(fields).only_if_cached;
    const bool asks_about = context_.request.method == "HEAD" || is_conditional(fields);
    if ((asks_about && !follows_everything()) || only_if_cached || !may_fetch())
        return serve_without_fetching();
    return serve_by_reading();
}

Task<void> CachedRoad::serve_without_fetching() {
    auto found = co_await context_.services.cache.find(decision_.task_id, context_.loop);
    const bool is_get = context_.request.method == "GET";
    const bool only_if_cached = http::CacheControl::of(context_.request.fields).only_if_cached;
    const bool may_read = found && (found->complete || (may_fetch() && !only_if_cached));
    if (may_read && (is_get || follows_everything())) {
        co_await serve_by_reading();
        co_return;
    }
    auto head =
        found ? prepared_head(*found) : Expected<const PreparedHead*>(fail(Errc::not_found, ""));
    const bool may =
        !is_get && found && found->size && head && permission_.is_remembered() && !is_stale(**head);
    if (!may) {
        if (only_if_cached)
            co_await answer(context_, 504, "http_request_denied",
                            "Not in the cache, and the request says only-if-cached.");
        else
            co_await pass_through(context_);  // a HEAD stays a HEAD: a signature covers the method
        co_return;
    }
    context_.record.source = "hit";
    StoredAnswer answer = answer_from(context_.request, decision_.overrides, *found,
                                      (*head)->stored, context_.services.clock.wall());
    http::CacheStatus status;
    status.hit = true;
    status.key = context_.record.task;
    answer.head.fields.add("Cache-Status", status.serialize());
    make_relayable(answer.head, context_.settings->pseudonym);
    tell_task(context_, answer.head.fields,
              found->complete ? Download::finished : Download::running);
    context_.out.begin(std::move(answer.head), answer.body_length);
    (void)co_await context_.out.finish();
}

Task<Expected<std::unique_ptr<cache::Reader>>> CachedRoad::open_reader(RangeSpec wanted) {
    if (rule_.learn_digest && !follows_everything()) {
        const auto told = co_await find_told_content(context_, decision_);
        if (told && source_.promise(*told)) is_told_ = true;
    }
    cache::OpenRequest request;
    request.task = decision_.task_id;
    request.source = source_.get();
    request.wanted = wanted;
    request.digest = decision_.digest;
    request.links_by_digest = follows_everything() || is_told_ || rule_.trust_origin ||
                              rule_.access != filters::Access::verify;
    request.fetch = context_.settings->fetch;
    request.fetch.learn_digest = rule_.learn_digest;
    if (rule_.piece_size) request.fetch.piece_size = *rule_.piece_size;
    if (context_.dragonfly.piece_size) request.fetch.piece_size = *context_.dragonfly.piece_size;
    if (rule_.connections) request.fetch.connections = *rule_.connections;
    request.label = loggable_url(context_);
    request.rule = rule_.name;
    auto reader = co_await context_.services.cache.open(std::move(request), context_.loop);
    co_return reader;
}

Task<void> CachedRoad::serve_by_reading() {
    for (int attempt = 0; attempt < kReopenings; ++attempt) {
        held_from_ = 0;
        std::unique_ptr<cache::Reader> reader = context_.services.cache.open_at_hand(
            decision_.task_id, decision_.digest, context_.loop);
        if (!reader) reader = co_await open_or_answer();
        if (!reader) co_return;
        auto head = prepared_head(reader->representation());
        if (!head) {
            co_await step_aside(head.error());
            co_return;
        }
        Permit permitted = permit_at_once(*reader, **head);
        if (permitted == Permit::unknown) permitted = co_await permit(*reader, **head);
        if (permitted == Permit::answered) co_return;
        if (permitted == Permit::reopen && !may_fetch()) break;
        if (permitted == Permit::reopen) continue;
        const bool served = co_await serve_from(*reader, **head);
        if (served) co_return;
    }
    co_await serve_without_cache();
}

Task<void> CachedRoad::serve_without_cache() {
    if (follows_everything() && !context_.mirror->asks_nobody) return serve_past_cache();
    return pass_through(context_);
}

// Credentials that a rule does not speak for: a fetch would end at its first answer, and the client
// would cost the origin a second request. So the client's own request goes to the origin, unless
// all of it is here already and one byte tells whether this client may have it. Not with a running
// fetch either: should that end early, these credentials could not go on with it.
bool CachedRoad::may_fetch() const {
    if (context_.mirror && context_.mirror->asks_nobody) return false;
    return rule_.ignore_credentials || !origin::carries_credentials(context_.request.fields);
}

bool CachedRoad::is_stale(const PreparedHead& head) const {
    if (rule_.policy != filters::Policy::http) return false;
    const origin::StoredHead& stored = head.stored;
    const http::Fields& fields = stored.head.fields;
    const auto age =
        http::current_age(head.initial_age, stored.received, context_.services.clock.wall());
    const http::CacheControl asked = http::CacheControl::of(context_.request.fields);
    return asked.no_cache || http::CacheControl::of(fields).no_cache ||
           age >= http::freshness_lifetime(fields, stored.received);
}

bool CachedRoad::must_revalidate(const cache::Reader& reader, const PreparedHead& head) const {
    return reader.origin() != cache::Origin::joined && !asked_origin_ && is_stale(head);
}

CachedRoad::Permit CachedRoad::permit_at_once(const cache::Reader& reader,
                                              const PreparedHead& head) {
    if (reader.origin() == cache::Origin::led) {
        // Where the way was remembered, nobody has said yes just now: then `join` knows.
        if (!context_.mirror || !context_.mirror->recall_landing) permission_.remember();
        return Permit::granted;
    }
    const bool is_granted = !must_revalidate(reader, head) && permission_.is_remembered();
    return is_granted ? Permit::granted : Permit::unknown;
}

Task<CachedRoad::Permit> CachedRoad::permit(cache::Reader& reader, const PreparedHead& head) {
    const auto staleness = must_revalidate(reader, head) ? Staleness::stale : Staleness::fresh;
    const Permit answered = co_await ask_origin(reader.representation(), staleness);
    co_return answered;
}

Task<CachedRoad::Permit> CachedRoad::ask_origin(const cache::Representation& representation,
                                                Staleness staleness) {
    const bool may = staleness == Staleness::fresh && may_unverified(representation);
    if (may && is_nobody_well()) {
        unverified_ = Error(Errc::unavailable, "no upstream of this mirror can be asked now");
        co_return Permit::granted;
    }
    asked_origin_ = true;
    const auto otherwise = may ? origin::Otherwise::something : origin::Otherwise::nothing;
    auto verdict = co_await permission_.ask(representation, otherwise);
    if (!verdict) {
        co_await step_aside(verdict.error());
        co_return Permit::answered;
    }
    if (!*verdict) co_return Permit::granted;
    const auto& now = (*verdict)->now;
    if (now && !is_the_same(*now, representation)) co_return Permit::reopen;
    if (now) {
        // What it says to credentials is theirs alone.
        if (rule_.policy == filters::Policy::http && may_fetch())
            context_.services.cache.refresh(representation.task, representation.generation,
                                            now->head);
        co_return Permit::granted;
    }
    const bool is_final = (*verdict)->refusal && follows_everything();  // a 429: they come again
    const bool is_open = staleness == Staleness::fresh && is_no_word(now.error());
    if (is_open && (!is_final || may_unverified(representation))) {
        const Permit permitted = co_await go_unverified(now.error(), representation);
        co_return permitted;
    }
    if ((*verdict)->refusal)
        co_await answer_refusal(context_, *(*verdict)->refusal, permission_.has_joined());
    else
        co_await step_aside(now.error());
    co_return Permit::answered;
}

bool CachedRoad::is_hit_and_no_more(const cache::Reader& reader) const {
    return reader.origin() == cache::Origin::hit && !unverified_ && !asked_origin_;
}

std::string CachedRoad::cache_status(const cache::Reader& reader) const {
    http::CacheStatus status;
    status.key = context_.record.task;
    switch (reader.origin()) {
        case cache::Origin::hit:
            status.hit = true;
            break;
        case cache::Origin::partial:
            status.fwd = "partial";
            break;
        case cache::Origin::led:
            status.fwd = "uri-miss";
            break;
        case cache::Origin::joined:
            status.fwd = "uri-miss";
            status.collapsed = true;
            break;
    }
    status.stored = !status.hit;
    if (unverified_)
        status.detail = "not-verified";
    else if (asked_origin_)
        status.detail = "allowed-by-origin";
    return status.serialize();
}

Task<bool> CachedRoad::serve_from(cache::Reader& reader, const PreparedHead& head) {
    context_.record.source = name_of_source(reader.origin());
    if (prefetches(reader)) co_await want_the_whole();
    Expected<void> sent;
    if (const auto range = plain_range(reader.representation()))
        sent = co_await send_plainly(reader, head, *range);
    else
        sent = co_await send_answer(reader, head);
    if (sent) co_return true;
    // At a mirror it may be the CDN that lets nobody in.
    if (sent.error().code == Errc::refused && !follows_everything()) permission_.withdraw();
    if (is_told_ && sent.error().code == Errc::corrupt)
        co_await forget_told_content(context_, decision_);
    if (!context_.out.withdraw()) {
        cut(context_, sent.error());
        co_return true;
    }
    // Nobody has seen a byte of it: another representation, or an honest error, can still be the
    // answer.
    if (sent.error().code == Errc::changed) co_return false;
    co_await hawker::proxy::answer(context_, sent.error());
    co_return true;
}

// Of a GET that gets the whole, or one part of it, as it is stored: nearly all of them.
std::optional<ByteRange> CachedRoad::plain_range(
    const cache::Representation& representation) const {
    const http::Fields& fields = context_.request.fields;
    if (context_.mirror && !context_.mirror->warning.empty()) return std::nullopt;
    if (context_.dragonfly.any) return std::nullopt;  // its answer has fields of its own
    if (!representation.size || *representation.size == 0 || unverified_ ||
        context_.request.method != "GET" || !decision_.overrides.empty() || is_conditional(fields))
        return std::nullopt;
    if (decision_.part) return held_part();
    ByteRange range(0, *representation.size);
    const auto field = fields.get("Range");
    if (!field) return range;
    if (fields.has("If-Range")) return std::nullopt;
    const auto specs = http::parse_range(*field);
    if (!specs || specs->size() != 1) return std::nullopt;
    return specs->front().resolve(*representation.size);
}

Task<Expected<void>> CachedRoad::send_answer(cache::Reader& reader, const PreparedHead& head) {
    StoredAnswer answer =
        decision_.part ? part_answer(head, held_part())
                       : answer_from(context_.request, decision_.overrides, reader.representation(),
                                     head.stored, context_.services.clock.wall());
    answer.head.fields.add("Cache-Status", cache_status(reader));
    if (context_.mirror && !context_.mirror->warning.empty())
        answer.head.fields.add("Warning", context_.mirror->warning);
    make_relayable(answer.head, context_.settings->pseudonym);
    tell_task(context_, answer.head.fields,
              reader.origin() == cache::Origin::hit ? Download::finished : Download::running);
    if (unverified_)
        answer.head.fields.add(
            "Proxy-Status",
            http::proxy_status(http::answer_for(unverified_->code).proxy_error_type,
                               fmt::format("served without asking: {}",
                                           filters::loggable_text(unverified_->what))));
    context_.out.begin(answer.head, answer.body_length);
    auto sent = co_await send_body(reader, answer);
    co_return sent;
}

// A fetch asks with a few of the client's fields. What refuses it, or selects by others, may not be
// what the client itself would have heard; that the origin is busy or broken is.
bool CachedRoad::is_for_the_client(const origin::Declined& declined) const {
    const int status = declined.head.status;
    return follows_everything() || status == 429 || status >= 500 ||
           fetch_says_all(context_.request.fields);
}

Task<void> CachedRoad::step_aside(const Error& error) {
    auto declined = source_.take_declined();
    if (declined && !is_for_the_client(*declined)) {
        declined->response->cancel();
        declined = nullptr;  // the client's own request goes to the origin instead
    }
    if (declined) {
        context_.is_told_elsewhere = declined->is_elsewhere;
        context_.record.source = "pass";
        http::CacheStatus status;
        status.fwd = "uri-miss";
        status.fwd_status = declined->head.status;
        declined->head.fields.add("Cache-Status", status.serialize());
        origin::Response& response = *declined->response;
        context_.cancel = [&response] { response.cancel(); };
        co_await refuse(std::move(declined->head), response);
        response.cancel();
        context_.cancel = nullptr;
        co_return;
    }
    if (error.code != Errc::cancelled) tell_opening(Verdict(fail(error)));
    switch (error.code) {
        case Errc::cancelled:
        case Errc::shutting_down:
        case Errc::denied:
        case Errc::corrupt:  // the origin's bytes are not what their name says: no client wants
                             // them
        case Errc::timed_out:
            co_await answer(context_, error);
            co_return;
        default:
            co_await serve_without_cache();
            co_return;
    }
}

Task<void> serve_from_cache(Context& context) {
    CachedRoad road(context);
    co_await road.run();
    if (was_refused(context)) road.withdraw_permission();
}

}  // namespace hawker::proxy
