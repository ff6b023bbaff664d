// The far end of a tunnel: dialled by us, or by an upstream proxy that we ask for it.
//
// Thread: the loop's.
#pragma once

#include "daemon/proxy/exchange.h"
#include "filters/url.h"

#include <memory>
#include <string>
#include <string_view>

namespace hawker::proxy {

struct FarEnd {
    std::unique_ptr<net::Socket> socket;
    std::string early;  // what came behind an upstream proxy's answer: the client's, first of all
};

// What was checked is what is dialled: nothing resolves again. A failure says in `proxy_error` what
// it was in RFC 9209's words.
Task<Expected<FarEnd>> dial(Context& context, filters::Authority authority,
                            std::string_view& proxy_error);

}  // namespace hawker::proxy
