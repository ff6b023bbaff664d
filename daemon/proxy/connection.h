// One client connection: request after request, in order, until either side has enough.
//
// Owner:   the proxy's task group. Thread: the loop's.
// Use:     begin(), then rest() and work() in turn while they say so, then end(). Ten thousand rest
//          at once: what is kept meanwhile is this object, and nothing that only work() needs.
// Stop:    drain() ends it after the response under way (at once when idle); abort() at once.
#pragma once

#include "daemon/proxy/cancellation.h"
#include "daemon/proxy/client_input.h"
#include "daemon/proxy/errands.h"
#include "daemon/proxy/idle_order.h"
#include "daemon/proxy/interception.h"
#include "daemon/proxy/proxy.h"

#include <memory>

namespace hawker::proxy {

class Connection : public IdleOrder::Member {
public:
    // `listener`: its place in Settings::listeners.
    Connection(net::Loop& loop, Services& services, IdleOrder& idle_order, Errands& errands,
               ExchangeSpares& spares, std::unique_ptr<net::Socket> client, std::size_t listener);
    // What its listener asks of the client before the first request. False: it is over.
    Task<bool> begin();
    // Until something has come.
    net::Socket::Rest rest();
    // What has come, to its end. False: it is over.
    Task<bool> work();
    Task<void> end();

    void drain();
    void abort();
    // The client has had its time to ask for something.
    void expire();

private:
    Task<bool> shake_hands();
    Task<bool> serve_one(ExchangeSpares::Lent memory, std::shared_ptr<const Settings> settings);
    // What is still coming is read and dropped for a moment: closing at once would reset the answer
    // away.
    Task<void> drop_the_rest(const Settings& settings);
    Task<void> refuse(http::BadRequest bad, std::shared_ptr<const Settings> settings);

    net::Loop& loop_;
    Services& services_;
    IdleOrder& idle_order_;
    Errands& errands_;
    ExchangeSpares& spares_;
    std::unique_ptr<net::Socket> client_;
    const std::size_t listener_;
    ClientInput input_;
    std::string peer_;                           // address and port, for the log
    std::string client_name_;                    // Address::client()
    std::string certificate_user_;               // whom a client certificate names
    std::unique_ptr<const Intercepted> inside_;  // since a CONNECT was intercepted
    bool admitted_ = false;                      // it is among the listener's clients
    bool draining_ = false;
    bool idle_ = true;
    bool resting_ = false;
    Cancellation* cancel_ = nullptr;  // of the exchange under way
};

}  // namespace hawker::proxy
