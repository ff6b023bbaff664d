#include "daemon/http/caching.h"
#include "daemon/proxy/forwarding.h"
#include "daemon/proxy/invalidation.h"
#include "daemon/proxy/pass_through.h"

namespace hawker::proxy {

namespace {

// No word about what was asked for: another upstream may have one.
// To the same question at another upstream, which is asked in its own turn: sent to the client, in
// our name, it would lead back to us.
bool leads_to_another(const MirrorTurn& turn, std::size_t asked, const http::ResponseHead& head) {
    const auto next = head.fields.get("Location");
    if (!next || head.status < 300 || head.status >= 400) return false;
    for (std::size_t i = 0; i < turn.urls.size(); ++i)
        if (i != asked && turn.urls[i] == *next) return true;
    return false;
}

// RFC 9110 section 9.2.2: what another upstream may be asked too, after one may have done it.
bool is_idempotent(const http::RequestHead& request) {
    return is_read(request) || request.method == "OPTIONS" || request.method == "PUT" ||
           request.method == "DELETE";
}

// It has not heard the question.
bool was_not_reached(const Expected<http::ResponseHead>& head, const origin::Response& response) {
    const std::string_view why = response.proxy_error();
    return !head &&
           (why == "connection_refused" || why == "connection_timeout" || why == "dns_error" ||
            why == "dns_timeout" || why == "destination_ip_unroutable");
}

Task<void> relay_upstream(Context& context, http::ResponseHead head, origin::Response& response) {
    co_await invalidate_after(context, head);
    http::CacheStatus status;
    status.fwd = is_read(context.request) ? "miss" : "method";
    status.fwd_status = head.status;
    head.fields.add("Cache-Status", status.serialize());
    co_await relay(context, std::move(head), response);
}

}  // namespace

Task<bool> pass_upward(Context& context) {
    const MirrorTurn& turn = *context.mirror;
    if (turn.asks_nobody) {
        co_await answer(context, 504, "http_request_denied", not_here(turn.wanted));
        co_return true;
    }
    const std::vector<std::size_t> order = turn.upstreams->order(context.services.clock.now());
    context.decision.origin_url = turn.urls[order.front()];
    if (!context.body.is_empty()) co_return false;
    for (std::size_t i = 0; i < order.size(); ++i) {
        context.decision.origin_url = turn.urls[order[i]];
        const SteadyTime began = context.services.clock.now();
        origin::Request request = origin_request(context);
        // What was sent twice has been done twice, if it was slow and not lost.
        if (is_read(context.request))
            request.patience =
                turn.upstreams->patience(order[i], began, origin::Otherwise::nothing);
        const auto response = context.origin().send(std::move(request));
        response->finish_body();
        context.cancel = [&response] { response->cancel(); };
        auto head = co_await response->head();
        const bool failed = has_failed(head);
        if (failed)
            turn.upstreams->failed(order[i], context.services.clock.now(),
                                   context.services.clock.now() - began);
        else if (head)
            turn.upstreams->worked(order[i]);
        const bool leads_away = head && leads_to_another(turn, order[i], *head);
        const bool goes_on =
            leads_away ||
            (failed && (is_idempotent(context.request) || was_not_reached(head, *response)));
        const bool is_last = !goes_on || i + 1 == order.size();
        if (is_last && leads_away)
            co_await answer(context, 502, "destination_unavailable",
                            "Try again later: this mirror's upstream leaves this to another one, "
                            "which cannot be asked now.");
        else if (is_last && head)
            co_await relay_upstream(context, std::move(*head), *response);
        else if (is_last)
            co_await answer(context, head.error(), response->proxy_error());
        response->cancel();
        context.cancel = nullptr;
        if (is_last) co_return true;
    }
    co_return true;
}

}  // namespace hawker::proxy
