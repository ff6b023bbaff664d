#include "daemon/origin/answer_check.h"

#include "daemon/http/caching.h"
#include "daemon/http/ranges.h"
#include "daemon/http/validators.h"
#include "filters/url.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace hawker::origin {

namespace {

using http::equals_ignoring_case;

std::optional<std::uint64_t> content_length(const http::Fields& fields) {
    const auto value = fields.get("Content-Length");
    std::uint64_t length = 0;
    if (!value) return std::nullopt;
    const auto [end, problem] =
        std::from_chars(value->data(), value->data() + value->size(), length);
    if (problem != std::errc() || end != value->data() + value->size()) return std::nullopt;
    return length;
}

std::string_view media_type(const http::Fields& fields) {
    std::string_view type = fields.get("Content-Type").value_or("");
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' ')) type.remove_suffix(1);
    return type;
}

// HTML or JSON where a binary object was asked for: a login page, a captive portal, an error with
// status 200.
bool looks_like_an_error_page(const http::Fields& fields, const SourceOptions& options) {
    const std::string_view type = media_type(fields);
    const bool html = equals_ignoring_case(type, "text/html");
    const bool json = equals_ignoring_case(type, "application/json") || type.ends_with("+json");
    if (!html && !json) return false;
    const auto url = filters::parse_url(options.url);
    const std::string_view path = url ? url->path : std::string_view();
    const auto named = [path](std::string_view ending) { return path.ends_with(ending); };
    if (html) return !named(".html") && !named(".htm");
    return !options.knows_digest && !named(".json");
}

bool expected_type(const http::Fields& fields, const SourceOptions& options) {
    if (options.content_types.empty()) return !looks_like_an_error_page(fields, options);
    const auto same = [&fields](const std::string& type) {
        return equals_ignoring_case(type, media_type(fields));
    };
    return std::ranges::any_of(options.content_types, same);
}

bool usable_vary(const http::Fields& fields) {
    const std::string vary = fields.joined("Vary");
    std::string_view rest = vary;
    while (!rest.empty()) {
        std::string_view name = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), name.size() + 1));
        while (name.starts_with(' ')) name.remove_prefix(1);
        while (name.ends_with(' ')) name.remove_suffix(1);
        const bool harmless = name.empty() || equals_ignoring_case(name, "Accept-Encoding") ||
                              equals_ignoring_case(name, "Origin");
        if (!harmless) return false;
    }
    return true;
}

// Why it may not be kept; empty when it may.
std::string_view obstacle(const http::ResponseHead& head, const SourceOptions& options) {
    const http::Fields& fields = head.fields;
    const auto coding = fields.get("Content-Encoding");
    if (coding && !equals_ignoring_case(*coding, "identity"))
        return "it is encoded although identity was asked for";
    if (!expected_type(fields, options)) return "its media type is not that of a download";
    if (!usable_vary(fields)) return "it varies by a field that is not part of the key";
    if (!options.may_store_credentialed) {
        const http::CacheControl control = http::CacheControl::of(fields);
        const bool credentialed =
            options.fields.has("Authorization") || options.fields.has("Cookie");
        const bool for_all = control.is_public || control.s_maxage || control.must_revalidate;
        if (fields.has("Set-Cookie")) return "it sets a cookie";
        if (credentialed && !for_all)
            return "the request carried credentials that may select the bytes";
        if (control.no_store || control.is_private) return "it says no-store or private";
    }
    if (options.obey_cache_control && !http::storable(options.fields, 200, fields))
        return "it may not be stored";
    return {};
}

std::string strong_validator(const http::Fields& fields, std::optional<std::uint64_t> size) {
    const auto tag = fields.get("ETag");
    if (tag && http::is_entity_tag(*tag) && http::is_strong(*tag))
        return fmt::format("etag:{}", *tag);
    const auto modified = fields.get("Last-Modified");
    if (modified && size) return fmt::format("lm:{}:{}", *modified, *size);
    return {};
}

std::optional<Digest> told_digest(const http::Fields& fields) {
    std::string_view linked = fields.get("X-Linked-Etag").value_or("");
    if (linked.size() == 66 && linked.front() == '"') linked = linked.substr(1, 64);
    if (auto digest = Digest::from_hex(linked)) return digest;
    std::string_view docker = fields.get("Docker-Content-Digest").value_or("");
    if (docker.starts_with("sha256:")) return Digest::from_hex(docker.substr(7));
    return std::nullopt;
}

std::string kept_head(const http::ResponseHead& head, WallTime now) {
    http::ResponseHead kept;
    kept.status = 200;
    kept.reason = http::reason_phrase(200);
    kept.fields = head.fields;
    http::remove_hop_by_hop(kept.fields);
    for (const std::string_view name :
         {"Set-Cookie", "Content-Length", "Content-Range", "Transfer-Encoding", "Age",
          "Cache-Status", "Proxy-Status", "Proxy-Authenticate"})
        kept.fields.remove(name);
    // Age counts from here on; what it was on arrival is part of the time of receipt.
    return encode_head(kept, now - http::current_age(head.fields, now, now));
}

Expected<cache::Arrival> partial(const http::ResponseHead& head, const RangeSpec& asked) {
    const auto got = http::parse_content_range(head.fields.get("Content-Range").value_or(""));
    if (!got || !got->range || !got->size)
        return fail(Errc::invalid, "206 without a usable Content-Range");
    const auto wanted = asked.resolve(*got->size);
    if (!wanted || got->range->first != wanted->first || got->range->end > wanted->end ||
        got->range->empty())
        return fail(Errc::invalid, "206 with another range than was asked for");
    const auto length = content_length(head.fields);
    if (length && *length != got->range->length())
        return fail(Errc::invalid, "206 whose length is not that of its range");
    cache::Arrival arrival;
    arrival.offset = got->range->first;
    arrival.length = got->range->length();
    arrival.size = got->size;
    arrival.ranged = true;
    return arrival;
}

Expected<cache::Arrival> whole(const http::ResponseHead& head, http::Framing framing) {
    if (head.fields.has("Content-Range")) return fail(Errc::invalid, "200 with a Content-Range");
    cache::Arrival arrival;
    arrival.size = content_length(head.fields);
    arrival.length = arrival.size;
    arrival.end_is_certain = framing != http::Framing::until_close;
    arrival.ranged = http::list_has(head.fields.get("Accept-Ranges").value_or(""), "bytes");
    return arrival;
}

std::unexpected<Error> not_success(const http::ResponseHead& head, WallTime now) {
    Error error;
    error.what = fmt::format("the origin answered {} {}", head.status, head.reason);
    switch (head.status) {
        case 401:
        case 403:
            error.code = Errc::refused;
            break;
        case 404:
        case 410:
            error.code = Errc::not_found;
            break;
        case 416:
            error.code = Errc::changed;
            break;
        default:
            error.code =
                head.status == 429 || head.status >= 500 ? Errc::unavailable : Errc::unsupported;
    }
    error.retry_after = retry_after(head.fields, now);
    return fail(std::move(error));
}

}  // namespace

std::optional<std::chrono::milliseconds> retry_after(const http::Fields& fields, WallTime now) {
    const auto value = fields.get("Retry-After");
    if (!value) return std::nullopt;
    unsigned seconds = 0;
    const auto [end, problem] =
        std::from_chars(value->data(), value->data() + value->size(), seconds);
    if (problem == std::errc() && end == value->data() + value->size())
        return std::chrono::seconds(seconds);
    const auto date = http::parse_date(*value);
    if (!date) return std::nullopt;
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(*date - now),
                    std::chrono::milliseconds(0));
}

Expected<cache::Arrival> check_answer(const http::ResponseHead& head, http::Framing framing,
                                      const RangeSpec& asked, const SourceOptions& options,
                                      WallTime now) {
    if (head.status != 200 && head.status != 206) return not_success(head, now);
    if (head.status == 206 && media_type(head.fields).starts_with("multipart/"))
        return fail(Errc::invalid, "a multipart answer to a single range");
    auto arrival = head.status == 206 ? partial(head, asked) : whole(head, framing);
    if (!arrival) return arrival;
    if (const auto why = obstacle(head, options); !why.empty())
        return fail(Errc::unsupported, fmt::format("the origin's answer is not kept: {}", why));
    arrival->validator = strong_validator(head.fields, arrival->size);
    arrival->head = kept_head(head, now);
    arrival->digest = told_digest(head.fields);
    return arrival;
}

}  // namespace hawker::origin
