// Is this answer the bytes that were asked for, and may they be kept? Pure.
#pragma once

#include "cache/source.h"
#include "daemon/http/message.h"
#include "daemon/origin/origin_source.h"

#include <string>

namespace hawker::origin {

struct Asked {
    RangeSpec range = RangeSpec::whole();
    std::string url;  // that the answer came from, behind all redirects
    // Nothing will be stored: only whether these credentials may read what is.
    bool only_access = false;
};

// What the head of an answer comes to. Errors as cache::Transfer::head() documents them; refused,
// not_found, unavailable and unsupported are answers that a client may see as they are.
Expected<cache::Arrival> check_answer(const http::ResponseHead& head, http::Framing framing,
                                      const Asked& asked, const SourceOptions& options,
                                      WallTime now);

// Retry-After in either form (RFC 9110 section 10.2.3); at most a day.
std::optional<std::chrono::milliseconds> retry_after(const http::Fields& fields, WallTime now);

// The content's SHA-256 in the origin's own words: Repr-Digest, Digest, Docker-Content-Digest,
// X-Linked-Etag. All concern the whole representation, also in a 206. nullopt when two disagree.
std::optional<Digest> digest_told(const http::Fields& fields);

// True for a 416 that says that the representation is empty (trap 6).
bool says_empty(const http::ResponseHead& head);

}  // namespace hawker::origin
