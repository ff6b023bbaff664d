// RFC 9111: what a shared cache may store and for how long; Cache-Status (RFC 9211) and
// Proxy-Status (RFC 9209).
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "daemon/http/message.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::http {

struct CacheControl {
    bool no_store = false, no_cache = false, is_private = false, is_public = false,
         must_revalidate = false, proxy_revalidate = false, immutable = false, no_transform = false,
         only_if_cached = false, must_understand = false;
    std::optional<std::chrono::seconds> max_age, s_maxage, stale_while_revalidate, stale_if_error;
    // Of requests. `max-stale` without a value is the greatest one.
    std::optional<std::chrono::seconds> max_stale, min_fresh;
    // All Cache-Control fields of a message; the most restrictive of conflicting directives (S6,
    // S7).
    static CacheControl of(const Fields& fields);
    // CDN-Cache-Control when it parses as a structured dictionary and is not empty (RFC 9213): it
    // then stands for Cache-Control and Expires of a response. nullopt otherwise.
    static std::optional<CacheControl> targeted(const Fields& response);
    // What governs a response here: the targeted field where there is one, else Cache-Control.
    static CacheControl governing(const Fields& response);
};

// The fields that a response's `no-cache="..."` and `private="..."` name (RFC 9111
// sections 5.2.2.4, 5.2.2.7): a shared cache keeps the response without them. Never those that say
// how long it may be kept: Cache-Control, Expires, Date.
std::vector<std::string> withheld_fields(const Fields& response);

// Freshness lifetime from the moment of the response: s-maxage, max-age, Expires - Date, else 10 %
// of the age since Last-Modified (at most a day), else 0 (S6-S8).
std::chrono::seconds freshness_lifetime(const Fields& response, WallTime response_time);
// Section 4.2.3, when the request left and the response came. An Age that is not one number is the
// greatest age there is: nobody can tell that the response is fresh.
std::chrono::seconds corrected_initial_age(const Fields& response, WallTime request_time,
                                           WallTime response_time);
// Age field plus time spent here (S9).
std::chrono::seconds current_age(const Fields& response, WallTime response_time, WallTime now);
// The same in its two steps: what it was on arrival never changes.
std::chrono::seconds initial_age(const Fields& response, WallTime response_time);
std::chrono::seconds current_age(std::chrono::seconds initial, WallTime response_time,
                                 WallTime now);

struct CacheStatus {
    bool hit = false;
    std::string
        fwd;  // uri-miss, miss, stale, partial, request, method, bypass; said only without a hit
    std::optional<int> fwd_status;
    bool stored = false, collapsed = false;
    std::string key;                // task ID
    std::string detail;             // a token or a quoted sentence
    std::string serialize() const;  // `hawker; hit; key="..."`
};
// That of a hit of which nothing else is to be said.
void append_hit_status(std::string& text, std::string_view key);

// `hawker; error=connection_refused; details="..."`, with the error type of RFC 9209 section 2.3
// that fits.
std::string proxy_status(std::string_view error_type, std::string_view details);

// The one table from our errors to what a client sees. Nobody else types "502".
struct ErrorAnswer {
    int status;
    std::string_view proxy_error_type;
};
ErrorAnswer answer_for(Errc code);

}  // namespace hawker::http
