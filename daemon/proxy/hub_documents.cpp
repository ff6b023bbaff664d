// The Hub's listings, as a mirror has them.
#include "daemon/http/caching.h"
#include "daemon/hub/answers.h"
#include "daemon/proxy/hub_exchange.h"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

constexpr std::size_t kLargestDocument = 32UL << 20U;
constexpr std::size_t kLargestQuestion = 1UL << 20U;
constexpr int kHops = 3;

// Of a listing: what is kept, and said to whoever reads it later.
constexpr std::array<std::string_view, 8> kKeptFields = {
    "Content-Type",  "ETag",         "Last-Modified",   "Link",
    "X-Repo-Commit", "X-Error-Code", "X-Error-Message", "X-HF-Warning"};

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 307 || status == 308;
}

// No word about the repository: something older is better than this.
bool is_no_word(const Reply& reply) {
    if (!reply.document) return true;
    const int status = (*reply.document)->head.status;
    return status >= 500 || status == 429;
}

}  // namespace

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
            co_return fail(Errc::denied, "The upstream's answer is larger than a listing may be.");
    }
}

HubExchange::Wanted HubExchange::wanted(std::string target) const {
    Wanted wanted;
    wanted.id = filters::task_id_of("hub document", mirror_.upstreams.front() + target, {});
    wanted.target = std::move(target);
    wanted.ttl = mirror_.ref_ttl;
    return wanted;
}

Task<Expected<std::string>> HubExchange::read_body() {
    std::string body;
    while (!context_.body.finished()) {
        auto asked = co_await context_.out.continue_reading();
        if (!asked) co_return fail(std::move(asked.error()));
        auto bytes = co_await context_.body.read();
        if (!bytes) co_return fail(std::move(bytes.error()));
        body.append(reinterpret_cast<const char*>(bytes->data()),  // NOLINT: bytes as text
                    bytes->size());
        if (body.size() > kLargestQuestion)
            co_return fail(Errc::denied, "Ask for fewer paths at once: this question is too long.");
    }
    co_return body;
}

Task<void> HubExchange::serve_document() {
    Wanted wanted = this->wanted(std::string(target_of(context_.request)));
    if (route_.subject == hub::Subject::paths_info) {
        auto body = co_await read_body();
        if (!body) {
            co_await answer(context_, body.error());
            co_return;
        }
        wanted.body = std::move(*body);
        wanted.media_type = context_.request.fields.get("Content-Type").value_or("");
        wanted.id = filters::task_id_of(
            "hub document",
            fmt::format("{} {}\n{}", mirror_.upstreams.front(), wanted.target, wanted.media_type),
            wanted.body);
    }
    // `expand` asks for what moves under a commit too: who changed it last, what a scan said of it.
    const bool expands = (route_.query + wanted.body).contains("expand");
    const bool is_content =
        route_.subject == hub::Subject::tree || route_.subject == hub::Subject::paths_info;
    if (route_.is_immutable() && is_content && !expands) wanted.ttl = std::nullopt;
    auto told = co_await tell(std::move(wanted));
    if (told) co_await send(*told);
}

Task<std::optional<HubExchange::Told>> HubExchange::tell(Wanted wanted) {
    Told told;
    if (is_allowed(listings_)) {
        told.document = co_await find_document(context_, wanted.id);
        const bool is_fresh =
            told.document &&
            (!wanted.ttl || context_.services.clock.wall() < told.document->received + *wanted.ttl);
        if (is_fresh) co_return told;
    }
    const bool can_ask =
        !turn_.asks_nobody &&
        (!told.document || turn_.upstreams->is_any_well(context_.services.clock.now()));
    Reply reply(fail(Errc::unavailable, "No upstream of this mirror can be asked now."));
    if (can_ask) {
        auto asked = co_await ask_once(wanted);
        reply = std::move(asked);
    }
    if (!is_no_word(reply)) {
        told.document = *reply.document;
        told.how = How::asked;
        co_return told;
    }
    auto older = co_await fall_back(wanted, reply);
    co_return older;
}

// One question for all who ask with the same credentials at the same time.
Task<Reply> HubExchange::ask_once(const Wanted& wanted) {
    AccessMemory& access = context_.services.access;
    const Digest key = access.key_of(principal(), wanted.id);
    for (;;) {
        auto place = context_.services.documents.questions().take(key, context_.loop);
        if (place.seat) {
            context_.cancel = [seat = place.seat] { seat->leave(); };
            const auto heard = co_await place.seat->wait();
            context_.cancel = nullptr;
            if (heard) co_return *heard;
            if (place.seat->has_left())
                co_return Reply(fail(Errc::cancelled, "the client went away"));
            continue;
        }
        auto reply = co_await ask_upstreams(wanted);
        if (reply.document) co_await learn(wanted, *reply.document);
        const bool is_ours = !reply.document && reply.document.error().code == Errc::cancelled;
        if (place.lead && !is_ours) place.lead->tell(std::make_shared<const Reply>(reply));
        co_return reply;
    }
}

Task<Reply> HubExchange::ask_upstreams(const Wanted& wanted) {
    const SteadyTime now = context_.services.clock.now();
    Reply reply(fail(Errc::unavailable, "This mirror has no upstream."));
    for (const std::size_t place : turn_.upstreams->order(now)) {
        const std::string& base = mirror_.upstreams[place];
        auto document = co_await ask_one(wanted, base + wanted.target, base);
        reply.document = std::move(document);
        const bool failed = reply.document ? (*reply.document)->head.status >= 500
                                           : reply.document.error().code != Errc::cancelled &&
                                                 reply.document.error().code != Errc::denied;
        if (failed)
            turn_.upstreams->failed(place, context_.services.clock.now());
        else if (reply.document)
            turn_.upstreams->worked(place);
        if (!failed) break;
    }
    co_return reply;
}

origin::Request HubExchange::request_for(const Wanted& wanted, const std::string& url) const {
    origin::Request request;
    request.method = wanted.media_type.empty() ? "GET" : "POST";
    request.url = url;
    request.fields =
        with_token(context_, fetch_fields(context_.request, context_.settings->pseudonym));
    request.fields.set("Accept", wanted.accepted);
    request.fields.set("Accept-Encoding", "identity");
    if (wanted.media_type.empty()) return request;
    request.fields.set("Content-Type", wanted.media_type);
    request.body = http::Framing::length;
    request.content_length = wanted.body.size();
    return request;
}

// The whole answer, behind the redirects of a repository that has another name by now.
Task<Expected<DocumentPtr>> HubExchange::ask_one(const Wanted& wanted, std::string url,
                                                 std::string base) {
    for (int hop = 0;; ++hop) {
        const auto response = context_.origin().send(request_for(wanted, url));
        context_.cancel = [&response] { response->cancel(); };
        if (!wanted.body.empty())
            (void)co_await response->write(std::as_bytes(std::span(wanted.body)));
        response->finish_body();
        auto document = co_await read_document(*response);
        response->cancel();
        context_.cancel = nullptr;
        if (!document) co_return fail(std::move(document.error()));
        const std::string next((*document)->head.fields.get("Location").value_or(""));
        const bool is_at_home =
            next.starts_with(base + "/") || (next.starts_with('/') && !next.starts_with("//"));
        const bool follows = is_redirect((*document)->head.status) && is_at_home && hop < kHops;
        if (!follows) {
            (*document)->received = context_.services.clock.wall();
            co_return DocumentPtr(std::move(*document));
        }
        url = next.starts_with('/') ? base + next : next;
    }
}

// What the answer says of this client's rights, and what of it others may hear.
Task<void> HubExchange::learn(const Wanted& wanted, const DocumentPtr& document) {
    const int status = document->head.status;
    if (status == 401 || status == 403) context_.services.access.forget(principal(), listings_);
    const bool is_absence = hub::says_no_entry(document->head) && !wanted.ttl;
    if (status != 200 && !is_absence) co_return;
    allow(listings_);
    auto kept = std::make_shared<Document>();
    kept->head.status = status;
    kept->head.reason = http::reason_phrase(status);
    for (const std::string_view name : kKeptFields)
        for (const std::string_view value : document->head.fields.all(name))
            kept->head.fields.add(name, value);
    kept->head.fields.set("X-Hawker-Audience", audience());
    kept->body = document->body;
    kept->received = document->received;
    co_await keep_document(context_, wanted.id, std::move(kept));
}

// Something older, for whoever may read it; else what there is to be said.
Task<std::optional<HubExchange::Told>> HubExchange::fall_back(const Wanted& wanted,
                                                              const Reply& reply) {
    Told told;
    told.how = wanted.ttl ? How::stale : How::known;
    told.document = co_await find_document(context_, wanted.id);
    const bool may =
        told.document && (is_allowed(listings_) || may_unasked(told.document->head.fields));
    if (may) co_return told;
    if (reply.document) {
        told.document = *reply.document;
        told.how = How::asked;
        co_return told;
    }
    if (told.document)
        co_await answer(context_, 403, "http_request_denied",
                        "Add this client's network to 'offline_access' of this mirror, or try "
                        "again later: this is cached, but the Hub cannot be asked whether you may "
                        "read it.");
    else if (turn_.asks_nobody)
        co_await answer(context_, 504, "http_request_denied",
                        "Set 'offline: false' for this mirror, or ask for what it has: this is "
                        "not in its cache.");
    else
        co_await answer(context_, reply.document.error());
    co_return std::nullopt;
}

Task<void> HubExchange::send(const Told& told) {
    http::ResponseHead head = told.document->head;
    std::string body = told.document->body;
    const bool is_json = head.fields.get("Content-Type").value_or("").contains("json");
    if (is_json && !mirror_.serves_xet) {
        body = hub::without_member(body, "xetHash");
        if (body.size() != told.document->body.size()) head.fields.remove("ETag");
    }
    go_down(head);
    head.fields.remove("Content-Length");
    http::CacheStatus status;
    status.hit = told.how != How::asked;
    if (!status.hit) status.fwd = "miss";
    if (!status.hit) status.fwd_status = head.status;
    if (told.how == How::stale) status.detail = "stale";
    head.fields.add("Cache-Status", status.serialize());
    if (told.how == How::stale)
        head.fields.add("Warning", "110 hawker \"the Hub cannot be asked now\"");
    make_relayable(head, context_.settings->pseudonym);
    context_.record.source = status.hit ? "hit" : "miss";
    if (!context_.body.finished()) context_.out.close_after();
    context_.out.begin(std::move(head), body.size());
    auto sent = co_await context_.out.body(std::as_bytes(std::span(body)));
    if (sent) sent = co_await context_.out.finish();
    if (!sent) cut(context_, sent.error());
}

}  // namespace hawker::proxy
