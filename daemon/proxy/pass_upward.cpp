#include "daemon/http/caching.h"
#include "daemon/proxy/invalidation.h"
#include "daemon/proxy/pass_through.h"

namespace hawker::proxy {

namespace {

// No word about what was asked for: another upstream may have one.
bool has_failed(const Expected<http::ResponseHead>& head) {
    if (head) return head->status >= 500;
    const Errc code = head.error().code;
    return code != Errc::cancelled && code != Errc::denied && code != Errc::exhausted;
}

Task<void> relay_upstream(Context& context, http::ResponseHead head, origin::Response& response) {
    co_await invalidate_after(context, head);
    http::CacheStatus status;
    status.fwd =
        context.request.method == "GET" || context.request.method == "HEAD" ? "miss" : "method";
    status.fwd_status = head.status;
    head.fields.add("Cache-Status", status.serialize());
    co_await relay(context, std::move(head), response);
}

}  // namespace

Task<bool> pass_upward(Context& context) {
    const MirrorTurn& turn = *context.mirror;
    if (turn.asks_nobody) {
        co_await answer(context, 504, "http_request_denied",
                        "Set 'offline: false' for this mirror, or ask for what it has: this is "
                        "not in its cache.");
        co_return true;
    }
    const std::vector<std::size_t> order = turn.upstreams->order(context.services.clock.now());
    context.decision.origin_url = turn.urls[order.front()];
    if (!context.body.is_empty()) co_return false;
    for (std::size_t i = 0; i < order.size(); ++i) {
        context.decision.origin_url = turn.urls[order[i]];
        const auto response = context.origin().send(origin_request(context));
        response->finish_body();
        context.cancel = [&response] { response->cancel(); };
        auto head = co_await response->head();
        const bool failed = has_failed(head);
        if (failed)
            turn.upstreams->failed(order[i], context.services.clock.now());
        else if (head)
            turn.upstreams->worked(order[i]);
        const bool is_last = !failed || i + 1 == order.size();
        if (is_last && head)
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
