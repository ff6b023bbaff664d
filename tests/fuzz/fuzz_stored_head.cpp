// A response head as the cache holds it, and what is answered from it: two lines say what the
// client asks, the rest is the row.
//
// Properties: what is read is written and read again as it was; no field of it can begin another
// one, so that a damaged row is no way to split a response; what is answered fits the
// representation.
#include "daemon/proxy/stored_response.h"
#include "daemon/proxy/stored_variant.h"
#include "require.h"

#include <algorithm>

namespace {

using namespace hawker;
using hawker::fuzz::require;

void check_fields(const http::Fields& fields) {
    for (const auto& field : fields) {
        require(!field.name.empty(), "a field has a name");
        for (const std::string* text : {&field.name, &field.value})
            require(text->find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
                    "no field begins another one");
    }
}

void check_answer(const origin::StoredHead& stored, std::string_view range,
                  std::string_view condition) {
    http::RequestHead request;
    request.method = "GET";
    if (!range.empty()) request.fields.add("Range", range);
    if (!condition.empty()) {
        request.fields.add("If-None-Match", condition);
        request.fields.add("If-Range", condition);
    }
    cache::Representation representation;
    representation.size = 100'000;
    representation.validator = condition;
    representation.complete = true;
    const proxy::StoredAnswer answer = proxy::answer_from(request, filters::ResponseOverrides(),
                                                          representation, stored, stored.received);
    check_fields(answer.head.fields);
    std::uint64_t length = 0;
    for (const ByteRange& each : answer.ranges) {
        require(!each.empty() && each.end <= 100'000, "what is sent is there");
        length += each.length();
    }
    const int status = answer.head.status;
    if (status == 206) require(!answer.ranges.empty(), "a part has a body");
    if (status == 304 || status == 412) require(answer.ranges.empty(), "nothing follows");
    if (!answer.multipart && answer.body_length && !answer.ranges.empty())
        require(*answer.body_length == length, "a body is as long as it says");
}

// What is stored under `policy: http`.
void check_variant(std::string_view row) {
    const auto variant = proxy::decode_variant(TaskId(), row);
    if (!variant) return;
    require(!variant->part || variant->part->end <= variant->whole_size,
            "a part lies in its whole");
    require(variant->terms.lifetime.count() >= 0, "a lifetime is not below zero");
    const auto again = proxy::decode_variant(TaskId(), proxy::encode(*variant));
    require(again && again->names == variant->names && again->selection == variant->selection &&
                again->arrived == variant->arrived && again->part == variant->part,
            "a variant is read as it was written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = fuzz::text_of(data, size);
    const std::string_view range = fuzz::take_line(input);
    const std::string_view condition = fuzz::take_line(input);
    check_variant(input);
    const auto stored = origin::decode_head(input);
    if (!stored) return 0;
    check_fields(stored->head.fields);
    const auto again = origin::decode_head(origin::encode_head(stored->head, stored->received));
    require(again && again->head.status == stored->head.status &&
                again->received == stored->received &&
                std::ranges::equal(again->head.fields, stored->head.fields,
                                   [](const auto& left, const auto& right) {
                                       return left.name == right.name && left.value == right.value;
                                   }),
            "a head is read as it was written");
    const bool is_printable = [](std::string_view text) {
        return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
    }(condition);
    if (is_printable) check_answer(*stored, range, condition);
    return 0;
}
