// Who asks, and may they? The proxy's own users (RFC 9110 section 11.7), not the origin's.
#pragma once

#include "daemon/proxy/exchange.h"

namespace hawker::proxy {

// True when the request may go on; context.record.user is set where it came with a name. False when
// it was answered: 407, or 503 while too many passwords are being verified.
Task<bool> admit(Context& context);

}  // namespace hawker::proxy
