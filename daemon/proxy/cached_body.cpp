// The fifth step of the cached road: runs of bytes, from the reader or straight from the origin.
#include "daemon/http/caching.h"
#include "daemon/proxy/access_question.h"
#include "daemon/proxy/cached_road.h"
#include "daemon/proxy/sending.h"

#include <algorithm>

namespace hawker::proxy {

namespace {

constexpr std::uint64_t kWorthAnnouncing = 64ULL << 10U;
constexpr std::uint64_t kNoEnd = UINT64_MAX;  // of a body whose size nobody knows yet

}  // namespace

// Not in the coroutine, which may wait for long.
void CachedRoad::begin_plainly(const cache::Reader& reader, const PreparedHead& head,
                               ByteRange range) {
    const std::uint64_t size =
        decision_.part ? head.whole_size.value_or(0) : *reader.representation().size;
    const std::string status = is_hit_and_no_more(reader) ? std::string() : cache_status(reader);
    PlainAnswer answer;
    answer.range = decision_.part.value_or(range);
    answer.is_part = context_.request.fields.has("Range");
    answer.age =
        http::current_age(head.initial_age, head.stored.received, context_.services.clock.wall());
    answer.cache_status = status;
    answer.task = context_.record.task;
    answer.pseudonym = context_.settings->pseudonym;
    append_head(context_.out.lines(), answer, head, size);
    context_.out.begin(answer.is_part ? 206 : 200, range.length());
}

Task<Expected<void>> CachedRoad::send_plainly(cache::Reader& reader, const PreparedHead& head,
                                              ByteRange range) {
    begin_plainly(reader, head, range);
    context_.cancel = [&reader] { reader.cancel(); };
    auto sent = co_await send_range(reader, range);
    context_.cancel = nullptr;
    if (sent && !context_.out.finish_at_once()) sent = co_await context_.out.finish();
    co_return sent;
}

Task<Expected<void>> CachedRoad::send_body(cache::Reader& reader, const StoredAnswer& answer) {
    context_.cancel = [&reader] { reader.cancel(); };
    Expected<void> sent;
    if (!context_.out.has_body())
        sent = Expected<void>();  // HEAD: not a byte of it is waited for
    else if (answer.multipart)
        sent = co_await send_parts(reader, answer);
    else if (!answer.ranges.empty())
        sent = co_await send_range(reader, answer.ranges.front());
    context_.cancel = nullptr;
    if (sent) sent = co_await context_.out.finish();
    co_return sent;
}

Task<Expected<void>> CachedRoad::send_range(cache::Reader& reader, ByteRange range) {
    if (reader.representation().size) reader.select(range);
    // What the origin has begun to answer the client is told at once: its bytes have to be in the
    // file first. Small bodies are here with their head.
    if (reader.origin() == cache::Origin::led && range.length() > kWorthAnnouncing) {
        auto announced = co_await context_.out.announce();
        if (!announced) co_return announced;
    }
    const auto after = reader.representation().complete ? ResponseWriter::Rest::at_hand
                                                        : ResponseWriter::Rest::to_come;
    for (;;) {
        if (range.end != kNoEnd && reader.position() == range.end) co_return Expected<void>();
        auto run = co_await reader.next(kRun);
        if (!run && run.error().code == Errc::exhausted) {
            auto rest = range;
            rest.first = reader.position();
            auto sent = co_await send_from_origin(reader.representation(), rest);
            co_return sent;
        }
        if (!run) co_return fail(std::move(run.error()));
        if (run->at_end()) co_return Expected<void>();
        auto sent = co_await send_run(context_, reader, *run, after);
        if (!sent) co_return sent;
    }
}

Task<Expected<void>> CachedRoad::send_parts(cache::Reader& first, const StoredAnswer& answer) {
    const http::MultipartRanges& multipart = *answer.multipart;
    for (std::size_t i = 0; i < answer.ranges.size(); ++i) {
        const std::string part_head = multipart.part_head(i);
        auto announced = co_await context_.out.body(std::as_bytes(std::span(part_head)));
        if (!announced) co_return announced;
        std::unique_ptr<cache::Reader> own;
        if (i > 0) {
            const ByteRange range = answer.ranges[i];
            auto opened = co_await open_reader(RangeSpec(range.first, range.end - 1));
            if (!opened) co_return fail(std::move(opened.error()));
            own = std::move(*opened);
            if (own->representation().generation != first.representation().generation)
                co_return fail(Errc::changed, "the representation was replaced between two parts");
        }
        cache::Reader& reader = own ? *own : first;
        context_.cancel = [&reader] { reader.cancel(); };
        auto sent = co_await send_range(reader, answer.ranges[i]);
        context_.cancel = [&first] { first.cancel(); };
        if (!sent) co_return sent;
    }
    const std::string closing = multipart.closing();
    auto closed = co_await context_.out.body(std::as_bytes(std::span(closing)));
    co_return closed;
}

Task<void> CachedRoad::serve_past_cache() {
    context_.record.source = "pass";
    auto now = co_await source_->probe();
    if (!now) {
        auto declined = source_.take_declined();
        if (declined) {
            context_.is_told_elsewhere = declined->is_elsewhere;
            co_await relay(context_, std::move(declined->head), *declined->response);
            declined->response->cancel();
        } else {
            co_await hawker::proxy::answer(context_, now.error());
        }
        co_return;
    }
    cache::Representation representation;
    representation.size = now->size;
    representation.validator = now->validator;
    representation.digest = now->digest;
    const auto stored = origin::decode_head(now->head);
    if (!stored) {
        co_await hawker::proxy::answer(context_, stored.error());
        co_return;
    }
    http::RequestHead request = context_.request;
    // One part or all: all is a good answer to several too (RFC 9110 section 14.2).
    if (request.fields.get("Range").value_or("").contains(',')) request.fields.remove("Range");
    const StoredAnswer answer = answer_from(request, decision_.overrides, representation, *stored,
                                            context_.services.clock.wall());
    http::ResponseHead head = answer.head;
    http::CacheStatus status;
    status.fwd = "bypass";
    head.fields.add("Cache-Status", status.serialize());
    make_relayable(head, context_.settings->pseudonym);
    if (head.status >= 400) tell_blame(context_, head.fields, blame_for(head.status, ""));
    context_.out.begin(std::move(head), answer.body_length);
    Expected<void> sent;
    if (context_.out.has_body() && !answer.ranges.empty())
        sent = co_await send_from_origin(representation, answer.ranges.front());
    if (sent) sent = co_await context_.out.finish();
    if (!sent) cut(context_, sent.error());
}

Task<Expected<void>> CachedRoad::send_from_origin(const cache::Representation& representation,
                                                  ByteRange rest) {
    const bool known_end = representation.size.has_value();
    // The origin brings the part itself, whatever it was read from.
    rest.first -= held_from_;
    if (known_end) rest.end -= held_from_;
    RangeSpec spec(rest.first, std::nullopt);
    if (known_end) spec.last = rest.end - 1;
    const auto transfer = source_->open(spec, context_.loop);
    context_.cancel = [&transfer] { transfer->cancel(); };
    auto sent = co_await copy_from_origin(*transfer, representation, rest);
    context_.cancel = nullptr;
    transfer->cancel();
    co_return sent;
}

Task<Expected<void>> CachedRoad::copy_from_origin(cache::Transfer& transfer,
                                                  const cache::Representation& representation,
                                                  ByteRange rest) {
    const bool known_end = representation.size.has_value();
    auto arrival = co_await transfer.head();
    if (!arrival) co_return fail(std::move(arrival.error()));
    const bool is_same = decision_.part ? arrival->validator == representation.validator
                                        : is_the_same(*arrival, representation);
    // What is generated anew for each request has a name for no part of it.
    const bool can_join = rest.first == 0 || decision_.digest || !representation.validator.empty();
    if (arrival->offset > rest.first || !is_same || !can_join)
        co_return fail(Errc::changed, "the origin has another representation by now");
    std::uint64_t position = arrival->offset;
    while (position < rest.end) {
        auto bytes = co_await transfer.read();
        if (!bytes) co_return fail(std::move(bytes.error()));
        if (bytes->empty() && known_end)
            co_return fail(Errc::closed, "the origin's answer ended early");
        if (bytes->empty()) break;
        const std::uint64_t skip =
            std::min<std::uint64_t>(bytes->size(), rest.first - std::min(position, rest.first));
        const std::uint64_t useful =
            std::min<std::uint64_t>(bytes->size() - skip, rest.end - (position + skip));
        position += bytes->size();
        auto sent = co_await context_.out.body(bytes->subspan(skip, useful));
        if (!sent) co_return sent;
    }
    co_return Expected<void>();
}

}  // namespace hawker::proxy
