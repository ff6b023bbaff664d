// One text for one object: the normal form of a URL, and the key that is left when its signature is
// taken away.
//
// Pure, one pass, idempotent. Two URLs that may be two objects never get one key; two that are one
// object may well get two: that costs a download, the other would be a wrong file.
#pragma once

#include "filters/query.h"
#include "filters/url.h"

#include <span>
#include <string>

namespace hawker::filters {

// Scheme, host and port as every URL of the same server has them (RFC 3986 section 6.2.2, RFC 9110
// section 4.2.3): lower case, no default port, no trailing dot. `scheme` is the one the origin is
// spoken to; a default port follows it.
std::string normal_origin(const Url& url, Scheme scheme);

// The whole URL in normal form, query and all: what rules are matched against.
void append_normal_form(std::string& text, const Url& url);

// Why a URL cannot have a key; empty when it can. A stray '%', dot segments (servers disagree on
// what they name, and so do their caches) and too many parameters.
std::string_view why_no_key(const Url& url, std::span<const Parameter> parameters);

enum class Order : std::uint8_t {
    as_written,
    by_name,  // stable: two parameters of one name keep their order
};

// The URL with only `kept` of its parameters, which all stand in one array. Without any, the '?'
// goes too.
void append_canonical_url(std::string& text, const Url& url, Scheme scheme,
                          std::span<const Parameter* const> kept, Order order);

}  // namespace hawker::filters
