// One client connection: request after request, in order, until either side has enough.
//
// Owner:   the proxy's task group; it ends by itself. Thread: the loop's.
// Stop:    drain() ends it after the response under way (at once when idle); abort() at once.
#pragma once

#include "daemon/proxy/cancellation.h"
#include "daemon/proxy/client_input.h"
#include "daemon/proxy/idle_order.h"
#include "daemon/proxy/interception.h"
#include "daemon/proxy/proxy.h"

#include <memory>
#include <optional>

namespace hawker::proxy {

class Connection : public IdleOrder::Member {
public:
    // `listener`: its place in Settings::listeners.
    Connection(net::Loop& loop, Services& services, IdleOrder& idle_order,
               std::unique_ptr<net::Socket> client, std::size_t listener);
    Task<void> run();
    void drain();
    void abort();

private:
    bool is_admitted() const;
    // What its listener asks for before the first request. False: the connection is over.
    Task<bool> shake_hands();
    Task<bool> serve_one(http::RequestHead request, std::shared_ptr<const Settings> settings);
    // What is still coming is read and dropped for a moment: closing at once would reset the answer
    // away.
    Task<void> drop_the_rest(const Settings& settings);
    Task<void> refuse(http::BadRequest bad, std::shared_ptr<const Settings> settings);

    net::Loop& loop_;
    Services& services_;
    IdleOrder& idle_order_;
    std::unique_ptr<net::Socket> client_;
    const std::size_t listener_;
    ClientInput input_;
    std::string peer_;                   // address and port, for the log
    std::string client_name_;            // Address::client()
    std::string certificate_user_;       // whom a client certificate names
    std::optional<Intercepted> inside_;  // since a CONNECT was intercepted
    bool draining_ = false;
    bool idle_ = true;
    Cancellation* cancel_ = nullptr;  // of the exchange under way
};

}  // namespace hawker::proxy
