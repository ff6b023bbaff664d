// From what the cache holds to what the client sees: status, fields, ranges. Pure functions.
#pragma once

#include "base/clock.h"
#include "cache/reader.h"
#include "daemon/http/message.h"
#include "daemon/http/ranges.h"
#include "daemon/origin/origin_source.h"
#include "filters/decision.h"

#include <optional>
#include <string>
#include <vector>

namespace hawker::proxy {

// How a request for a stored representation is answered, before a byte of body moves.
struct StoredAnswer {
    http::ResponseHead head;  // without Via and Cache-Status
    std::vector<ByteRange>
        ranges;  // what the body consists of; one, or several for multipart; empty: no body
    std::optional<http::MultipartRanges> multipart;
    std::optional<std::uint64_t> body_length;  // nullopt: the size is not known yet
};

// Preconditions, then ranges (RFC 9110 section 13.2.2), then the fields: the stored ones, Age, and
// what the query of this very request overrides.
StoredAnswer answer_from(const http::RequestHead& request,
                         const filters::ResponseOverrides& overrides,
                         const cache::Representation& representation,
                         const origin::StoredHead& stored, WallTime now);

// The whole of `length` bytes, whatever the request says.
StoredAnswer answer_whole_from(const filters::ResponseOverrides& overrides,
                               const origin::StoredHead& stored, std::uint64_t length,
                               WallTime now);

// What the client will read first, as a hint for a fetch: its only range, or the whole.
RangeSpec wanted_range(const http::RequestHead& request);

}  // namespace hawker::proxy
