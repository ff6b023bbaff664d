// What one client may do at once, and how fast.
#pragma once

#include "daemon/proxy/exchange.h"

namespace hawker::proxy {

// A place among the client's transfers, waited for if need be. Null when the request was answered
// (429), or the client's connection was closed meanwhile.
struct Share {
    bool is_granted = false;
    std::optional<admission::ClientSlots::Slot> slot;  // null where there is no limit
};
Task<Share> take_share(Context& context);

// Puts the exchange under the bandwidth limits that are for it; `rule` may be null.
void pace(Context& context, const filters::Rule* rule);

}  // namespace hawker::proxy
