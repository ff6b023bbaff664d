#include "daemon/proxy/prepared_head.h"

#include "daemon/http/caching.h"
#include "daemon/http/ranges.h"
#include "daemon/http/validators.h"
#include "daemon/proxy/forwarding.h"

#include <array>
#include <charconv>
#include <memory>

namespace hawker::proxy {

namespace {

std::string lines_of(const origin::StoredHead& stored) {
    http::Fields fields = stored.head.fields;
    http::remove_hop_by_hop(fields);
    remove_ours(fields);
    constexpr std::array<std::string_view, 3> kOfOneAnswer = {"Age", "Content-Length",
                                                              "Content-Range"};
    fields.remove(kOfOneAnswer);
    if (!fields.has("Date")) fields.add("Date", http::format_date(stored.received));
    fields.set("Accept-Ranges", "bytes");
    return http::serialize_lines(fields);
}

void append_number(std::string& text, std::uint64_t number) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), number).ptr;
    text.append(digits.begin(), end);
}

}  // namespace

Expected<const PreparedHead*> prepared_head(const cache::Representation& representation) {
    if (const cache::Derived* kept = representation.derived.get())
        return static_cast<const PreparedHead*>(kept);
    auto stored = origin::decode_head(representation.head);
    if (!stored) return fail(std::move(stored.error()));
    auto prepared = std::make_unique<PreparedHead>();
    const auto part =
        http::parse_content_range(stored->head.fields.get("Content-Range").value_or(""));
    if (part) prepared->whole_size = part->size;
    prepared->initial_age = http::initial_age(stored->head.fields, stored->received);
    prepared->lines = lines_of(*stored);
    prepared->stored = std::move(*stored);
    // Nobody else derives anything from a head.
    return static_cast<const PreparedHead*>(&representation.derived.keep(std::move(prepared)));
}

void append_head(std::string& text, const PlainAnswer& answer, const PreparedHead& head,
                 std::uint64_t size) {
    text.reserve(head.lines.size() + answer.cache_status.size() + answer.task.size() +
                 answer.pseudonym.size() + 256);
    text += answer.is_part ? "HTTP/1.1 206 Partial Content\r\n" : "HTTP/1.1 200 OK\r\n";
    text += head.lines;
    text += "Age: ";
    append_number(text, static_cast<std::uint64_t>(answer.age.count()));
    if (answer.is_part) {
        text += "\r\nContent-Range: ";
        http::append_content_range(text, answer.range, size);
    }
    text += "\r\nCache-Status: ";
    if (answer.cache_status.empty())
        http::append_hit_status(text, answer.task);
    else
        text += answer.cache_status;
    text.append("\r\nVia: 1.1 ").append(answer.pseudonym).append("\r\n");
}

}  // namespace hawker::proxy
