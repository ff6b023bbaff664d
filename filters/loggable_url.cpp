#include "filters/decision.h"
#include "filters/query.h"
#include "filters/signed_urls.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <memory_resource>

#include <fmt/format.h>

namespace hawker::filters {

namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";
constexpr std::size_t kLongestLine = 2048;
constexpr std::size_t kLongestName =
    48;  // a longer "name" is more likely a token that stands alone

// Counters and sizes: nothing that a small number could give away.
constexpr std::string_view kHarmless[] = {"partnumber",         "generation",    "x-amz-expires",
                                          "x-goog-expires",     "x-oss-expires", "max-keys",
                                          "x-oss-traffic-limit"};

bool is_plain(char c) { return c > 0x20 && c < 0x7F && c != '"' && c != '\\'; }

void append_escaped(std::string& out, std::string_view text) {
    if (std::ranges::all_of(text, is_plain)) {
        out += text;
        return;
    }
    for (const char c : text) {
        if (is_plain(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += kHex[byte >> 4U];
        out += kHex[byte & 15U];
    }
}

bool is_small_number(std::string_view value) {
    return !value.empty() && value.size() <= 10 &&
           std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
}

void append_parameter(std::string& out, const Parameter& parameter) {
    const std::string_view name = parameter.name();
    // "?dG9rZW4=" has a name in form only: what stands alone is printed only when it is known not
    // to be a secret.
    const bool stands_alone = parameter.value.find_first_not_of('=') == std::string_view::npos;
    if (stands_alone) {
        // Not "imageMogr2/...": what follows the known name is free text.
        const bool is_known = parameter.known != nullptr && parameter.known->selects_content;
        if (!parameter.raw.empty()) append_escaped(out, is_known ? name : "*");
        return;
    }
    append_escaped(out, name.size() <= kLongestName ? name : "*");
    out += '=';
    const bool is_harmless = std::ranges::any_of(
        kHarmless, [name](std::string_view it) { return equals_ignoring_case(name, it); });
    out += is_harmless && is_small_number(parameter.value) ? parameter.value : "*";
}

// A user name and password cannot be in a URL that parse_url takes; in what it refuses, they end at
// an '@'. Looking for the last one loses a little of the path, never a secret.
void append_hierarchy(std::string& out, std::string_view text) {
    if (parse_url(text)) {
        append_escaped(out, text);
        return;
    }
    const std::size_t scheme = text.find("://");
    const std::size_t at = text.rfind('@');
    if (at == std::string_view::npos) {
        append_escaped(out, text);
        return;
    }
    if (scheme != std::string_view::npos && scheme < 16 && scheme + 3 <= at)
        append_escaped(out, text.substr(0, scheme + 3));
    out += '*';
    append_escaped(out, text.substr(at));
}

// A URL, something with a query, or something with a user: anything of these may hold a secret.
bool may_hold_a_secret(std::string_view word) {
    const std::size_t question = word.find('?');
    return word.contains("://") || word.contains('@') ||
           (question != std::string_view::npos && word.find('=', question) != word.npos);
}

void append_query(std::string& out, std::string_view query, std::size_t longest) {
    std::array<std::byte, kRoomForAQuery> room;  // NOLINT: filled as far as it is used
    std::pmr::monotonic_buffer_resource memory(room.data(), room.size());
    char separator = '?';
    for (const Parameter& parameter : split_query(query, &memory)) {
        out += separator;
        separator = '&';
        append_parameter(out, parameter);
        if (out.size() > longest) return;
    }
}

}  // namespace

std::string loggable_text(std::string_view text) {
    constexpr std::string_view kBetweenWords = " \t\r\n\"";
    constexpr std::string_view kBeforeUrl = "('`<[";
    std::string out;
    while (!text.empty()) {
        const std::size_t start = std::min(text.find_first_not_of(kBetweenWords), text.size());
        out += text.substr(0, start);
        text.remove_prefix(start);
        std::string_view word = text.substr(0, text.find_first_of(kBetweenWords));
        text.remove_prefix(word.size());
        if (may_hold_a_secret(word)) {
            const std::size_t url = std::min(word.find_first_not_of(kBeforeUrl), word.size());
            out += word.substr(0, url);
            append_loggable_url(out, word.substr(url));
        } else {
            out += word;
        }
    }
    return out;
}

void append_loggable_url(std::string& out, std::string_view url, std::optional<ByteRange> part) {
    const std::size_t longest = out.size() + kLongestLine;
    // A '?' or '#' before the '@' may be a password's: then nothing of it is certain to be no
    // secret.
    const std::size_t scheme = url.find("://");
    const std::size_t authority = scheme == std::string_view::npos ? 0 : scheme + 3;
    const std::string_view region = url.substr(0, url.find('/', authority));
    const std::size_t cut = region.find_first_of("?#", authority);
    const std::size_t at = region.rfind('@');
    const bool is_in_doubt = cut < region.size() && at != std::string_view::npos && at > cut;
    if (is_in_doubt && (url[cut] == '#' || !parse_url(url.substr(0, url.find('#'))))) {
        if (scheme < 16) append_escaped(out, url.substr(0, authority));
        out += '*';
        return;
    }
    url = url.substr(0, url.find('#'));
    const std::size_t question = url.find('?');
    append_hierarchy(out, url.substr(0, question));
    if (question != std::string_view::npos) append_query(out, url.substr(question + 1), longest);
    if (out.size() > longest) {
        out.resize(longest);
        out += "...";
    }
    if (part) fmt::format_to(std::back_inserter(out), "#bytes={}-{}", part->first, part->end - 1);
}

std::string loggable_url(std::string_view url, std::optional<ByteRange> part) {
    std::string out;
    append_loggable_url(out, url, part);
    return out;
}

}  // namespace hawker::filters
