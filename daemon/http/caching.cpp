#include "daemon/http/caching.h"

#include "daemon/http/grammar.h"
#include "daemon/http/validators.h"

#include <algorithm>

namespace hawker::http {

namespace {

using std::chrono::seconds;

constexpr seconds kMostHeuristic = std::chrono::days(1);
constexpr seconds kMostAge(1LL << 31);

// Whole seconds: dates have no more, and the difference of any two fits.
seconds between(WallTime from, WallTime to) {
    return std::chrono::floor<seconds>(to) - std::chrono::floor<seconds>(from);
}

WallTime date_of(const Fields& response, WallTime response_time) {
    const auto date = parse_date(response.get("Date").value_or(""), response_time);
    return date ? *date : response_time;
}

seconds heuristic_lifetime(const Fields& response, WallTime response_time) {
    const auto modified = parse_date(response.get("Last-Modified").value_or(""), response_time);
    if (!modified) return seconds::zero();
    const seconds unchanged = between(*modified, date_of(response, response_time));
    return std::clamp(unchanged / 10, seconds::zero(), kMostHeuristic);
}

// The first member of the first Age field; an invalid one is ignored (RFC 9111 section 5.1).
seconds age_value(const Fields& response) {
    const auto members = list_members(response.get("Age").value_or(""));
    if (members.empty()) return seconds::zero();
    const auto age = parse_decimal(members.front());
    return age ? seconds(std::min<std::uint64_t>(*age, 1ULL << 31U)) : seconds::zero();
}

}  // namespace

seconds freshness_lifetime(const Fields& response, WallTime response_time) {
    const auto targeted = CacheControl::targeted(response);
    const CacheControl control = targeted ? *targeted : CacheControl::of(response);
    if (control.no_cache) return seconds::zero();
    if (control.s_maxage) return *control.s_maxage;
    if (control.max_age) return *control.max_age;
    const auto expires = response.all("Expires");
    if (targeted || expires.empty()) return heuristic_lifetime(response, response_time);
    // A date that does not parse ("0" is common) lies in the past.
    const auto end = parse_date(expires.front(), response_time);
    if (!end) return seconds::zero();
    return std::max(seconds::zero(), between(date_of(response, response_time), *end));
}

seconds initial_age(const Fields& response, WallTime response_time) {
    const seconds apparent =
        std::max(seconds::zero(), between(date_of(response, response_time), response_time));
    return std::max(apparent, age_value(response));
}

seconds corrected_initial_age(const Fields& response, WallTime request_time,
                              WallTime response_time) {
    const seconds apparent =
        std::max(seconds::zero(), between(date_of(response, response_time), response_time));
    const auto values = response.all("Age");
    if (values.empty()) return apparent;
    const auto told = values.size() == 1 ? parse_decimal(values.front()) : std::nullopt;
    if (!told || *told >= static_cast<std::uint64_t>(kMostAge.count())) return kMostAge;
    const seconds delay = std::max(seconds::zero(), between(request_time, response_time));
    return std::min(std::max(apparent, seconds(*told) + delay), kMostAge);
}

seconds current_age(const Fields& response, WallTime response_time, WallTime now) {
    return current_age(initial_age(response, response_time), response_time, now);
}

seconds current_age(seconds initial, WallTime response_time, WallTime now) {
    const seconds resident = std::max(seconds::zero(), between(response_time, now));
    return std::min(initial + resident, kMostAge);
}

}  // namespace hawker::http
