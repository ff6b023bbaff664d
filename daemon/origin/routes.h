// How each origin is reached: through which upstream proxy, at which addresses, from which of ours,
// and with which certificates. What `origins:` and the `origin.*` options come to.
//
// Thread: immutable; any thread.
#pragma once

#include "base/error.h"
#include "base/host_pattern.h"
#include "daemon/net/address.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::origin {

// Another HTTP proxy, between us and origins. Its credentials are for it alone: they stand in no
// message.
struct UpstreamProxy {
    std::string host;  // an IPv6 literal has its brackets
    std::uint16_t port = 0;
    std::string user;  // empty: it asks for no credentials
    std::string password;

    // "http://host[:port]" with what may stand before the host: "user:password@". Percent-encoding
    // in these two is undone. Errc::invalid in words that never repeat the URL.
    static Expected<UpstreamProxy> parse(std::string_view url);
    // "http://proxy.corp.example:3128": what messages may say.
    std::string name() const;
    // Why there is no way through it, when it answered us with this status: a sentence.
    std::string refusal(int status) const;
    // The value of Proxy-Authorization (RFC 7617), or empty.
    std::string authorization() const;
};
using Via = std::shared_ptr<const UpstreamProxy>;  // null: no proxy

// What holds for one host.
struct Route {
    std::string ca_file;  // empty: the system's store
    bool insecure = false;
    std::string client_certificate;  // PEM files; empty: none
    std::string client_key;
    Via proxy;
    std::vector<std::string> addresses;  // instead of asking DNS; IP literals
    std::vector<net::Address> sources;   // empty: the kernel's choice
};

// One member of `origins:`. What it does not speak of is as for every other host.
struct RouteException {
    std::vector<HostPattern> hosts;
    std::optional<std::string> ca_file;
    bool insecure = false;
    std::string client_certificate;
    std::string client_key;
    std::optional<Via> proxy;  // a null one: reached directly whatever `origin.proxy` says
    std::vector<std::string> connect_to;
    std::vector<net::Address> sources;
};

// Hosts that are reached without the proxy, in the notation of NO_PROXY: "corp.example" and
// ".corp.example" are the host and everything below it, "*.corp.example" only what is below,
// 10.0.0.0/8 and 10.1.2.3 the literals, "*" everything.
class NoProxy {
public:
    // Errc::invalid when the text is none of these.
    Expected<void> add(std::string_view text);
    bool names(std::string_view host) const;

private:
    std::vector<HostPattern> hosts_;
    std::vector<net::Cidr> ranges_;
};

struct RouteOptions {
    std::string ca_file;
    Via proxy;
    NoProxy no_proxy;
    std::vector<net::Address> sources;
    std::map<std::string, std::vector<std::string>, std::less<>> hosts;  // by plain_host()
    std::vector<RouteException> exceptions;  // the first that matches holds
};

class Routes {
public:
    Routes() = default;
    explicit Routes(RouteOptions options) : options_(std::move(options)) {}

    Route find(std::string_view host) const;

private:
    RouteOptions options_;
};

}  // namespace hawker::origin
