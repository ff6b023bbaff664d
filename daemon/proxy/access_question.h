// The judgements behind `access: verify`. Pure functions.
#pragma once

#include "base/clock.h"
#include "cache/reader.h"
#include "cache/source.h"

#include <algorithm>
#include <chrono>
#include <optional>

namespace hawker::proxy {

// Until when a yes counts: `ttl` from now, but never longer than the signature that earned it (Unix
// seconds).
inline WallTime allowed_until(WallTime now, std::chrono::milliseconds ttl,
                              std::optional<std::int64_t> signature_end) {
    const WallTime by_ttl = now + ttl;
    if (!signature_end) return by_ttl;
    return std::min(by_ttl, WallTime(std::chrono::seconds(*signature_end)));
}

// Is what the origin has now what we hold? By validator where there is one; by size where the
// content is named by its digest (the same bytes under two URLs carry two ETags); by size alone
// only when nothing better was ever known.
inline bool is_the_same(const cache::Arrival& now, const cache::Representation& held) {
    if (now.size && held.size && *now.size != *held.size) return false;
    if (now.digest && held.digest) return *now.digest == *held.digest;
    if (now.validator == held.validator) return true;
    return held.digest.has_value() && now.size == held.size;
}

// True when the origin said neither yes nor no: it was not reached, too slow, busy or broken.
inline bool is_no_word(const Error& error) {
    return error.code == Errc::unavailable || error.code == Errc::timed_out ||
           error.code == Errc::closed;
}

}  // namespace hawker::proxy
