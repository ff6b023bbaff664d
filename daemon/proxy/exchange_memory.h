// What one exchange writes its texts into: lent by the loop's proxy for as long as the exchange
// takes, so that the next one finds the room and asks the heap for nothing. A connection that waits
// for a request holds none.
//
// Owner: the connection, from the request's head to the line in the access log. Thread: the loop's.
#pragma once

#include "base/spares.h"
#include "daemon/http/message.h"
#include "daemon/proxy/proxy.h"
#include "filters/decision.h"

#include <string>

namespace hawker::proxy {

struct ExchangeMemory {
    http::RequestHead request;
    filters::Decision decision;
    ExchangeRecord record;
    std::string url;   // where the request's target is none
    std::string head;  // of the response, until it has left

    // Keeps room for what is usual.
    void clear();
};

using ExchangeSpares = Spares<ExchangeMemory>;

}  // namespace hawker::proxy
