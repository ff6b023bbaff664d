// What a client, or a rule, asks of the cached road besides the answer: what is here already, or
// more than was asked for.
#include "daemon/proxy/cached_road.h"

namespace hawker::proxy {

Task<bool> CachedRoad::has_all_or_answers() {
    auto found = co_await context_.services.cache.find(decision_.task_id, context_.loop);
    if (found && found->complete) co_return true;
    int status = 404;
    if (context_.dragonfly.priority == 1) status = 403;
    co_await answer(context_, status, "http_request_denied",
                    "Ask with X-Dragonfly-Priority: 3 or more, or without it: with 1 and 2 only "
                    "what is here whole is served, and this is not.");
    co_return false;
}

bool CachedRoad::prefetches(const cache::Reader& reader) const {
    return context_.dragonfly.prefetch.value_or(rule_.prefetch) && !decision_.part &&
           context_.request.method == "GET" && context_.request.fields.has("Range") &&
           may_fetch() && !reader.representation().complete &&
           reader.representation().size.has_value();
}

// What a reader has wanted, the fetch goes on to fetch after what is waited for: this one may leave
// at once.
Task<void> CachedRoad::want_the_whole() {
    auto reader = co_await open_reader(RangeSpec::whole());
    (void)reader;
}

}  // namespace hawker::proxy
