// What a signature says about itself: until when it holds, and which request fields it covers.
// Read, never verified.
#pragma once

#include "filters/query.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace hawker::filters {

// The earliest end that the stripped parameters of any signer name, in Unix seconds: X-Amz-Date +
// X-Amz-Expires and their like, Expires, a CloudFront policy's DateLessThan, Azure's se and ske,
// q-sign-time, auth_key. What does not parse is not there. An end in the past is an end.
std::optional<std::int64_t> signature_end(std::span<const Parameter* const> stripped);

// Who writes the Range that goes to the origin: we, as a fetch needs it, or the client.
enum class RangeField : std::uint8_t { ours, kept };

// A request field, in lower case, that the signature covers besides Host, and that does not go on
// as it came. Fetching in segments changes Range and drops what has no bearing on the bytes, so the
// origin would refuse. Empty when there is none. A Xet URL with X-Xet-Signed-Range counts as
// `range`: it is good for those bytes only, and who may read them may not therefore read the rest.
std::string signed_field(std::span<const Parameter> parameters, RangeField range);

}  // namespace hawker::filters
