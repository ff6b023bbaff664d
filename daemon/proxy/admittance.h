// Who asks, and may they? The proxy's own users (RFC 9110 section 11.7), not the origin's.
#pragma once

#include "daemon/proxy/exchange.h"

namespace hawker::proxy {

// True when nobody has to be asked for a name; context.record.user is set where there is one.
bool is_admitted_at_once(Context& context);
// True when the request may go on; context.record.user is set where it came with a name. False when
// it was answered: 407, or 503 while too many passwords are being verified.
Task<bool> admit(Context& context);

}  // namespace hawker::proxy
