#include "daemon/proxy/document_road.h"

#include "daemon/http/caching.h"
#include "daemon/origin/target.h"
#include "daemon/proxy/pass_through.h"

#include <utility>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

constexpr std::size_t kLargestDocument = 32UL << 20U;
constexpr std::size_t kLargestQuestion = 1UL << 20U;
constexpr int kHops = 3;

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 307 || status == 308;
}

bool is_secure(std::string_view url) { return url.starts_with("https://"); }

// "https://host:port" of an absolute URL.
std::string origin_of(const std::string& url) {
    return url.substr(0, url.find_first_of("/?#", url.find("//") + 2));
}

Kept kept(const Document& document) { return {document.head.fields, document.received}; }

std::unexpected<Error> no_way(std::string_view location) {
    return fail(Errc::unsupported,
                fmt::format("Add '{}' to 'upstreams' of this mirror: an upstream sends those who "
                            "ask there, and a mirror goes to its upstreams alone.",
                            filters::loggable_text(origin_of(std::string(location)))));
}

// No word about what was asked for: something older is better than this.
bool is_no_word(const Reply& reply) {
    if (!reply.document) return true;
    const int status = (*reply.document)->head.status;
    return status >= 500 || status == 429;
}

}  // namespace

std::string led_to(const std::string& url, const http::ResponseHead& head) {
    const auto location = head.fields.get("Location");
    const auto base = origin::split_url(url);
    if (!is_redirect(head.status) || !location || !base) return {};
    const auto next = origin::resolve_reference(*base, *location);
    return next ? next->url() : std::string();
}

Task<Expected<std::shared_ptr<Document>>> read_document(origin::Response& response) {
    auto document = std::make_shared<Document>();
    auto head = co_await response.head();
    if (!head) co_return fail(std::move(head.error()));
    document->head = std::move(*head);
    http::remove_hop_by_hop(document->head.fields);
    for (;;) {
        auto bytes = co_await response.read();
        if (!bytes) co_return fail(std::move(bytes.error()));
        if (bytes->empty()) co_return document;
        document->body.append(
            reinterpret_cast<const char*>(bytes->data()),  // NOLINT: bytes as text
            bytes->size());
        if (document->body.size() > kLargestDocument)
            co_return fail(Errc::invalid, "The upstream's answer is larger than a listing may be.");
    }
}

Task<Expected<std::string>> read_question(Context& context) {
    std::string body;
    while (!context.body.finished()) {
        auto asked = co_await context.out.continue_reading();
        if (!asked) co_return fail(std::move(asked.error()));
        auto bytes = co_await context.body.read();
        if (!bytes) co_return fail(std::move(bytes.error()));
        body.append(reinterpret_cast<const char*>(bytes->data()),  // NOLINT: bytes as text
                    bytes->size());
        if (body.size() > kLargestQuestion)
            co_return fail(Errc::denied, "Ask for fewer paths at once: this question is too long.");
    }
    co_return body;
}

Task<std::optional<Told>> DocumentRoad::tell(DocumentQuestion question, DocumentTerms terms) {
    Told told;
    const bool may = rights_.is_allowed(terms.matter);
    question.held = co_await find_document(context_, question.id);
    if (may) told.document = question.held;
    if (told.document && is_fresh(question, *told.document)) co_return told;
    const bool has_older =
        told.document || (question.held && rights_.may_unasked(terms.matter, kept(*question.held)));
    if (has_older) question.otherwise = origin::Otherwise::something;
    const bool can_ask =
        !turn_.asks_nobody &&
        (!has_older || turn_.upstreams->is_any_well(context_.services.clock.now()));
    Reply reply(fail(Errc::unavailable, "No upstream of this mirror can be asked now."));
    if (can_ask) {
        auto asked = co_await ask_once(question, terms);
        reply = std::move(asked);
    }
    if (!is_no_word(reply)) {
        told.document = *reply.document;
        told.how = Told::How::asked;
        co_return told;
    }
    auto older = co_await fall_back(question, terms, reply);
    co_return older;
}

bool DocumentRoad::is_fresh(const DocumentQuestion& question, const Document& document) const {
    return !question.ttl || context_.services.clock.wall() < document.received + *question.ttl;
}

Task<std::optional<Reply>> DocumentRoad::hear_with_others(TaskId question, Lead& lead) {
    const Digest key = context_.services.access.key_of(rights_.principal(), question);
    for (;;) {
        auto place = context_.services.documents.questions().take(key, context_.loop);
        lead = std::move(place.lead);
        if (!place.seat) co_return std::nullopt;
        context_.cancel = [seat = place.seat] { seat->leave(); };
        const auto heard = co_await place.seat->wait();
        context_.cancel = nullptr;
        if (heard) co_return *heard;
        if (place.seat->has_left()) co_return Reply(fail(Errc::cancelled, "the client went away"));
    }
}

void DocumentRoad::tell_others(Lead& lead, const Reply& reply) {
    const bool is_ours = !reply.document && reply.document.error().code == Errc::cancelled;
    if (lead && !is_ours) lead->tell(std::make_shared<const Reply>(reply));
    lead = nullptr;
}

// One question for all who ask with the same credentials at the same time.
Task<Reply> DocumentRoad::ask_once(const DocumentQuestion& question, const DocumentTerms& terms) {
    Lead lead;
    auto heard = co_await hear_with_others(question.id, lead);
    if (heard) co_return std::move(*heard);
    // Those before us may have heard it while we looked for it.
    const DocumentPtr known =
        rights_.is_allowed(terms.matter) ? context_.services.documents.find(question.id) : nullptr;
    Reply reply(known);
    if (!known || !is_fresh(question, *known)) {
        auto asked = co_await ask_upstreams(question);
        reply = std::move(asked);
        if (reply.document) co_await learn(question, terms, *reply.document);
    }
    tell_others(lead, reply);
    co_return reply;
}

Task<Reply> DocumentRoad::ask_upstreams(const DocumentQuestion& question) {
    const Clock& clock = context_.services.clock;
    Reply reply(fail(Errc::unavailable, "No upstream of this mirror can be asked now."));
    for (const std::size_t place : turn_.upstreams->order(clock.now(), question.otherwise)) {
        const SteadyTime began = clock.now();
        auto document = co_await ask_whether_still(question, place);
        if (document && !*document) document = co_await ask_one(question, place);
        reply.document = std::move(document);
        const bool leads_away = !reply.document && reply.document.error().code == Errc::unsupported;
        const bool failed = reply.document
                                ? (*reply.document)->head.status >= 500
                                : is_upstreams_fault(reply.document.error().code) && !leads_away;
        const bool is_its_own = !reply.document || !(*reply.document)->is_elsewhere;
        if (failed && is_its_own)
            turn_.upstreams->failed(place, clock.now(), clock.now() - began);
        else if (reply.document)
            turn_.upstreams->worked(place);
        const bool goes_on = leads_away || (failed && question.is_repeatable);
        if (!goes_on) break;
    }
    co_return reply;
}

origin::Request DocumentRoad::request_for(const DocumentQuestion& question, const std::string& url,
                                          std::size_t place, bool is_abroad) const {
    origin::Request request;
    request.patience =
        turn_.upstreams->patience(place, context_.services.clock.now(), question.otherwise);
    request.method = question.method;
    if (request.method.empty()) request.method = "GET";
    request.url = url;
    const http::Fields sent = fetch_fields(context_.request, context_.settings->pseudonym);
    if (is_abroad)
        request.fields.add("Via", sent.joined("Via"));
    else
        request.fields = with_token(context_, sent);
    request.fields.set("Accept", question.accepted);
    request.fields.set("Accept-Encoding", "identity");
    if (request.method != "POST") return request;
    if (!question.media_type.empty()) request.fields.set("Content-Type", question.media_type);
    request.body = http::Framing::length;
    request.content_length = question.body.size();
    return request;
}

// The upstream that `url` is at, if it is at one.
std::optional<std::string> DocumentRoad::upstream_in(std::string_view url) const {
    for (const std::string& upstream : mirror_.upstreams)
        if (url.starts_with(upstream + "/")) return upstream;
    return std::nullopt;
}

// The whole answer, behind the redirects of a repository that has another name by now, or of an
// upstream that leaves this to another one.
Task<Expected<DocumentPtr>> DocumentRoad::ask_one(const DocumentQuestion& question,
                                                  std::size_t place) {
    std::string base = mirror_.upstreams[place];
    std::string url = base + question.target;
    bool is_abroad = false;
    for (int hop = 0;; ++hop) {
        const auto response = context_.origin().send(request_for(question, url, place, is_abroad));
        context_.cancel = [&response] { response->cancel(); };
        if (!question.body.empty())
            (void)co_await response->write(std::as_bytes(std::span(question.body)));
        response->finish_body();
        auto document = co_await read_document(*response);
        response->cancel();
        context_.cancel = nullptr;
        if (!document) co_return fail(std::move(document.error()));
        const std::string next = led_to(url, (*document)->head);
        if (const auto upstream = upstream_in(next)) base = *upstream;
        const bool is_at_home = next.starts_with(base + "/");
        const bool goes_abroad =
            question.abroad == Abroad::followed && !is_at_home &&
            (next.starts_with("https://") || (next.starts_with("http://") && !is_secure(url)));
        const bool is_led = !next.empty();
        const bool follows = is_led && (is_at_home || goes_abroad) && hop < kHops;
        if (is_led && !follows && question.abroad == Abroad::refused) co_return no_way(next);
        if (!follows) {
            (*document)->received = context_.services.clock.wall();
            (*document)->is_elsewhere = is_abroad;
            if (question.check && (*document)->head.status == 200) {
                auto keeps = question.check(**document);
                if (!keeps) co_return fail(std::move(keeps.error()));
                (*document)->may_keep = *keeps;
            }
            co_return DocumentPtr(std::move(*document));
        }
        url = next;
        if (goes_abroad) {
            is_abroad = true;
            base = origin_of(url);
        }
    }
}

Task<Expected<DocumentPtr>> DocumentRoad::ask_whether_still(const DocumentQuestion& question,
                                                            std::size_t place) {
    if (!question.held || !question.is_still) co_return DocumentPtr();
    origin::Request request =
        request_for(question, mirror_.upstreams[place] + question.target, place);
    request.method = "HEAD";
    const auto response = context_.origin().send(std::move(request));
    context_.cancel = [&response] { response->cancel(); };
    response->finish_body();
    auto head = co_await response->head();
    response->cancel();
    context_.cancel = nullptr;
    const bool is_silent =
        !head && (head.error().code == Errc::cancelled || head.error().code == Errc::timed_out);
    if (is_silent) co_return fail(std::move(head.error()));
    if (!head || !question.is_still(*head, *question.held)) co_return DocumentPtr();
    auto still = std::make_shared<Document>(*question.held);
    still->received = context_.services.clock.wall();
    co_return DocumentPtr(std::move(still));
}

// What the answer says of this client's rights, and what of it others may hear.
Task<void> DocumentRoad::learn(const DocumentQuestion& question, const DocumentTerms& terms,
                               const DocumentPtr& document) {
    const int status = document->head.status;
    const auto refuse = [this, &terms] {
        rights_.refuse(terms.matter);
        if (terms.when_refused) terms.when_refused();
    };
    if ((status == 401 || status == 403) && !document->is_elsewhere) refuse();
    const bool is_absence = terms.says_absent && terms.says_absent(document->head) && !question.ttl;
    if (status != 200 && !is_absence) co_return;
    if (terms.is_yes) {
        auto read = [&terms, &document] { return terms.is_yes(document->body); };
        const bool is_yes = co_await offload(context_.services.pool, context_.loop, read);
        if (!is_yes) refuse();
        if (!is_yes) co_return;
    }
    rights_.allow(terms.matter);
    if (question.hear && status == 200) question.hear(*document);
    if (!document->may_keep) co_return;
    auto kept = std::make_shared<Document>();
    kept->head.status = status;
    kept->head.reason = http::reason_phrase(status);
    for (const std::string_view name : terms.kept_fields)
        for (const std::string_view value : document->head.fields.all(name))
            kept->head.fields.add(name, value);
    kept->head.fields.set(MirrorRights::kAudience, rights_.audience(terms.matter));
    kept->body = document->body;
    kept->received = document->received;
    co_await keep_document(context_, question.id, std::move(kept));
}

// Something older, for whoever may read it; else what there is to be said.
Task<std::optional<Told>> DocumentRoad::fall_back(const DocumentQuestion& question,
                                                  const DocumentTerms& terms, const Reply& reply) {
    Told told;
    told.how = question.ttl ? Told::How::stale : Told::How::known;
    told.document = co_await find_document(context_, question.id);
    const bool may = told.document && (rights_.is_allowed(terms.matter) ||
                                       rights_.may_unasked(terms.matter, kept(*told.document)));
    if (may) co_return told;
    if (reply.document) {
        told.document = *reply.document;
        told.how = Told::How::asked;
        co_return told;
    }
    const std::string& wanted = question.wanted.empty() ? turn_.wanted : question.wanted;
    if (told.document)
        co_await answer(context_, 403, "http_request_denied",
                        fmt::format("Add this client's network to 'offline_access' of this mirror, "
                                    "or try again later: this is cached, but {} cannot be asked "
                                    "whether you may read it.",
                                    terms.upstream));
    else if (turn_.asks_nobody)
        co_await answer(context_, 504, "http_request_denied", not_here(wanted));
    else
        co_await answer(context_, reply.document.error());
    co_return std::nullopt;
}

Task<void> DocumentRoad::send(const Told& told, const DocumentTerms& terms, http::ResponseHead head,
                              std::string body) {
    head.fields.remove("Content-Length");
    http::CacheStatus status;
    status.hit = told.how != Told::How::asked;
    if (!status.hit) status.fwd = "miss";
    if (!status.hit) status.fwd_status = head.status;
    if (told.how == Told::How::stale) status.detail = "stale";
    head.fields.add("Cache-Status", status.serialize());
    if (told.how == Told::How::stale)
        head.fields.add("Warning",
                        fmt::format("110 hawker \"{} cannot be asked now\"", terms.upstream));
    hide_session(turn_, head);
    make_relayable(head, context_.settings->pseudonym);
    context_.record.source = status.hit ? "hit" : "miss";
    if (!context_.body.finished()) context_.out.close_after();
    context_.out.begin(std::move(head), body.size());
    Expected<void> sent;
    if (context_.out.has_body()) sent = co_await context_.out.body(std::as_bytes(std::span(body)));
    if (sent) sent = co_await context_.out.finish();
    if (!sent) cut(context_, sent.error());
}

}  // namespace hawker::proxy
