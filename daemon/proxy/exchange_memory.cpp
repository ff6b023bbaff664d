#include "daemon/proxy/exchange_memory.h"

#include <utility>

namespace hawker::proxy {

void ExchangeMemory::clear() {
    request.clear();
    decision.clear();
    ExchangeRecord room;
    for (const auto text : {&ExchangeRecord::method, &ExchangeRecord::url, &ExchangeRecord::task,
                            &ExchangeRecord::rule, &ExchangeRecord::source, &ExchangeRecord::client,
                            &ExchangeRecord::user, &ExchangeRecord::error}) {
        (room.*text).swap(record.*text);
        clear_text(room.*text);
    }
    record = std::move(room);
    clear_text(url);
    clear_text(head);
}

}  // namespace hawker::proxy
