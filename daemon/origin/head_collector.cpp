#include "daemon/origin/head_collector.h"

#include <algorithm>
#include <charconv>

namespace hawker::origin {

namespace {

constexpr std::size_t kHeadBytes = 64 * 1024;
constexpr std::size_t kFieldCount = 256;
constexpr int kInterim = 16;

std::string_view trim(std::string_view text) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

bool is_length(std::string_view text) {
    return !text.empty() && text.size() <= 18 &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Expected<void> HeadCollector::take(std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) return begin(line);
    if (complete_) return {};  // a trailer: read, and dropped (F16)
    bytes_ += line.size() + 2;
    if (bytes_ > kHeadBytes)
        return fail(Errc::invalid, "the origin's response head is larger than 64 KiB");
    return line.empty() ? end() : field(line);
}

Expected<void> HeadCollector::begin(std::string_view line) {
    head_ = {};
    complete_ = false;
    bytes_ = line.size();
    const auto space = line.find(' ');
    const std::string_view rest =
        space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
    const auto [end, problem] = std::from_chars(
        rest.data(), rest.data() + std::min<std::size_t>(rest.size(), 3), head_.status);
    if (problem != std::errc() || head_.status < 100 || head_.status > 999)
        return fail(Errc::invalid, "the origin's status line is malformed");
    head_.reason = trim(rest.substr(static_cast<std::size_t>(end - rest.data())));
    return {};
}

Expected<void> HeadCollector::field(std::string_view line) {
    const auto colon = line.find(':');
    if (line.front() == ' ' || line.front() == '\t' || colon == std::string_view::npos ||
        colon == 0)
        return fail(Errc::invalid, "the origin's response head has a malformed field line");
    if (head_.fields.size() >= kFieldCount)
        return fail(Errc::invalid, "the origin's response head has over 256 fields");
    head_.fields.add(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
    return {};
}

Expected<void> HeadCollector::end() {
    if (head_.status < 200) {
        if (++interim_ > kInterim)
            return fail(Errc::invalid, "the origin sends interim responses without end");
        return {};
    }
    const auto lengths = head_.fields.all("Content-Length");
    const bool chunked = head_.fields.has("Transfer-Encoding");
    if (chunked && !lengths.empty())
        return fail(Errc::invalid,
                    "the origin's response has both Content-Length and Transfer-Encoding");
    for (const std::string_view length : lengths)
        if (!is_length(length) || length != lengths.front())
            return fail(Errc::invalid,
                        "the origin's response has a Content-Length that cannot be relied on");
    if (lengths.size() > 1) head_.fields.set("Content-Length", std::string(lengths.front()));
    complete_ = true;
    if (head_request_ || head_.status == 204 || head_.status == 304)
        framing_ = http::Framing::none;
    else if (chunked)
        framing_ = http::Framing::chunked;
    else
        framing_ = lengths.empty() ? http::Framing::until_close : http::Framing::length;
    return {};
}

}  // namespace hawker::origin
