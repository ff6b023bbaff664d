// The admin API: a small HTTP server on a listener of its own. The door for daemon/.
//
//   GET /healthz                     200 "ok", or 503 and a sentence
//   GET /metrics                     Prometheus text format
//   GET /tasks?after=ID&limit=N      {"tasks": [...], "next": ID or null}
//   GET /tasks/ID                    one task
//   DELETE /tasks/ID                 forgets it; only for loopback or Unix peers, and not for a web
//   page
//
// One request per connection. Errors are one plain sentence of text.
//
// Owner:  the server, on its control loop. Backend and Log outlive it.
// Thread: the loop's.
// Stop:   stop() closes the listener and waits for the exchanges under way (their deadlines are
// short).
#pragma once

#include "base/digest.h"
#include "base/log.h"
#include "base/task.h"
#include "cache/cache.h"
#include "daemon/net/address.h"
#include "daemon/net/listener.h"
#include "daemon/net/loop.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hawker::admin {

// What the rest of the daemon answers. Called on the loop; nothing here may block it.
class Backend {
public:
    virtual ~Backend() = default;
    // Empty when all is well, else one sentence.
    virtual std::string ailment() const = 0;
    virtual std::string metrics() = 0;
    // In task ID order.
    virtual Task<std::vector<cache::Entry>> tasks(std::optional<TaskId> after,
                                                  std::size_t most) = 0;
    // False when there was none.
    virtual Task<bool> remove(TaskId task) = 0;
};

// Who may ask, and how.
struct Terms {
    std::shared_ptr<const net::TlsServer> tls;  // null: plaintext
    std::vector<net::Cidr> clients;  // networks that may connect; empty: everybody. Unix sockets:
                                     // whoever the file's mode lets
    // Names under which the API is asked for, besides localhost and IP addresses. A browser that is
    // made to send a request here by a web page (DNS rebinding) names the page's host.
    std::vector<std::string> hosts;
};

class Server {
public:
    // The listener is one of `loop`'s.
    static std::unique_ptr<Server> serve(net::Loop& loop, std::unique_ptr<net::Listener> listener,
                                         Terms terms, Backend& backend, const Log& log);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // For the connections to come.
    void set_terms(Terms terms);
    Task<void> stop();

private:
    struct State;
    explicit Server(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hawker::admin
