#include "daemon/origin/head_collector.h"

#include "daemon/origin/grammar.h"

#include <charconv>
#include <limits>

namespace hawker::origin {

namespace {

constexpr std::size_t kHeadBytes = 64UL * 1024;
constexpr std::size_t kFields = 256;
constexpr int kInterim = 16;

}  // namespace

Expected<void> HeadCollector::take(std::string_view line) {
    saw_anything_ = true;
    bytes_ += line.size();
    if (bytes_ > kHeadBytes) return fail(Errc::invalid, "the response's fields exceed 64 KiB");
    if (is_final_) return {};
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!http::is_field_value(line))
        return fail(Errc::invalid, "a control byte in the response's head");
    if (expects_status_line_) return take_status_line(line);
    if (line.empty()) return end_of_head();
    return take_field(line);
}

// HTTP/1.x SP 3DIGIT [ SP reason ]
Expected<void> HeadCollector::take_status_line(std::string_view line) {
    const bool is_formed = line.size() >= 12 && line.starts_with("HTTP/1.") && is_digit(line[7]) &&
                           line[8] == ' ' && is_digit(line[9]) && is_digit(line[10]) &&
                           is_digit(line[11]) && (line.size() == 12 || line[12] == ' ');
    if (!is_formed || line[9] == '0') return fail(Errc::invalid, "a malformed status line");
    head_ = http::ResponseHead();
    minor_version_ = line[7] - '0';
    std::from_chars(line.data() + 9, line.data() + 12, head_.status);
    if (line.size() > 13) head_.reason = line.substr(13);
    expects_status_line_ = false;
    return {};
}

Expected<void> HeadCollector::take_field(std::string_view line) {
    if (line.front() == ' ' || line.front() == '\t')
        return fail(Errc::invalid, "a folded field in the response's head");
    const std::size_t colon = line.find(':');
    // Space before the colon is removed, not passed on (RFC 9112 section 5.1).
    const std::string_view name = trimmed(line.substr(0, colon));
    if (colon == std::string_view::npos || !is_token(name))
        return fail(Errc::invalid, "a malformed field in the response's head");
    if (head_.fields.size() == kFields)
        return fail(Errc::invalid, "the response has more than 256 fields");
    head_.fields.add(name, trimmed(line.substr(colon + 1)));
    return {};
}

Expected<void> HeadCollector::end_of_head() {
    if (head_.status == 101) return fail(Errc::invalid, "an upgrade that nobody asked for");
    if (head_.status < 200) {
        if (++interim_ > kInterim) return fail(Errc::invalid, "more than 16 interim responses");
        expects_status_line_ = true;
        return {};
    }
    auto framed = read_framing();
    if (!framed) return framed;
    is_final_ = true;
    bytes_ = 0;  // from now on it counts trailers
    return {};
}

Expected<void> HeadCollector::read_framing() {
    if (to_head_ || head_.status == 204 || head_.status == 304) return {};
    const bool has_length = head_.fields.has("Content-Length");
    if (!head_.fields.has("Transfer-Encoding")) {
        if (has_length) return read_content_length();
        framing_ = http::Framing::until_close;
        return {};
    }
    if (has_length)
        return fail(Errc::invalid, "both Content-Length and Transfer-Encoding in the response");
    if (minor_version_ == 0 ||
        !http::equals_ignoring_case(head_.fields.joined("Transfer-Encoding"), "chunked"))
        return fail(Errc::invalid, "a transfer coding other than chunked");
    framing_ = http::Framing::chunked;
    return {};
}

// Equal repetitions collapse into one (RFC 9112 section 6.3).
Expected<void> HeadCollector::read_content_length() {
    const std::string joined = head_.fields.joined("Content-Length");
    std::string_view rest = joined;
    std::string_view first = trimmed(rest.substr(0, rest.find(',')));
    while (true) {
        const std::size_t comma = rest.find(',');
        if (trimmed(rest.substr(0, comma)) != first)
            return fail(Errc::invalid, "two different Content-Lengths in the response");
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
    }
    const auto parsed = std::from_chars(first.data(), first.data() + first.size(), content_length_);
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (parsed.ec != std::errc() || parsed.ptr != first.data() + first.size() ||
        content_length_ > kMost)
        return fail(Errc::invalid, "a malformed Content-Length in the response");
    if (rest.size() != joined.size()) head_.fields.set("Content-Length", std::string(first));
    framing_ = http::Framing::length;
    return {};
}

}  // namespace hawker::origin
