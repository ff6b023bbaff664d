#include "daemon/http/storing.h"

#include "daemon/http/caching.h"
#include "daemon/http/ranges.h"
#include "daemon/http/reuse.h"
#include "daemon/http/selection.h"

#include <algorithm>
#include <array>

namespace hawker::http {

namespace {

using std::chrono::seconds;

constexpr std::array kHeuristic = {200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501};
// Whose meaning for a cache we know (section 5.2.2.3): those, and what is only ever relayed.
constexpr std::array kUnderstoodToo = {201, 202, 205, 302, 303, 307, 400, 401, 403, 406, 407, 408,
                                       409, 411, 413, 415, 417, 421, 422, 426, 500, 502, 503, 504};

bool is_understood(int status) {
    return is_heuristically_cacheable(status) ||
           std::ranges::find(kUnderstoodToo, status) != kUnderstoodToo.end();
}

// Part of nothing but the exchange that it ends: a condition that failed, a range that does not
// exist. 304 has no content of its own.
bool is_about_the_request(int status) { return status == 304 || status == 412 || status == 416; }

bool says_how_long(const CacheControl& control, const Fields& response) {
    return control.s_maxage || control.max_age ||
           (!CacheControl::targeted(response) && response.has("Expires"));
}

// What the response itself takes back is not kept, so it does no harm.
bool sets_cookies(const Fields& response) {
    const auto withheld = withheld_fields(response);
    const auto is_withheld = [&withheld](std::string_view name) {
        return std::ranges::any_of(withheld, [name](const std::string& other) {
            return equals_ignoring_case(name, other);
        });
    };
    return std::ranges::any_of(
        std::to_array<std::string_view>({"Set-Cookie", "Set-Cookie2"}),
        [&](std::string_view name) { return response.has(name) && !is_withheld(name); });
}

bool is_for_everybody(const CacheControl& control) {
    return control.is_public || control.s_maxage || control.must_revalidate;
}

// Of a range: exactly the part that its fields say, or it could be combined with nothing.
bool is_usable_part(const Fields& response) {
    const auto values = response.all("Content-Range");
    if (values.size() != 1) return false;
    const auto told = parse_content_range(values.front());
    return told && told->range && told->size;
}

// What selected it would have to be kept, and a hash of a weak secret is no secret.
bool is_selected_by_a_secret(const Fields& request, const std::vector<std::string>& names) {
    constexpr auto kSecrets =
        std::to_array<std::string_view>({"authorization", "cookie", "deploy-token", "job-token",
                                         "private-token", "proxy-authorization"});
    return std::ranges::any_of(kSecrets, [&](std::string_view secret) {
        return request.has(secret) && std::ranges::find(names, secret) != names.end();
    });
}

// Fields by which many an origin chooses what it says without saying so in Vary: one client must
// not choose it for all.
bool is_steered_by_the_request(const Fields& request, const std::vector<std::string>& names) {
    constexpr auto kSteering = std::to_array<std::string_view>(
        {"forwarded", "x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix",
         "x-forwarded-proto", "x-forwarded-scheme", "x-forwarded-server", "x-host", "x-http-method",
         "x-http-method-override", "x-method-override", "x-original-url", "x-rewrite-url"});
    return std::ranges::any_of(kSteering, [&](std::string_view field) {
        return request.has(field) && std::ranges::find(names, field) == names.end();
    });
}

bool is_allowed(const Fields& response, const CacheControl& control, int status,
                const StoringTerms& terms) {
    if (control.must_understand && !is_understood(status)) return false;
    if ((control.no_store && !control.must_understand) || control.is_private) return false;
    if (terms.sent_credentials && !terms.ignores_credentials && !is_for_everybody(control))
        return false;
    return terms.keeps_cookies || !sets_cookies(response);
}

}  // namespace

bool is_heuristically_cacheable(int status) {
    return std::ranges::find(kHeuristic, status) != kHeuristic.end();
}

bool may_store(const Fields& request, int status, const Fields& response,
               const StoringTerms& terms) {
    if (status < 200 || is_about_the_request(status)) return false;
    if (CacheControl::of(request).no_store) return false;
    const bool is_part = status == 206;
    if (is_part && !(request.has("Range") && is_usable_part(response))) return false;
    // What was answered to a range or a condition is no answer to those who set none.
    const bool depends = request.has("Range") || request.has("If-Match") ||
                         request.has("If-Unmodified-Since") || request.has("If-Range");
    if (depends && status != 200 && !is_part) return false;
    const CacheControl control = CacheControl::governing(response);
    if (!is_allowed(response, control, status, terms)) return false;
    const auto names = selecting_fields(response);
    if (!names || is_selected_by_a_secret(request, *names) ||
        is_steered_by_the_request(request, *names))
        return false;
    return control.is_public || says_how_long(control, response) ||
           is_heuristically_cacheable(status);
}

Renewal renewal_of(const Fields& request, int status, const Fields& stored, const Fields& newer,
                   const StoringTerms& terms) {
    const Fields next = updated(stored, newer);
    const bool selects_anew =
        newer.has("Vary") && selecting_fields(newer) != selecting_fields(stored);
    StoringTerms of_anybody;
    of_anybody.keeps_cookies = true;
    if (selects_anew || !may_store(Fields(), status, next, of_anybody)) return Renewal::remove;
    return may_store(request, status, next, terms) ? Renewal::renew : Renewal::leave;
}

bool may_store_of_post(int status, const Fields& response) {
    return status == 200 && says_how_long(CacheControl::governing(response), response);
}

seconds lifetime_of(int status, const Fields& response, WallTime response_time) {
    const CacheControl control = CacheControl::governing(response);
    const bool may_guess = control.is_public || is_heuristically_cacheable(status);
    if (!may_guess && !says_how_long(control, response)) return seconds::zero();
    return freshness_lifetime(response, response_time);
}

}  // namespace hawker::http
