#include "daemon/proxy/stored_response.h"

#include "daemon/http/caching.h"
#include "daemon/http/validators.h"

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

http::ResponseHead base_head(int status, const origin::StoredHead& stored, WallTime now) {
    http::ResponseHead head;
    head.status = status;
    head.reason = http::reason_phrase(status);
    head.fields = stored.head.fields;
    const auto age = http::current_age(stored.head.fields, stored.received, now);
    head.fields.set("Age", fmt::format("{}", age.count()));
    if (!head.fields.has("Date")) head.fields.add("Date", http::format_date(stored.received));
    return head;
}

void apply(const filters::ResponseOverrides& overrides, http::Fields& fields) {
    if (overrides.content_type) fields.set("Content-Type", *overrides.content_type);
    if (overrides.content_disposition)
        fields.set("Content-Disposition", *overrides.content_disposition);
    if (overrides.cache_control) fields.set("Cache-Control", *overrides.cache_control);
    if (overrides.content_language) fields.set("Content-Language", *overrides.content_language);
    if (overrides.expires) fields.set("Expires", *overrides.expires);
}

// Fresh enough for its purpose: two answers in one connection differ, and no content can have
// guessed it.
std::string boundary_for(const cache::Representation& representation, WallTime now) {
    Sha256 hash;
    hash.update(representation.task.bytes);
    hash.update(fmt::format("{}", now.time_since_epoch().count()));
    Digest digest;
    digest.bytes = hash.value();
    return "hawker-" + digest.hex().substr(0, 40);
}

void answer_whole(StoredAnswer& answer, std::optional<std::uint64_t> size) {
    answer.body_length = size;
    ByteRange all;
    all.end = size.value_or(UINT64_MAX);
    if (size != 0U) answer.ranges.push_back(all);
}

void answer_one(StoredAnswer& answer, ByteRange range, std::uint64_t size) {
    answer.head.status = 206;
    answer.head.reason = http::reason_phrase(206);
    answer.head.fields.set("Content-Range", http::content_range(range, size));
    answer.body_length = range.length();
    answer.ranges.push_back(range);
}

void answer_several(StoredAnswer& answer, std::vector<ByteRange> ranges, std::uint64_t size,
                    std::string boundary) {
    const std::string type(
        answer.head.fields.get("Content-Type").value_or("application/octet-stream"));
    answer.multipart.emplace(ranges, size, type, std::move(boundary));
    answer.head.status = 206;
    answer.head.reason = http::reason_phrase(206);
    answer.head.fields.set("Content-Type", answer.multipart->content_type());
    answer.body_length = answer.multipart->content_length();
    answer.ranges = std::move(ranges);
}

void answer_unsatisfiable(StoredAnswer& answer, std::uint64_t size) {
    answer.head.status = 416;
    answer.head.reason = http::reason_phrase(416);
    answer.head.fields.set("Content-Range", http::unsatisfied_content_range(size));
    for (const std::string_view of_content : {"Content-Type", "Content-Disposition"})
        answer.head.fields.remove(of_content);
    answer.body_length = 0;
}

http::RangeAnswer ranges_of(const http::RequestHead& request, const http::Fields& stored,
                            std::optional<std::uint64_t> size) {
    const auto field = request.fields.get("Range");
    http::RangeAnswer whole;
    if (request.method != "GET" || !field || !size || !http::if_range_holds(request.fields, stored))
        return whole;
    const auto specs = http::parse_range(*field);
    if (!specs) return whole;
    return http::resolve_ranges(*specs, *size);
}

}  // namespace

StoredAnswer answer_from(const http::RequestHead& request,
                         const filters::ResponseOverrides& overrides,
                         const cache::Representation& representation,
                         const origin::StoredHead& stored, WallTime now) {
    StoredAnswer answer;
    const auto verdict =
        http::evaluate_preconditions(request.method, request.fields, stored.head.fields);
    if (verdict != http::Verdict::proceed) {
        const int status = verdict == http::Verdict::not_modified ? 304 : 412;
        answer.head = base_head(status, stored, now);
        answer.body_length = 0;
        return answer;
    }
    answer.head = base_head(200, stored, now);
    apply(overrides, answer.head.fields);
    if (representation.size) answer.head.fields.set("Accept-Ranges", "bytes");
    http::RangeAnswer wanted = ranges_of(request, stored.head.fields, representation.size);
    switch (wanted.kind) {
        case http::RangeAnswer::Kind::whole:
            answer_whole(answer, representation.size);
            break;
        case http::RangeAnswer::Kind::single:
            answer_one(answer, wanted.ranges.front(), *representation.size);
            break;
        case http::RangeAnswer::Kind::multiple:
            answer_several(answer, std::move(wanted.ranges), *representation.size,
                           boundary_for(representation, now));
            break;
        case http::RangeAnswer::Kind::unsatisfiable:
            answer_unsatisfiable(answer, *representation.size);
            break;
    }
    return answer;
}

StoredAnswer answer_whole_from(const filters::ResponseOverrides& overrides,
                               const origin::StoredHead& stored, std::uint64_t length,
                               WallTime now) {
    StoredAnswer answer;
    answer.head = base_head(200, stored, now);
    apply(overrides, answer.head.fields);
    answer.head.fields.set("Accept-Ranges", "bytes");
    answer_whole(answer, length);
    return answer;
}

RangeSpec wanted_range(const http::RequestHead& request) {
    const auto field = request.fields.get("Range");
    if (!field || request.fields.has("If-Range")) return RangeSpec::whole();
    const auto specs = http::parse_range(*field);
    if (!specs || specs->size() != 1) return RangeSpec::whole();
    return specs->front();
}

}  // namespace hawker::proxy
