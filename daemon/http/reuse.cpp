#include "daemon/http/reuse.h"

#include "daemon/http/grammar.h"
#include "daemon/http/validators.h"

#include <algorithm>
#include <array>

namespace hawker::http {

namespace {

using std::chrono::seconds;

// Of the content that is stored, or of the request that it was selected by.
constexpr auto kOfTheContent = std::to_array<std::string_view>(
    {"Content-Encoding", "Content-Length", "Content-MD5", "Content-Range", "Content-Digest", "ETag",
     "Vary", "Transfer-Encoding", "Trailer"});

bool is_of_the_content(std::string_view name) {
    return std::ranges::any_of(kOfTheContent, [name](std::string_view known) {
        return equals_ignoring_case(name, known);
    });
}

// Does the request want it younger than it is? A response that is fresh and never changes is as
// good as a younger one (RFC 8246 section 2): what reloads a page says max-age=0.
bool is_too_old(const StoredTerms& stored, const CacheControl& asked, seconds age) {
    const bool is_fresh = stored.lifetime > age;
    if (asked.min_fresh && stored.lifetime - age < *asked.min_fresh) return true;
    if (!asked.max_age || (is_fresh && stored.control.immutable)) return false;
    return *asked.max_age == seconds::zero() || age > *asked.max_age;
}

}  // namespace

bool may_be_stale(const StoredTerms& stored) {
    const CacheControl& control = stored.control;
    return !control.no_cache && !control.must_revalidate && !control.proxy_revalidate &&
           !control.s_maxage;
}

Use use_of(const StoredTerms& stored, const CacheControl& asked, seconds age) {
    if (asked.no_cache || stored.control.no_cache || is_too_old(stored, asked, age))
        return Use::validate;
    if (stored.lifetime > age) return Use::fresh;
    if (!may_be_stale(stored)) return Use::validate;
    const seconds staleness = age - stored.lifetime;
    if (asked.max_stale && staleness <= *asked.max_stale) return Use::stale;
    const auto& window = stored.control.stale_while_revalidate;
    return window && staleness <= *window ? Use::while_revalidating : Use::validate;
}

bool may_use_after_error(const StoredTerms& stored, const CacheControl& asked, seconds age) {
    if (asked.no_cache || !may_be_stale(stored)) return false;
    const seconds window = std::max(stored.control.stale_if_error.value_or(seconds(-1)),
                                    asked.stale_if_error.value_or(seconds(-1)));
    return age - stored.lifetime <= window;
}

bool is_failure_of_origin(int status) {
    return status == 500 || status == 502 || status == 503 || status == 504;
}

bool has_validator(const Fields& stored) {
    return stored.has("ETag") || parse_date(stored.get("Last-Modified").value_or(""));
}

void add_conditions(Fields& request, const Fields& stored) {
    std::string tags = request.joined("If-None-Match");
    request.remove("If-None-Match");
    request.remove("If-Modified-Since");
    if (const auto ours = stored.get("ETag")) {
        if (trim(tags) == "*") tags.clear();
        const bool is_named = tags.find(*ours) != std::string::npos;
        if (!is_named) tags = std::string(*ours) + (tags.empty() ? "" : ", ") + tags;
        request.set("If-None-Match", tags);
    }
    const auto modified = stored.get("Last-Modified");
    if (modified && parse_date(*modified)) request.set("If-Modified-Since", *modified);
}

namespace {

// Tags are opaque, also those that are none by the grammar: their case matters, that one is weak
// does not (RFC 9110 section 8.8.3).
bool names_tag(const Fields& client, std::string_view tag) {
    const std::string tags = client.joined("If-None-Match");
    return std::ranges::any_of(list_members(tags), [tag](std::string_view member) {
        return member == tag || weak_match(member, tag);
    });
}

}  // namespace

bool confirms(const Fields& not_modified, const Fields& stored, const Fields& client) {
    // Nothing else was asked about. Some origins name another tag than they were asked for, such as
    // that of the same content without its coding.
    if (!client.has("If-None-Match") && !client.has("If-Modified-Since")) return true;
    const auto told = not_modified.get("ETag"), ours = stored.get("ETag");
    if (told && ours) return *told == *ours || weak_match(*told, *ours);
    // It does not say which: ours, unless the client has named others.
    return !ours || !client.has("If-None-Match") || names_tag(client, *ours);
}

bool is_what_client_has(const Fields& not_modified, const Fields& client) {
    const auto told = not_modified.get("ETag");
    return told && names_tag(client, *told);
}

Fields updated(const Fields& stored, const Fields& newer) {
    Fields result = stored;
    for (const Field& field : newer)
        if (!is_of_the_content(field.name)) result.remove(field.name);
    for (const Field& field : newer)
        if (!is_of_the_content(field.name)) result.add(field.name, field.value);
    return result;
}

bool head_agrees(const Fields& head, const Fields& stored, std::uint64_t stored_length) {
    for (const std::string_view name : {"ETag", "Last-Modified"}) {
        const auto now = head.get(name), then = stored.get(name);
        if (now && then && *now != *then) return false;
    }
    const auto told = head.get("Content-Length");
    return !told || parse_decimal(*told) == stored_length;
}

}  // namespace hawker::http
