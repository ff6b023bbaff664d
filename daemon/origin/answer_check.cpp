#include "daemon/origin/answer_check.h"

#include "daemon/http/caching.h"
#include "daemon/http/ranges.h"
#include "daemon/http/validators.h"
#include "daemon/origin/grammar.h"
#include "daemon/origin/target.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

namespace hawker::origin {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kMostRetryAfter = std::chrono::days(1);

std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec == std::errc::result_out_of_range) return UINT64_MAX;
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return number;
}

// Without parameters, in lower case.
std::string media_type(const http::Fields& fields) {
    const std::string_view value = fields.get("Content-Type").value_or("");
    return lower(trimmed(value.substr(0, value.find(';'))));
}

// What is neither 200 nor 206: whose fault, and may another try help?
Error error_of_status(const http::ResponseHead& head, WallTime now) {
    Error error;
    error.what = fmt::format("the origin answers {}", head.status);
    switch (head.status) {
        case 401:
        case 403:
            error.code = Errc::refused;
            return error;
        case 404:
        case 410:
            error.code = Errc::not_found;
            return error;
        case 416:
            error.code = Errc::changed;
            return error;
        case 304:  // no condition was sent
            error.code = Errc::invalid;
            return error;
        default:
            break;
    }
    const bool is_busy = head.status == 429 || head.status >= 500;
    error.code = is_busy ? Errc::unavailable : Errc::unsupported;
    if (is_busy) error.retry_after = retry_after(head.fields, now);
    return error;
}

bool every_member(const http::Fields& fields, std::string_view name,
                  std::initializer_list<std::string_view> among) {
    const std::string joined = fields.joined(name);
    std::string_view rest = joined;
    while (!rest.empty()) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        const std::string_view member = trimmed(rest.substr(0, comma));
        const bool is_known = std::ranges::any_of(among, [member](std::string_view allowed) {
            return http::equals_ignoring_case(member, allowed);
        });
        if (!member.empty() && !is_known) return false;
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return true;
}

// RFC 9111 section 3 as far as a rule does not say that credentials do not select the bytes.
Expected<void> check_cache_rules(const SourceOptions& options, const Asked& asked,
                                 const http::Fields& fields) {
    const auto targeted = http::CacheControl::targeted(fields);
    const http::CacheControl control = targeted ? *targeted : http::CacheControl::of(fields);
    const bool trusts_rule = options.may_store_credentialed && !options.obey_cache_control;
    if (!trusts_rule && ((control.no_store && !control.must_understand) || control.is_private))
        return fail(Errc::unsupported, "the origin forbids storing: no-store or private");
    if (options.obey_cache_control && http::CacheControl::of(options.fields).no_store)
        return fail(Errc::unsupported, "the request says no-store");
    if (options.may_store_credentialed) return {};
    if (fields.has("Set-Cookie")) return fail(Errc::unsupported, "the answer sets a cookie");
    // Not even where the answer says `public`: an origin says it to everybody by default.
    if (!asked.only_access && carries_credentials(options.fields))
        return fail(Errc::unsupported,
                    "credentials were sent, and the rule does not say ignore_credentials");
    return {};
}

bool ends_with_any(std::string_view path, std::initializer_list<std::string_view> suffixes) {
    const std::string lowered = lower(path);
    return std::ranges::any_of(
        suffixes, [&lowered](std::string_view suffix) { return lowered.ends_with(suffix); });
}

// HTML or JSON with status 200 where something else was asked for. JSON under a known digest
// will be found out by the digest; a login page in HTML need not come so far.
bool looks_like_an_error_page(const SourceOptions& options, const Asked& asked,
                              const std::string& type) {
    if (options.obey_cache_control) return false;  // the origin's own words decide
    const auto target = split_url(asked.url);
    const std::string path =
        target ? target->in_origin.substr(0, target->in_origin.find('?')) : std::string();
    if (type == "text/html" || type == "application/xhtml+xml")
        return !ends_with_any(path, {".html", ".htm", ".xhtml"});
    if (type == "application/json" || type.ends_with("+json"))
        return !options.knows_digest && !ends_with_any(path, {".json"});
    return false;
}

Expected<void> check_media_type(const SourceOptions& options, const Asked& asked,
                                const http::ResponseHead& head) {
    if (options.join) return {};
    const std::string type = media_type(head.fields);
    bool is_expected = std::ranges::any_of(options.content_types, [&type](std::string_view it) {
        return http::equals_ignoring_case(it, type) ||
               (it.ends_with("/*") && type.starts_with(lower(it.substr(0, it.size() - 1))));
    });
    if (options.content_types.empty())
        is_expected = !looks_like_an_error_page(options, asked, type);
    if (is_expected) return {};
    return fail(Errc::unsupported,
                fmt::format("media type '{}' is not what the rule expects", type));
}

Expected<void> check_storable(const SourceOptions& options, const Asked& asked,
                              const http::ResponseHead& head) {
    if (!every_member(head.fields, "Content-Encoding", {"identity"}))
        return fail(Errc::unsupported, "a content coding that was not asked for");
    if (!every_member(head.fields, "Vary", {"Accept-Encoding", "Origin"}))
        return fail(Errc::unsupported, "the answer varies with more than its coding");
    auto allowed = check_cache_rules(options, asked, head.fields);
    if (!allowed) return allowed;
    return check_media_type(options, asked, head);
}

// `got` against what was asked for: the same first byte, not beyond the last one.
bool answers(const ByteRange& got, std::uint64_t size, const RangeSpec& asked) {
    const auto wanted = asked.resolve(size);
    return wanted && got.first == wanted->first && got.end <= wanted->end && !got.empty();
}

Expected<cache::Arrival> partial_arrival(const Asked& asked, const http::ResponseHead& head,
                                         std::optional<std::uint64_t> content_length) {
    if (asked.range.is_whole()) return fail(Errc::invalid, "206 to a request without Range");
    if (media_type(head.fields) == "multipart/byteranges")
        return fail(Errc::invalid, "multipart/byteranges to a request for one range");
    const auto values = head.fields.all("Content-Range");
    if (values.size() != 1) return fail(Errc::invalid, "206 without one Content-Range");
    const auto told = http::parse_content_range(values.front());
    if (!told || !told->range || !told->size)
        return fail(Errc::invalid, "206 with an unusable Content-Range");
    if (!answers(*told->range, *told->size, asked.range))
        return fail(Errc::invalid, fmt::format("asked for {}, got {}",
                                               http::range_field(asked.range), values.front()));
    if (content_length && *content_length != told->range->length())
        return fail(Errc::invalid, "206 whose Content-Length is not that of its Content-Range");
    cache::Arrival arrival;
    arrival.offset = told->range->first;
    arrival.length = told->range->length();
    arrival.size = told->size;
    arrival.ranged = true;
    return arrival;
}

Expected<cache::Arrival> whole_arrival(const Asked& asked, const http::ResponseHead& head,
                                       std::optional<std::uint64_t> content_length) {
    if (head.fields.has("Content-Range")) return fail(Errc::invalid, "200 with a Content-Range");
    cache::Arrival arrival;
    arrival.length = content_length;
    arrival.size = content_length;
    // Nothing can be cut out of what has no known end.
    arrival.ranged = content_length && asked.range.is_whole() &&
                     http::list_has(head.fields.joined("Accept-Ranges"), "bytes");
    return arrival;
}

// RFC 9110 section 8.8.2.2: what was changed in the second of the answer may change once more in
// it.
bool is_strong_date(std::string_view modified, std::optional<std::string_view> date) {
    const auto at = http::parse_date(modified);
    const auto now = date ? http::parse_date(*date) : std::nullopt;
    return at && (!now || *now - *at >= std::chrono::seconds(1));
}

// A strong entity tag, else the date with the size; empty when there is neither (R11).
std::string validator_of(const http::Fields& fields, std::optional<std::uint64_t> size) {
    const auto tag = fields.get("ETag");
    if (tag && http::is_strong(*tag)) return fmt::format("etag:{}", *tag);
    const auto modified = fields.get("Last-Modified");
    if (modified && size && is_strong_date(*modified, fields.get("Date")))
        return fmt::format("lm:{}:{}", *modified, *size);
    return {};
}

// A part stands for itself: it begins at zero, and nothing else of the whole can be asked for. What
// it is a part of is in its validator.
Expected<cache::Arrival> as_part(cache::Arrival arrival, const ByteRange& part,
                                 const Asked& asked) {
    if (arrival.offset != part.first || arrival.length != part.length() || !arrival.size)
        return fail(Errc::unsupported, "the answer is not exactly the part that was asked for");
    arrival.validator = fmt::format("part of {}:{}", *arrival.size, arrival.validator);
    arrival.offset = 0;
    arrival.ranged = false;
    arrival.size = asked.only_access ? std::nullopt : arrival.length;
    arrival.digest.reset();
    return arrival;
}

// What of the head belongs to the representation. Age goes: it is in the time of receipt.
std::string kept_head(const http::ResponseHead& head, const SourceOptions& options, WallTime now) {
    http::ResponseHead kept;
    kept.status = 200;
    kept.reason = http::reason_phrase(200);
    kept.fields = head.fields;
    http::remove_hop_by_hop(kept.fields);
    constexpr std::array<std::string_view, 6> kOfOneAnswer = {
        "Set-Cookie", "Set-Cookie2", "Content-Length", "Age", "Cache-Status", "Proxy-Status"};
    kept.fields.remove(kOfOneAnswer);
    if (!options.part) kept.fields.remove("Content-Range");  // else it says what this is a part of
    for (const std::string& name : http::withheld_fields(head.fields)) kept.fields.remove(name);
    return encode_head(kept, now - http::current_age(head.fields, now, now));
}

}  // namespace

bool carries_credentials(const http::Fields& fields) {
    constexpr std::array<std::string_view, 5> kNames = {"Authorization", "Cookie", "Private-Token",
                                                        "Job-Token", "Deploy-Token"};
    return std::ranges::any_of(kNames, [&](std::string_view name) { return fields.has(name); });
}

milliseconds seconds_of(std::uint64_t number) {
    return seconds(std::min(number, static_cast<std::uint64_t>(kMostRetryAfter.count())));
}

// draft-ietf-httpapi-ratelimit-headers: `"resolvers";r=0;t=55`, nothing left for 55 s. The Hub says
// no more than that with some of its 429s.
std::optional<milliseconds> limit_ends(std::string_view limits) {
    bool is_over = false;
    std::optional<milliseconds> wait;
    for (std::size_t at = limits.find(';'); at != std::string_view::npos;
         at = limits.find(';', at)) {
        std::string_view parameter = limits.substr(++at);
        parameter = trimmed(parameter.substr(0, parameter.find_first_of(";,")));
        if (parameter == "r=0") is_over = true;
        if (!parameter.starts_with("t=")) continue;
        if (const auto number = number_in(parameter.substr(2))) wait = seconds_of(*number);
    }
    return is_over ? wait : std::nullopt;
}

std::optional<milliseconds> retry_after(const http::Fields& fields, WallTime now) {
    const auto value = fields.get("Retry-After");
    if (!value) return limit_ends(fields.joined("RateLimit"));
    if (const auto number = number_in(*value)) return seconds_of(*number);
    const auto date = http::parse_date(*value, now);
    if (!date) return std::nullopt;
    const auto wait = std::chrono::ceil<seconds>(*date) - std::chrono::floor<seconds>(now);
    return std::clamp<milliseconds>(wait, seconds::zero(), kMostRetryAfter);
}

bool says_empty(const http::ResponseHead& head) {
    const auto told = http::parse_content_range(head.fields.get("Content-Range").value_or(""));
    return head.status == 416 && told && !told->range && told->size == 0U;
}

Expected<cache::Arrival> check_answer(const http::ResponseHead& head, http::Framing framing,
                                      const Asked& asked, const SourceOptions& options,
                                      WallTime now) {
    if (head.status != 200 && head.status != 206) return fail(error_of_status(head, now));
    std::optional<std::uint64_t> length;
    if (framing == http::Framing::length)
        length = number_in(head.fields.get("Content-Length").value_or(""));
    auto arrival = head.status == 206 ? partial_arrival(asked, head, length)
                                      : whole_arrival(asked, head, length);
    if (!arrival) return arrival;
    auto storable = check_storable(options, asked, head);
    if (!storable) return fail(std::move(storable.error()));
    if (options.part && head.status == 200)
        return fail(Errc::unsupported, "the whole instead of the part that was asked for");
    arrival->end_is_certain = framing != http::Framing::until_close || head.status == 206;
    arrival->validator = validator_of(head.fields, arrival->size);
    arrival->digest = digest_told(head.fields);
    arrival->head = kept_head(head, options, now);
    if (options.part) return as_part(*std::move(arrival), *options.part, asked);
    return arrival;
}

}  // namespace hawker::origin
