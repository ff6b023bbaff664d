// Xet through a mirror of the Hub (docs/xet.md): its token and its reconstructions lead to us; what
// is asked of its servers then takes the road of every other request, and xorbs are cached by the
// rules.
#include "daemon/http/caching.h"
#include "daemon/http/grammar.h"
#include "daemon/proxy/fair_share.h"
#include "daemon/proxy/forwarding.h"
#include "daemon/proxy/hub_exchange.h"
#include "daemon/proxy/pass_through.h"

#include <array>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

constexpr std::array<std::string_view, 9> kXetHeadFields = {
    "X-Repo-Commit",       "X-Linked-Etag", "X-Linked-Size",      "ETag", "X-Xet-Hash", "Link",
    "X-Xet-Refresh-Route", "Content-Type",  "Content-Disposition"};

constexpr auto kOtherwise = origin::Otherwise::something;
constexpr int kRenamings = 3;
// A client that gets a token must have the time to use it; clients renew theirs as late as this.
constexpr std::chrono::seconds kRestOfToken{90};

// Until when this answer to a question for a token can be given to others.
WallTime token_ends(const Document& answer) {
    const auto field = answer.head.fields.get("X-Xet-Token-Expiration");
    const auto seconds = field ? http::parse_decimal(*field) : std::nullopt;
    constexpr std::uint64_t kFarFuture = 1ULL << 33U;
    if (answer.head.status != 200 || !seconds || *seconds > kFarFuture) return {};
    return WallTime(std::chrono::seconds(*seconds)) - kRestOfToken;
}

}  // namespace

Task<bool> HubExchange::serve_xet() {
    const std::string_view target = target_of(context_.request);
    switch (hub::xet_route_of(target)) {
        case hub::XetRoute::none:
            co_return false;
        case hub::XetRoute::token:
        case hub::XetRoute::write_token: {
            if (context_.request.method != "GET") co_return false;
            auto reply = co_await tell_xet_token(std::string(target));
            co_await send_in_our_name(std::move(reply.document));
            co_return true;
        }
        case hub::XetRoute::reconstruction:
        case hub::XetRoute::server:
            co_await serve_xet_server(target);
            co_return true;
    }
    co_return false;
}

// To read: one for all files of a repository and for all who ask with the same credentials, as long
// as the upstream's yes to them counts.
Task<Reply> HubExchange::tell_xet_token(const std::string& target) {
    if (hub::xet_route_of(target) == hub::XetRoute::write_token) {
        auto reply = co_await documents_.ask_upstreams(question(target));
        co_return reply;
    }
    const TaskId id = filters::task_id_of(
        "hub xet token",
        context_.services.access
            .key_of(rights_.principal(), filters::task_id_of(mirror_.upstreams.front(), target, {}))
            .hex(),
        {});
    DocumentMemory& memory = context_.services.documents;
    const auto is_good = [this](const DocumentPtr& known) {
        const WallTime now = context_.services.clock.wall();
        return known && now < token_ends(*known) &&
               now < known->received + context_.settings->access_ttl;
    };
    const DocumentPtr known = memory.find(id);
    if (is_good(known)) co_return Reply(known);
    DocumentRoad::Lead lead;
    auto heard = co_await documents_.hear_with_others(id, lead);
    if (heard) co_return std::move(*heard);
    auto reply = co_await documents_.ask_upstreams(question(target));
    if (reply.document && is_good(*reply.document)) memory.put(id, *reply.document);
    DocumentRoad::tell_others(lead, reply);
    co_return reply;
}

// A server of Xet's: neither the Hub's upstreams nor the mirror's token are for it.
Task<void> HubExchange::serve_xet_server(std::string_view target) {
    turn_.token.clear();
    const auto url = hub::xet_server_url(target, xet_names());
    if (!url) {
        co_await answer(context_, 404, "http_request_denied",
                        "Add this host to 'xet_hosts' of this mirror: it is no server of Xet's "
                        "that the mirror speaks to.");
        co_return;
    }
    const bool is_plan = hub::xet_route_of(target) == hub::XetRoute::reconstruction &&
                         context_.request.method == "GET";
    if (!is_plan) {
        context_.mirror = nullptr;
        co_await serve_url(context_, *url);
        co_return;
    }
    context_.record.url = filters::loggable_url(*url);
    auto plan = co_await ask_xet_server(*url);
    co_await send_in_our_name(std::move(plan));
}

Task<Expected<DocumentPtr>> HubExchange::ask_xet_server(std::string url) {
    origin::Request request;
    request.method = "GET";
    request.url = std::move(url);
    request.fields = forwarded_fields(context_.request, context_.settings->pseudonym);
    request.fields.set("Accept-Encoding", "identity");
    const auto response = context_.origin().send(std::move(request));
    context_.cancel = [&response] { response->cancel(); };
    response->finish_body();
    auto document = co_await read_document(*response);
    response->cancel();
    context_.cancel = nullptr;
    if (!document) co_return fail(std::move(document.error()));
    co_return DocumentPtr(std::move(*document));
}

Task<void> HubExchange::send_in_our_name(Expected<DocumentPtr> document) {
    if (!document) {
        co_await answer(context_, document.error());
        co_return;
    }
    pace(context_, mirror_.rule.get());
    http::ResponseHead head = (*document)->head;
    const hub::XetNames names = xet_names();
    const std::string body = hub::xet_urls_in_our_name((*document)->body, names);
    const auto server = head.fields.get("X-Xet-Cas-Url");
    const auto ours = server ? hub::xet_url_in_our_name(*server, names) : std::nullopt;
    if (ours) head.fields.set("X-Xet-Cas-Url", *ours);
    for (const std::string_view name : {"Content-Length", "ETag", "Set-Cookie", "Content-MD5"})
        head.fields.remove(name);
    http::CacheStatus status;
    status.fwd = "bypass";
    status.fwd_status = head.status;
    head.fields.add("Cache-Status", status.serialize());
    make_relayable(head, context_.settings->pseudonym);
    context_.record.source = "pass";
    context_.out.begin(std::move(head), body.size());
    auto sent = co_await context_.out.body(std::as_bytes(std::span(body)));
    if (sent) sent = co_await context_.out.finish();
    if (!sent) cut(context_, sent.error());
}

// Is the file in Xet? Then the client is told so, and its bytes are never asked for over HTTP.
// Where no upstream says it, or all of the file is here, the road of files has an answer too.
Task<bool> HubExchange::serve_xet_head() {
    DocumentPtr known = co_await find_document(context_, xet_head_name());
    if (!known) known = co_await find_document(context_, absence());
    if (known && rights_.is_allowed(files_)) {
        const bool is_sent = co_await send_xet_head(known->head, Told::How::known);
        co_return is_sent;
    }
    if (is_listed_in_git()) co_return false;
    const TaskId file = filters::task_id_of(canonical_url(route_, commit_), {}, {});
    const auto held = co_await context_.services.cache.find(file, context_.loop);
    if (held && held->complete) co_return false;
    DocumentRoad::Lead lead;
    auto reply = co_await documents_.hear_with_others(xet_head_name(), lead);
    if (!reply) {
        auto asked = co_await ask_xet_head();
        if (asked.document) note_xet_head((*asked.document)->head);
        DocumentRoad::tell_others(lead, asked);
        reply = std::move(asked);
    }
    if (!reply->document) {
        const bool has_left = reply->document.error().code == Errc::cancelled;
        if (has_left) co_await answer(context_, reply->document.error());
        co_return has_left;
    }
    const DocumentPtr said = *reply->document;
    const int status = said->head.status;
    // The road of files would only hear it again.
    if (status == 401 || status == 403 || status == 404 || status == 429) {
        http::ResponseHead head = said->head;
        if (status == 401 || status == 403) rights_.refuse(files_);
        hear_no(head);
        go_down(head);
        co_await send_head(std::move(head), Told::How::asked);
        co_return true;
    }
    const bool is_sent = co_await send_xet_head(said->head, Told::How::asked);
    if (xet_head_) co_await store_document(context_, xet_head_name(), xet_head_);
    co_return is_sent;
}

Task<Reply> HubExchange::ask_xet_head() {
    const Clock& clock = context_.services.clock;
    Reply reply(fail(Errc::unavailable, "No upstream of this mirror can be asked now."));
    for (const std::size_t place : turn_.upstreams->order(clock.now(), kOtherwise)) {
        const SteadyTime began = clock.now();
        auto head = co_await ask_one_xet_head(place);
        if (!head && head.error().code == Errc::cancelled) co_return Reply(fail(head.error()));
        if (has_failed(head)) turn_.upstreams->failed(place, clock.now(), clock.now() - began);
        if (!head || head->status >= 500) continue;
        turn_.upstreams->worked(place);
        const auto said = std::make_shared<Document>();
        said->head = std::move(*head);
        reply.document = said;
        break;
    }
    co_return reply;
}

// Behind the redirects of a repository that has another name by now, or of an upstream that leaves
// this to another one; where the file lies is not gone to.
Task<Expected<http::ResponseHead>> HubExchange::ask_one_xet_head(std::size_t place) {
    std::string url = mirror_.upstreams[place] + hub::file_target(route_, commit_);
    for (int hop = 0;; ++hop) {
        origin::Request request;
        request.patience =
            turn_.upstreams->patience(place, context_.services.clock.now(), kOtherwise);
        request.method = "HEAD";
        request.url = url;
        request.fields =
            with_token(context_, fetch_fields(context_.request, context_.settings->pseudonym));
        request.fields.set("Accept-Encoding", "identity");
        const auto response = context_.origin().send(std::move(request));
        context_.cancel = [&response] { response->cancel(); };
        response->finish_body();
        auto head = co_await response->head();
        response->cancel();
        context_.cancel = nullptr;
        if (!head || hop == kRenamings) co_return head;
        auto next = file_led_to(url, *head);
        if (!next) co_return head;
        url = std::move(*next);
    }
}

Task<bool> HubExchange::send_xet_head(http::ResponseHead head, Told::How how) {
    if (!hub::xet_file_head(head, link_bases(), xet_names())) co_return false;
    co_await send_head(std::move(head), how);
    co_return true;
}

Task<void> HubExchange::send_head(http::ResponseHead head, Told::How how) {
    http::CacheStatus status;
    status.hit = how == Told::How::known;
    if (!status.hit) status.fwd = "bypass";
    head.fields.add("Cache-Status", status.serialize());
    if (!turn_.warning.empty()) head.fields.add("Warning", turn_.warning);
    make_relayable(head, context_.settings->pseudonym);
    context_.record.source = status.hit ? "hit" : "pass";
    const auto length = announced_length(head);
    context_.out.begin(std::move(head), length);
    auto sent = co_await context_.out.finish();
    if (!sent) cut(context_, sent.error());
}

std::optional<std::string> HubExchange::file_led_to(const std::string& url,
                                                    const http::ResponseHead& head) const {
    std::string next = led_to(url, head);
    for (const std::string& upstream : mirror_.upstreams) {
        if (!next.starts_with(upstream + "/")) continue;
        const std::string_view target = std::string_view(next).substr(upstream.size());
        if (hub::route_of("HEAD", target).subject == hub::Subject::file) return next;
    }
    return std::nullopt;
}

TaskId HubExchange::xet_head_name() const {
    const std::string name = hub::file_name(route_, commit_);
    return filters::task_id_of("hub xet head",
                               fmt::format("{} {}", mirror_.upstreams.front(), name), {});
}

// Under a commit it stays so; whoever may read its files goes on without asking the Hub.
void HubExchange::note_xet_head(const http::ResponseHead& said) {
    // What is in git is never in Xet; what is in LFS may be tomorrow.
    const bool is_in_git = said.fields.has("X-Repo-Commit") && !said.fields.has("X-Linked-Etag");
    http::ResponseHead told = said;
    const bool is_in_xet = hub::xet_file_head(told, link_bases(), xet_names());
    if (said.status >= 400 || !(is_in_git || is_in_xet)) return;
    auto kept = std::make_shared<Document>();
    for (const std::string_view name : kXetHeadFields)
        for (const std::string_view value : said.fields.all(name))
            kept->head.fields.add(name, value);
    kept->head.status = said.status;
    kept->head.reason = said.reason;
    kept->body = kept->head.fields.get("X-Xet-Hash").value_or("not in Xet");
    kept->received = context_.services.clock.wall();
    rights_.allow(files_);
    xet_head_ = std::move(kept);
    context_.services.documents.put(xet_head_name(), xet_head_);
}

}  // namespace hawker::proxy
