// http and https URLs, taken apart without changing a byte (RFC 3986, RFC 9110 section 4.2).
//
// Pure functions over views: no I/O, no allocation but where a string comes back. A `Url` borrows
// the text it was parsed from.
#pragma once

#include "base/error.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace hawker::filters {

enum class Scheme : std::uint8_t { http, https };
std::string_view name_of(Scheme scheme);
std::uint16_t default_port(Scheme scheme);

struct Url {
    Scheme scheme = Scheme::http;
    std::string_view host;   // as written; an IPv6 literal keeps its brackets
    std::uint16_t port = 0;  // the scheme's own where none was written
    std::string_view path;   // as written, never empty: "/" where the URL has none
    std::string_view query;  // without '?'; empty when absent
    bool has_query = false;  // "/p?" and "/p" are two URLs
};

// An absolute http(s) URL as it stands in a request line. Errc::invalid, in words for the person
// who typed it, for: another scheme, userinfo (RFC 9110 section 4.2.4), a fragment, an empty or
// malformed host, port 0 or above 65535, and any byte outside the URI character set.
Expected<Url> parse_url(std::string_view text);

// For where requests are sent on to. Errc::invalid for a URL with a query or an '@', and for what
// is none, in words without any of it.
Expected<void> check_upstream(std::string_view text);

// `host:port` of a CONNECT request (RFC 9112 section 3.2.3): both are required.
struct Authority {
    std::string_view host;
    std::uint16_t port = 0;
};
Expected<Authority> parse_authority(std::string_view text);

}  // namespace hawker::filters
