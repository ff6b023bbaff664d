// stale-while-revalidate (RFC 5861): the request to the origin behind a response that was served
// stale, one for all who were served so at the time.
#pragma once

#include "daemon/proxy/errands.h"
#include "daemon/proxy/http_store.h"

namespace hawker::proxy {

// Begins it, unless somebody is asking for `variant` already. `question`: the client's; its
// conditions and ranges stay its own.
void begin_revalidation(Errands& errands, Services& services, net::Loop& loop, HttpStore store,
                        HttpQuestion question, VariantPtr variant);

}  // namespace hawker::proxy
