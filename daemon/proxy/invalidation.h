// RFC 9111 section 4.4: what a request with an unsafe method does to what is stored.
#pragma once

#include "daemon/proxy/exchange.h"

namespace hawker::proxy {

// Before the client sees `head`, the origin's answer to its request: when that was no failure, what
// is stored of its URL, and of those on the same origin that Location and Content-Location name,
// is removed. Nothing happens for safe methods and URLs that no rule with `policy: http` matches.
Task<void> invalidate_after(Context& context, const http::ResponseHead& head);

}  // namespace hawker::proxy
