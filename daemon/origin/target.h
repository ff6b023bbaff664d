// A request's URL cut into what is dialled and what is sent, without changing a byte.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace hawker::origin {

struct Target {
    std::string scheme;     // "http" or "https"
    std::string authority;  // as written
    std::string in_origin;  // path and query as written; "/" before a query without a path

    // Scheme, host and port in one spelling: two targets with the same origin() share
    // credentials and connections (RFC 6454 section 4).
    std::string origin() const;
    std::string_view host() const;  // as written; an IPv6 literal keeps its brackets
    std::uint16_t port() const;     // the scheme's usual one when none is written
    // What libcurl dials. It never sees the path: its URL parser would mend what a signature
    // covers.
    std::string root() const { return scheme + "://" + authority + "/"; }
    std::string url() const { return scheme + "://" + authority + in_origin; }
};

// Errc::invalid for other schemes, spaces and control bytes, and for an authority that is not plain
// host[:port]: userinfo, percent-encoding and bytes that libcurl would turn into another name than
// the one that was checked.
// A fragment is cut off (RFC 9110 section 7.1).
Expected<Target> split_url(std::string_view url);

// Where a Location leads, seen from `base` (RFC 3986 section 5.2).
Expected<Target> resolve_reference(const Target& base, std::string_view reference);

}  // namespace hawker::origin
