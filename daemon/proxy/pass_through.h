// A request that is not for the cache, as it goes up. Not a door.
#pragma once

#include "daemon/proxy/exchange.h"

#include <cstdint>
#include <optional>

namespace hawker::proxy {

// The client's own request, for Decision::origin_url.
origin::Request origin_request(const Context& context);

// In Content-Length, as far as it is a number.
std::optional<std::uint64_t> announced_length(const http::ResponseHead& head);
// Its upstream counts as failed (origin::Upstreams): 5xx, or no answer where nothing on our side
// prevented one.
bool has_failed(const Expected<http::ResponseHead>& head);
bool is_upstreams_fault(Errc code);

// A mirror's request without a body: the upstreams are asked in their order until one answers.
// False where there is a body, which can be sent only once: then Decision::origin_url names the
// first upstream in good health.
Task<bool> pass_upward(Context& context);

}  // namespace hawker::proxy
