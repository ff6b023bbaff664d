// RFC 9111 section 4.4: what a request with an unsafe method does to what is stored.
#pragma once

#include "daemon/proxy/exchange.h"

#include <optional>
#include <string_view>

namespace hawker::proxy {

// Before the client sees `head`, the origin's answer to its request: when that was no failure, what
// is stored of its URL, and of those on the same origin that Location and Content-Location name,
// is removed. Nothing happens for safe methods and URLs that no rule with `policy: http` matches.
Task<void> invalidate_after(Context& context, const http::ResponseHead& head);

// How a GET of `url` would be decided, where `policy: http` would store it; else nullopt.
std::optional<filters::Decision> decision_for_get(const Context& context, std::string_view url);

}  // namespace hawker::proxy
