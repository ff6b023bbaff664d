// The daemon's listening sockets: who has bound them, what they offer, on which terms.
//
// Owner:   the server.
// Thread:  the control thread's. The sockets themselves go to workers and the admin API, which
//          close them.
// Failure: in words that name the listener's place in the configuration. Errc::denied when a socket
//          that systemd passed can be reached from elsewhere and nothing says by whom.
#pragma once

#include "daemon/admin/server.h"
#include "daemon/listeners_config.h"
#include "daemon/systemd.h"
#include "daemon/worker.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace hawker::daemon {

// Whether the certificates and keys that they name can be used. Errors: Errc::invalid in words.
Expected<void> check_certificates(std::span<const ListenerSpec> specs);

class Listeners {
public:
    // Every worker listens on every address of the proxy's, and the kernel spreads the connections.
    Expected<void> open(std::span<const ListenerSpec> specs,
                        std::span<const std::unique_ptr<Worker>> workers, net::Loop& control);
    // The admin API's, once, in the order of the configuration.
    std::vector<std::unique_ptr<net::Listener>> admin_listeners() {
        return std::move(admin_listeners_);
    }

    // The terms of `specs` hold from now on, certificates included: their files are read again.
    // Listeners that are new or gone count from the next start
    // on: those are named. Errc::invalid when a certificate cannot be read: nothing has changed
    // then.
    Expected<std::vector<std::string>> take_over(std::span<const ListenerSpec> specs);

    // In the order of Settings::listeners.
    std::vector<proxy::ListenerTerms> proxy_terms() const;
    // In the order of admin_listeners(); their `hosts` are somebody else's to fill in.
    std::vector<admin::Terms> admin_terms() const;
    std::vector<net::Address> addresses() const;
    // As the line "listening proxy=... admin=..." has them.
    std::vector<std::string> names(Offer offer) const;

private:
    struct Bound {
        ListenerSpec spec;
        net::Address address;
        std::shared_ptr<const net::TlsServer> tls;

        std::string name() const;
    };
    const Bound* running_as(const ListenerSpec& spec) const;
    using Workers = std::span<const std::unique_ptr<Worker>>;
    Expected<void> open_own(const ListenerSpec& spec, Workers workers, net::Loop& control);
    Expected<void> adopt_passed(const ListenerSpec& spec, Workers workers, net::Loop& control);

    std::vector<systemd::PassedSocket> passed_;  // and not taken yet
    std::vector<Bound> proxies_;
    std::vector<Bound> admins_;
    std::vector<std::unique_ptr<net::Listener>> admin_listeners_;
};

}  // namespace hawker::daemon
