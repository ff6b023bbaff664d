// Is this answer the bytes that were asked for, and may they be kept? Pure.
#pragma once

#include "cache/source.h"
#include "daemon/http/message.h"
#include "daemon/origin/origin_source.h"

namespace hawker::origin {

// What the head of an answer to `asked` comes to. Errors as cache::Transfer::head() documents them;
// refused, not_found, unavailable and unsupported are answers that a client may see as they are.
Expected<cache::Arrival> check_answer(const http::ResponseHead& head, http::Framing framing,
                                      const RangeSpec& asked, const SourceOptions& options,
                                      WallTime now);

// Retry-After in either form (RFC 9110 section 10.2.3).
std::optional<std::chrono::milliseconds> retry_after(const http::Fields& fields, WallTime now);

}  // namespace hawker::origin
