// RFC 9111 section 4, RFC 5861, RFC 8246: may a stored response answer this request, and what a
// newer answer changes about it. Pure.
#pragma once

#include "daemon/http/caching.h"

#include <chrono>
#include <span>
#include <string>

namespace hawker::http {

// What is known about a stored response.
struct StoredTerms {
    CacheControl control;              // what governs it
    std::chrono::seconds lifetime{0};  // how long it was to be fresh
};

enum class Use : std::uint8_t {
    fresh,               // as it is
    stale,               // as it is: the client takes it stale
    while_revalidating,  // as it is, and the origin is asked for the next one
    validate,            // not before the origin was asked
};

// `asked`: the request's Cache-Control.
Use use_of(const StoredTerms& stored, const CacheControl& asked, std::chrono::seconds age);

// The origin could not be asked, or answered with its own failure: may the stored response stand
// in?
bool may_use_after_error(const StoredTerms& stored, const CacheControl& asked,
                         std::chrono::seconds age);
// Nothing forbids to use it stale, where somebody has allowed that (section 4.2.4).
bool may_be_stale(const StoredTerms& stored);

// 500, 502, 503 and 504: the origin failed, and said nothing about the thing (RFC 5861 section 4).
bool is_failure_of_origin(int status);

// A validator to ask with.
bool has_validator(const Fields& stored);
// The conditions that ask whether `stored` is still what the origin has. Those of the client go:
// they are judged against what is stored. Its entity tags are asked about besides.
void add_conditions(Fields& request, const Fields& stored);
// A 304 to that request is about `stored`, and not about something that only the client has.
bool confirms(const Fields& not_modified, const Fields& stored, const Fields& client);
// It names an entity tag that the client has asked about.
bool is_what_client_has(const Fields& not_modified, const Fields& client);

// `stored` after a 304, or a 200 to a HEAD (section 3.2): every field of `newer` replaces those of
// its name, but for what belongs to the stored content.
Fields updated(const Fields& stored, const Fields& newer);

// A 200 to a HEAD speaks of the response that is stored (section 4.3.5): no validator and no length
// says otherwise.
bool head_agrees(const Fields& head, const Fields& stored, std::uint64_t stored_length);

}  // namespace hawker::http
