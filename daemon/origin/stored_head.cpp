#include "daemon/origin/origin_source.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

// "<Unix milliseconds> <status>\n" and a line a field: "Name: value\n". Our own and readable;
// nothing in it comes from a client.
namespace hawker::origin {

namespace {

constexpr long long kLatest = 9'000'000'000'000;  // ms; nanoseconds of later years overflow

}  // namespace

std::string encode_head(const http::ResponseHead& head, WallTime received) {
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(received.time_since_epoch()).count();
    std::string text = fmt::format("{} {}\n", ms, head.status);
    std::size_t size = text.size();
    for (const http::Field& field : head.fields) size += field.name.size() + field.value.size() + 3;
    text.reserve(size);
    for (const http::Field& field : head.fields)
        if (http::is_one_line(field.name) && http::is_one_line(field.value))
            text.append(field.name).append(": ").append(field.value).append("\n");
    return text;
}

Expected<StoredHead> decode_head(std::string_view encoded) {
    StoredHead stored;
    long long ms = 0;
    const char* const end = encoded.data() + encoded.size();
    const auto time = std::from_chars(encoded.data(), end, ms);
    if (time.ec != std::errc() || time.ptr == end || *time.ptr != ' ' || ms < 0 || ms > kLatest)
        return fail(Errc::corrupt, "a stored response head does not begin with its time");
    const auto status = std::from_chars(time.ptr + 1, end, stored.head.status);
    const bool is_status = stored.head.status >= 100 && stored.head.status <= 599;
    if (status.ec != std::errc() || status.ptr == end || *status.ptr != '\n' || !is_status)
        return fail(Errc::corrupt, "a stored response head has no status");
    stored.received = WallTime(std::chrono::milliseconds(ms));
    stored.head.reason = http::reason_phrase(stored.head.status);
    std::string_view rest(status.ptr + 1, static_cast<std::size_t>(end - status.ptr - 1));
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        const auto colon = line.find(": ");
        // A damaged row must be no way to make one field into two.
        if (colon == std::string_view::npos || colon == 0 || !http::is_one_line(line))
            return fail(Errc::corrupt, "a stored response head has a malformed field");
        stored.head.fields.add(line.substr(0, colon), line.substr(colon + 2));
    }
    return stored;
}

}  // namespace hawker::origin
