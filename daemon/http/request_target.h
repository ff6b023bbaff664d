// The four forms of a request target and the Host field (RFC 9112 section 3.2). Not a door: only
// request_parser.cpp includes it.
#pragma once

#include "daemon/http/request_parser.h"

#include <expected>
#include <string_view>

namespace hawker::http {

// Which form `target` has, and that this form goes with this method.
std::expected<TargetForm, BadRequest> form_of_target(std::string_view method,
                                                     std::string_view target);

// `host[:port]` of a target that form_of_target() found to be absolute.
std::string_view authority_of(std::string_view absolute_target);

// host [ ":" port ]: a name of letters, digits and "-._", an IPv4 address or an IPv6 literal; port
// 1 to 65535. Narrower than RFC 3986 (no percent-encoding, no sub-delims): no host that resolves
// has more.
enum class Port { optional, required };
bool is_authority(std::string_view text, Port port);

}  // namespace hawker::http
