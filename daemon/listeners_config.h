// Where the daemon listens, as configured: the `listeners:` section of the file, and the short
// options `listen` and `admin.listen` for plain ones. docs/listeners.md is the manual.
//
// Thread: any; pure.
#pragma once

#include "base/error.h"
#include "daemon/net/address.h"
#include "daemon/net/tls.h"
#include "daemon/options.h"
#include "daemon/proxy/proxy.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace YAML {
class Node;
}

namespace hawker::daemon {

enum class Offer : std::uint8_t { proxy, admin, mirror };

struct TlsFiles {
    std::string certificate;
    std::string key;
    std::string client_ca;
    net::ClientCertificates client_certificates = net::ClientCertificates::ignored;
};

struct ListenerSpec {
    std::string where;    // "etc/hawker.yaml:12", "flag --listen"
    std::string address;  // as written: 0.0.0.0:65001, unix:/run/hawker.sock, systemd:proxy
    Offer offer = Offer::proxy;
    std::optional<unsigned> mode;  // of a Unix socket's file
    std::optional<TlsFiles> tls;
    std::vector<net::Cidr> clients;
    bool clients_are_for_all = false;  // they are the option's, for every listener without its own
    std::optional<proxy::ProxyAuthentication> authentication;
    std::uint64_t bandwidth = 0;
    std::shared_ptr<const proxy::Mirror> mirror;  // of Offer::mirror

    // The name of a socket that systemd passes; empty when the daemon opens its own.
    std::string_view passed_name() const;
};

// For another section whose members are listeners: reads one of `mode`, `tls`, `clients` and
// `bandwidth`. False when the key is none of these.
Expected<bool> read_listener_term(ListenerSpec& spec, const YAML::Node& key,
                                  const YAML::Node& value, const std::string& file);
// What all keys say together; the last word on `spec`, of the member `node`.
Expected<void> settle_listener(ListenerSpec& spec, const YAML::Node& node, const std::string& file);

// The section alone. Errc::invalid with file and line.
Expected<std::vector<ListenerSpec>> read_listeners(const YAML::Node& node, const std::string& file);

// All that hold, the proxy's before the admin API's: those of the section, those of the short
// options that somebody has set, and a short option's default where the section offers nothing of
// its kind. What they leave open is filled in from the options. Errc::denied when one of them can
// be reached from elsewhere and nothing says by whom: with the lines that mend it.
Expected<std::vector<ListenerSpec>> resolve_listeners(std::vector<ListenerSpec> section,
                                                      const Options& options);

// What it leaves open is filled in from the options; the same refusals.
Expected<void> complete_listener(ListenerSpec& spec, const Options& options);

// For an address that is known only once it is bound: what it is there, or the same refusal.
Expected<ListenerSpec> at_address(ListenerSpec spec, const net::Address& address);

// "systemd:proxy" too.
Expected<void> check_listener_address(const std::string& text);

}  // namespace hawker::daemon
