// Which content lies where, as an upstream of a mirror said when it led there: a URL whose rule
// learns digests is then known by its SHA-256 before its first byte.
//
// It is the word of a configured upstream alone, never of a client or of an origin that a client
// chose. What it says is a name, not a right and not a fact: each client is let in by the place
// itself, sizes must agree where a content that is here is linked to, and bytes that are fetched
// must hash to it.
//
// Kept as documents: bounded, in memory and in the cache. Thread: the loop of the exchange.
#pragma once

#include "base/digest.h"
#include "base/task.h"
#include "filters/decision.h"

#include <optional>
#include <string_view>

namespace hawker::proxy {

struct Context;

// Nothing where no rule learns the digests of such URLs.
Task<void> keep_told_content(Context& context, std::string_view url, Digest sha256);
Task<std::optional<Digest>> find_told_content(Context& context, const filters::Decision& place);
// The bytes there were others.
Task<void> forget_told_content(Context& context, const filters::Decision& place);

}  // namespace hawker::proxy
