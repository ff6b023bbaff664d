// Which CONNECT tunnels are opened, and what their clients are shown.
//
// Thread:  any. Immutable but for its leaves, a bounded memory behind a lock of its own.
#pragma once

#include "base/host_pattern.h"
#include "certificates/leaf_store.h"
#include "daemon/http/message.h"
#include "daemon/net/tls.h"
#include "filters/rule_set.h"

#include <memory>
#include <string>
#include <vector>

namespace hawker::proxy {

// `intercept:` as it was configured.
struct InterceptedHosts {
    std::vector<HostPattern> patterns;
    bool of_rules = true;  // besides them: every host that a caching rule names
};

class Interception {
public:
    // `leaves` and `server` are shared by one configuration and the next.
    Interception(InterceptedHosts hosts, std::shared_ptr<const filters::RuleSet> rules,
                 std::shared_ptr<certificates::LeafStore> leaves,
                 std::shared_ptr<const net::TlsServer> server);

    // Is a tunnel to this host (as CONNECT names it) to be opened? Not when our authority's name
    // constraints forbid it to vouch for the host: its clients would refuse what they are shown.
    bool wants(std::string_view host) const;

    certificates::LeafStore& leaves() const { return *leaves_; }
    const std::shared_ptr<const net::TlsServer>& server() const { return server_; }

private:
    const InterceptedHosts hosts_;
    const std::shared_ptr<const filters::RuleSet> rules_;
    const std::shared_ptr<certificates::LeafStore> leaves_;
    const std::shared_ptr<const net::TlsServer> server_;
};

// The request target of an intercepted tunnel, seen from outside.
struct Intercepted {
    std::string host;  // as CONNECT named it
    std::uint16_t port = 443;
    std::string user = {};  // who asked for it, if that was asked
};

// The absolute URL of a request that came through the tunnel, byte for byte what its client meant.
// Errc::refused when it is for another host or port than the tunnel (421, RFC 9110 section
// 15.5.20); Errc::invalid for CONNECT, and for a target that is no path.
// In `room`, where it is not the target itself.
Expected<std::string_view> url_inside(const Intercepted& tunnel, const http::RequestHead& request,
                                      std::string& room);

}  // namespace hawker::proxy
