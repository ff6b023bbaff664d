// What one client may do at once, and how fast.
#pragma once

#include "daemon/proxy/exchange.h"

namespace hawker::proxy {

// A place among the client's transfers.
struct Share {
    bool is_granted = false;
    std::optional<admission::ClientSlots::Slot> slot;    // null where there is no limit
    std::shared_ptr<admission::ClientSlots::Seat> seat;  // in the line, until it is granted
};
// What there is at once: nearly always the place itself.
Share ask_for_share(Context& context);
// Waits for one that was not granted. Still not granted afterwards: the request was answered (429),
// or the client's connection was closed meanwhile.
Task<void> wait_for_share(Context& context, Share& share);

// Puts the exchange under the bandwidth limits that are for it; `rule` may be null.
void pace(Context& context, const filters::Rule* rule);

}  // namespace hawker::proxy
