// The road of a request: connections, exchanges, tunnels, pass-through. The door for daemon/.
//
// Owner:  a worker has one Proxy for its loop. Everything in Services outlives every Proxy.
// Thread: the loop's.
// Stop:   drain() lets running exchanges finish until the deadline, closes idle connections at
// once, cuts the rest.
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "cache/cache.h"
#include "daemon/admission/authenticator.h"
#include "daemon/admission/bandwidth.h"
#include "daemon/admission/client_slots.h"
#include "daemon/admission/users.h"
#include "daemon/http/request_parser.h"
#include "daemon/net/address.h"
#include "daemon/net/loop.h"
#include "daemon/net/socket.h"
#include "daemon/net/tls.h"
#include "daemon/origin/client.h"
#include "daemon/origin/origin_source.h"
#include "daemon/proxy/access_memory.h"
#include "daemon/proxy/documents.h"
#include "daemon/proxy/mirror.h"
#include "daemon/proxy/shelves.h"
#include "filters/rule_set.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hawker::proxy {

class Interception;
struct Registry;

enum class ProxyAuthentication : std::uint8_t { none, optional, required };

// What one listener asks of its clients, and gives them. Its place in Settings::listeners is its
// name between the rooms, the same in every snapshot.
struct ListenerTerms {
    net::Address address;                       // as bound
    std::string name;                           // for logs: "127.0.0.1:65001", "https://[::]:65003"
    std::shared_ptr<const net::TlsServer> tls;  // null: plaintext
    std::vector<net::Cidr> clients;             // who may connect; empty: everybody
    ProxyAuthentication authentication = ProxyAuthentication::none;
    std::uint64_t bandwidth = 0;  // bytes a second for all its clients together; 0: no limit
    std::shared_ptr<const Mirror> mirror;  // null: a forward proxy

    // A Unix socket's clients have no network: its file's mode says who they are.
    bool admits(const net::Address& client) const;
};

// The configuration that one exchange begins and ends with. Immutable.
struct Settings {
    std::shared_ptr<const filters::RuleSet> rules;
    std::shared_ptr<const net::DestinationPolicy> destinations;
    std::vector<ListenerTerms> listeners;
    std::shared_ptr<const origin::Routes> routes;
    std::shared_ptr<const Interception> interception;  // null: every tunnel is opaque
    std::shared_ptr<const admission::Users> users;
    // Of requests that name no host: whom they are for (null: refused), and whom else they may
    // name.
    std::shared_ptr<const Registry> registry;
    std::vector<std::shared_ptr<const Registry>> named_registries;
    std::chrono::milliseconds remember_passwords{300'000};
    std::uint64_t bandwidth = 0;       // bytes a second to all clients; 0: no limit
    std::size_t client_transfers = 0;  // at once for one client; 0: no limit
    std::size_t client_queue = 0;      // more of them that may wait
    http::HeadLimits head_limits;
    std::chrono::milliseconds head_timeout{10'000};       // a request head, from its first byte
    std::chrono::milliseconds idle_timeout{60'000};       // keep-alive, between requests
    std::chrono::milliseconds write_timeout{60'000};      // a client that takes no byte
    std::chrono::milliseconds body_timeout{60'000};       // a client that sends no byte of its body
    std::chrono::milliseconds handshake_timeout{10'000};  // a whole TLS handshake
    std::chrono::milliseconds tunnel_idle_timeout{600'000};
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds access_ttl{
        3'600'000};             // how long a yes is remembered when the signature names no end
    cache::FetchOptions fetch;  // defaults; a rule overrides piece_size and connections
    std::string pseudonym = "hawker";  // in Via (RFC 9110 section 7.6.3), unique to this daemon
    std::vector<net::Address> own_addresses;  // listeners: a request to ourselves is a loop
};

// One line of the access log and one set of counters.
struct ExchangeRecord {
    std::string method;
    std::string url;          // redacted; may be empty where nobody wants_urls()
    std::string task;         // task ID in hexadecimal, or empty
    std::string rule;         // or empty
    int status = 0;           // sent to the client; 0: none was
    std::uint64_t bytes = 0;  // of body, sent to the client
    std::chrono::milliseconds duration{0};
    std::chrono::milliseconds first_byte{0};
    std::string source;          // hit, partial, miss, joined, pass, tunnel, intercept, error
    std::string client;          // address
    std::string user;            // who was let in by name; empty otherwise
    std::string error;           // empty when it went well
    std::uint64_t received = 0;  // request body or tunnel bytes from the client
};

// One TLS handshake with a client.
struct HandshakeRecord {
    enum class Where : std::uint8_t { listener, intercepted };
    Where where = Where::listener;
    std::optional<Errc> error;  // nullopt: it went well
    net::TlsSession session;
};

// What came of asking a client who it is.
enum class Admittance : std::uint8_t { admitted, missing, wrong, busy };

// What the proxy tells the rest of the daemon. Called on the loop; must not wait.
class Observer {
public:
    virtual ~Observer() = default;
    virtual void exchange_done(const ExchangeRecord& record) = 0;
    // Does anybody read the URLs of records? To redact one takes time.
    virtual bool wants_urls() const = 0;
    // A tunnel to a host that a caching rule could have matched.
    virtual void tunnel_could_have_been_cached(const std::string& host) = 0;
    virtual void handshake_done(const HandshakeRecord& record) = 0;
    virtual void asked_for_user(Admittance verdict) = 0;
    // Its line was full: answered 429.
    virtual void client_turned_away() = 0;
    virtual void connection_opened() = 0;
    virtual void connection_closed() = 0;
};

// What all loops share, and one loop's view of the settings.
struct Services {
    cache::Cache& cache;
    Executor& pool;       // threads that may wait for the disk
    Executor& resolving;  // and those that wait for name servers
    const Clock& clock;
    const Log& log;
    Observer& observer;
    AccessMemory& access;
    DocumentMemory& documents;
    Shelves& shelves;
    admission::Authenticator& authenticator;
    admission::Buckets& buckets;
    admission::ClientSlots& slots;
    origin::ClientOf client_of;                                 // the origin client of a loop
    std::function<std::shared_ptr<const Settings>()> settings;  // the current snapshot; on the loop
};

class Proxy {
public:
    static std::unique_ptr<Proxy> create(net::Loop& loop, Services& services);
    virtual ~Proxy() = default;
    // Takes over a connection that came in at Settings::listeners[listener]; serves it until it
    // ends.
    virtual void serve(std::unique_ptr<net::Socket> client, std::size_t listener) = 0;
    virtual std::size_t connections() const = 0;
    // Closes up to `most` connections that wait for a request, those first that have waited
    // longest; how many it were. One that has only just begun to wait stays: its request may be on
    // the way.
    virtual std::size_t close_idle(std::size_t most) = 0;
    virtual Task<void> drain(std::chrono::milliseconds deadline) = 0;
};

}  // namespace hawker::proxy
