// Where every range is an object of its own: a part that is stored answers for all parts inside it,
// and is answered as a part of the whole.
#include "daemon/http/validators.h"
#include "daemon/proxy/cached_road.h"
#include "daemon/proxy/no_source.h"

namespace hawker::proxy {

namespace {

constexpr std::size_t kMostSiblings = 256;  // parts of one thing that are looked at

}  // namespace

Task<std::unique_ptr<cache::Reader>> CachedRoad::open_covering_part() {
    const cache::Cache& cache = context_.services.cache;
    const TaskId before_all = filters::task_id_of(decision_.task_id, ByteRange(0, 1));
    auto list = [&cache, &before_all] { return cache.list(before_all, kMostSiblings); };
    auto entries = co_await offload(context_.services.pool, context_.loop, list);
    const ByteRange wanted = *decision_.part;
    std::optional<ByteRange> best;
    TaskId held;
    for (const cache::Entry& entry : entries) {
        const auto part = filters::sibling_part(entry.task, decision_.task_id);
        if (!part || part->first > wanted.first) break;  // in the order of their first bytes
        const bool covers = entry.complete && part->end >= wanted.end;
        if (!covers || (best && best->length() <= part->length())) continue;
        best = part;
        held = entry.task;
    }
    if (!best || *best == wanted) co_return nullptr;
    cache::OpenRequest request;
    request.task = held;
    // A stored part is complete. Should a piece of it turn out to be damaged, this request's own
    // source has other bytes than those that are missing: it goes on without the cache.
    request.source = no_source(Errc::exhausted);
    auto reader = co_await context_.services.cache.open(std::move(request), context_.loop);
    if (!reader) co_return nullptr;
    held_from_ = wanted.first - best->first;
    co_return std::move(*reader);
}

StoredAnswer CachedRoad::part_answer(const PreparedHead& head, ByteRange held) const {
    StoredAnswer answer = answer_whole_from(decision_.overrides, head.stored, held.length(),
                                            context_.services.clock.wall());
    answer.head.status = 206;
    answer.head.reason = http::reason_phrase(206);
    answer.head.fields.set("Content-Range",
                           http::content_range(*decision_.part, head.whole_size.value_or(0)));
    answer.ranges = {held};
    return answer;
}

}  // namespace hawker::proxy
