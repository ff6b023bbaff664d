// The road of `policy: http`: what is stored as an answer, and how bodies are sent.
#include "daemon/http/ranges.h"
#include "daemon/http/validators.h"
#include "daemon/proxy/http_road.h"
#include "daemon/proxy/sending.h"

#include <algorithm>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

bool is_over(const Error& error) {
    return error.code == Errc::cancelled || error.code == Errc::shutting_down;
}

// The cache could not keep it after all, or lost it.
bool is_not_here(const Error& error) {
    return error.code == Errc::exhausted || error.code == Errc::changed ||
           error.code == Errc::not_found;
}

}  // namespace

StoredAnswer HttpRoad::answer_of(const StoredVariant& variant,
                                 const cache::Representation& representation) const {
    if (variant.stored.head.status == 200)
        return answer_from(context_.request, context_.decision.overrides, representation,
                           variant.stored, store_.wall());
    // Conditions and ranges are about what would be a 200 (RFC 9110 sections 13.2.1, 14.2).
    StoredAnswer answer;
    answer.head = variant.stored.head;
    answer.head.fields.set("Age", fmt::format("{}", variant.age(store_.wall()).count()));
    answer.body_length = representation.size;
    if (representation.size != 0U)
        answer.ranges.emplace_back(0, representation.size.value_or(UINT64_MAX));
    return answer;
}

void HttpRoad::begin(http::ResponseHead head, std::optional<std::uint64_t> length,
                     const Manner& manner) {
    http::CacheStatus status;
    status.hit = manner.fwd.empty();
    status.fwd = manner.fwd;
    status.fwd_status = manner.fwd_status;
    status.stored = manner.stored;
    status.collapsed = manner.collapsed;
    status.detail = manner.detail;
    if (status.hit || status.stored) status.key = context_.record.task;
    if (context_.mirror) turn_to_client(*context_.mirror, head);
    make_relayable(head, context_.settings->pseudonym);
    head.fields.add("Cache-Status", status.serialize());
    context_.record.source = manner.source;
    context_.out.begin(std::move(head), length);
}

Task<void> HttpRoad::finish(Expected<void> sent) {
    context_.cancel = nullptr;
    if (sent) sent = co_await context_.out.finish();
    if (sent) co_return;
    if (context_.out.withdraw() && !is_over(sent.error()))
        co_await answer(context_, sent.error());
    else
        cut(context_, sent.error());
}

Task<bool> HttpRoad::serve(VariantPtr variant, Manner manner) {
    auto reader = co_await store_.open(variant->task);
    if (!reader) {
        store_.drop(question_.primary, variant->task);
        co_return false;
    }
    const StoredAnswer answer = answer_of(*variant, (*reader)->representation());
    context_.record.task = variant->task.hex();
    begin(answer.head, answer.body_length, manner);
    Expected<void> sent;
    if (context_.out.has_body()) sent = co_await send_ranges(variant->task, **reader, answer);
    if (!sent && is_not_here(sent.error()) && context_.out.body_bytes() > 0) {
        auto rest = co_await send_from_origin(*variant, answer, (*reader)->position());
        sent = std::move(rest);
    }
    context_.cancel = nullptr;
    if (!sent && !is_over(sent.error()) && context_.out.withdraw()) {
        store_.drop(question_.primary, variant->task);
        co_return false;
    }
    co_await finish(std::move(sent));
    co_return true;
}

// The rest of one range, or of all, from `from` on: only of exactly the same content.
Task<Expected<void>> HttpRoad::send_from_origin(const StoredVariant& variant,
                                                const StoredAnswer& answer, std::uint64_t from) {
    const auto tag = variant.stored.head.fields.get("ETag");
    const bool can_go_on = tag && http::is_strong(*tag) && !answer.multipart &&
                           variant.stored.head.status == 200 && answer.ranges.size() == 1;
    if (!can_go_on) co_return fail(Errc::exhausted, "the rest is not stored any more");
    RangeSpec spec(from, std::nullopt);
    if (answer.ranges.front().end != UINT64_MAX) spec.last = answer.ranges.front().end - 1;
    http::Fields fields = question_.fields;
    for (const std::string_view own :
         {"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"})
        fields.remove(own);
    fields.set("Range", http::range_field(spec));
    fields.set("If-Range", *tag);
    auto asked = co_await store_.ask(question_, std::move(fields), context_.cancel);
    if (!asked.head) co_return fail(std::move(asked.head.error()));
    const auto told =
        http::parse_content_range(asked.head->fields.get("Content-Range").value_or(""));
    const bool fits = asked.head->status == 206 && told && told->range &&
                      told->range->first == from && asked.head->fields.get("ETag") == tag;
    LiveAnswer live(std::move(asked.response), cache::Arrival());
    if (!fits) co_return fail(Errc::changed, "the origin has another representation by now");
    auto sent = co_await send_rest(live, 0);
    co_return sent;
}

Task<Expected<void>> HttpRoad::send_ranges(const TaskId& task, cache::Reader& first,
                                           const StoredAnswer& answer) {
    for (std::size_t i = 0; i < answer.ranges.size(); ++i) {
        if (answer.multipart) {
            const std::string part_head = answer.multipart->part_head(i);
            auto announced = co_await context_.out.body(std::as_bytes(std::span(part_head)));
            if (!announced) co_return announced;
        }
        std::unique_ptr<cache::Reader> own;
        if (i > 0) {
            auto opened = co_await store_.open(task);
            if (!opened) co_return fail(std::move(opened.error()));
            own = std::move(*opened);
        }
        cache::Reader& reader = own ? *own : first;
        auto sent = co_await send_stretch(reader, answer.ranges[i], Rest::at_hand);
        if (!sent) co_return sent;
    }
    if (!answer.multipart) co_return Expected<void>();
    const std::string closing = answer.multipart->closing();
    auto closed = co_await context_.out.body(std::as_bytes(std::span(closing)));
    co_return closed;
}

// Of the body that `reader` reads; to its end where nobody knows that yet.
Task<Expected<void>> HttpRoad::send_stretch(cache::Reader& reader, ByteRange range,
                                            Rest after_last) {
    context_.cancel = [&reader] { reader.cancel(); };
    if (reader.representation().size) reader.select(range);
    const bool is_all_here = reader.representation().complete && after_last == Rest::at_hand;
    const Rest after = is_all_here ? Rest::at_hand : Rest::to_come;
    while (reader.position() < range.end) {
        auto run = co_await reader.next(kRun);
        if (!run) co_return fail(std::move(run.error()));
        if (run->at_end()) break;
        auto sent = co_await send_run(context_, reader, *run, after);
        if (!sent) co_return sent;
    }
    context_.cancel = nullptr;
    co_return Expected<void>();
}

Task<Expected<void>> HttpRoad::send_pieces(const Parts& parts, ByteRange wanted) {
    for (const Stretch& stretch : parts.cover(wanted)) {
        auto reader = co_await store_.open(stretch.variant->task);
        if (!reader) {
            store_.drop(question_.primary, stretch.variant->task);
            co_return fail(std::move(reader.error()));
        }
        ByteRange held = stretch.range;
        held.first -= stretch.variant->part->first;
        held.end -= stretch.variant->part->first;
        auto sent = co_await send_stretch(**reader, held, Rest::to_come);
        if (!sent) co_return sent;
    }
    co_return Expected<void>();
}

http::ResponseHead HttpRoad::head_of_parts(const StoredVariant& latest, ByteRange wanted,
                                           std::uint64_t size) const {
    http::ResponseHead head = latest.stored.head;
    const bool is_range = context_.request.fields.has("Range");
    head.status = is_range ? 206 : 200;
    head.reason = http::reason_phrase(head.status);
    head.fields.remove("Content-Range");
    if (is_range) head.fields.set("Content-Range", http::content_range(wanted, size));
    return head;
}

Task<bool> HttpRoad::serve_parts(const Parts& parts, ByteRange wanted, Manner manner) {
    http::ResponseHead head = head_of_parts(parts.latest(), wanted, parts.size());
    // As old as the oldest of what is put together.
    std::chrono::seconds age{0};
    for (const Stretch& stretch : parts.cover(wanted))
        age = std::max(age, stretch.variant->age(store_.wall()));
    head.fields.set("Age", fmt::format("{}", age.count()));
    begin(std::move(head), wanted.length(), manner);
    auto sent = co_await send_pieces(parts, wanted);
    context_.cancel = nullptr;
    if (!sent && !is_over(sent.error()) && context_.out.withdraw()) co_return false;
    co_await finish(std::move(sent));
    co_return true;
}

// What is here before the gap, what comes, what is here behind it. False: what should be here is
// not, and no byte has left.
Task<bool> HttpRoad::send_around(const Parts& parts, ByteRange wanted, ByteRange gap,
                                 HttpStore::Stored& kept) {
    Manner manner;
    manner.source = "partial";
    manner.fwd = "partial";
    manner.fwd_status = 206;
    manner.stored = kept.variant != nullptr;
    const StoredVariant& latest = kept.variant ? *kept.variant : parts.latest();
    context_.record.task = latest.task.hex();
    begin(head_of_parts(latest, wanted, parts.size()), wanted.length(), manner);
    auto sent = co_await send_pieces(parts, ByteRange(wanted.first, gap.first));
    if (sent) sent = co_await send_live(kept);
    if (sent) sent = co_await send_pieces(parts, ByteRange(gap.end, wanted.end));
    context_.cancel = nullptr;
    co_await store_.settle(question_, kept);
    const bool can_be_asked_again = !sent && is_not_here(sent.error()) && context_.out.withdraw();
    if (!can_be_asked_again) co_await finish(std::move(sent));
    kept.live->let_go();
    co_return !can_be_asked_again;
}

Task<void> HttpRoad::send_new(const http::ResponseHead& head, HttpStore::Stored& stored,
                              Manner manner) {
    manner.stored = stored.variant != nullptr;
    if (stored.variant) context_.record.task = stored.variant->task.hex();
    begin(head, stored.live->length(), manner);
    auto sent = co_await send_live(stored);
    context_.cancel = nullptr;
    co_await store_.settle(question_, stored);
    co_await finish(std::move(sent));
    stored.live->let_go();
}

// From the cache, and where that stops, from the origin itself: from the same answer.
Task<Expected<void>> HttpRoad::send_live(HttpStore::Stored& stored) {
    LiveAnswer& live = *stored.live;
    if (!stored.reader) {
        auto sent = co_await send_rest(live, 0);
        co_return sent;
    }
    cache::Reader& reader = *stored.reader;
    auto sent = co_await send_stretch(reader, ByteRange(0, UINT64_MAX), Rest::to_come);
    stored.is_whole = sent.has_value();
    if (sent || is_over(sent.error())) co_return sent;
    auto rest = co_await send_rest(live, reader.position());
    if (!rest && rest.error().code == Errc::exhausted) co_return sent;
    co_return rest;
}

Task<Expected<void>> HttpRoad::send_rest(LiveAnswer& live, std::uint64_t from) {
    const auto rest = live.take_rest();
    if (!rest || rest->offset != from)
        co_return fail(Errc::exhausted, "what the cache did not store is gone");
    context_.cancel = [&live] { live.response().cancel(); };
    std::span<const std::byte> bytes = rest->bytes;
    for (;;) {
        auto sent = co_await context_.out.body(bytes);
        if (!sent) co_return sent;
        auto next = co_await live.response().read();
        if (!next) co_return fail(std::move(next.error()));
        if (next->empty()) break;
        bytes = *next;
    }
    context_.cancel = nullptr;
    co_return Expected<void>();
}

}  // namespace hawker::proxy
