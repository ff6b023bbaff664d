// Rows of the option table: how origins are reached, and which may be.
#pragma once

#include "daemon/option_checks.h"
#include "daemon/option_table.h"

#include <array>

namespace hawker::daemon {

inline constexpr std::array kOriginOptions = {
    Option{.key = "origin.ca_file",
           .type = Type::text,
           .fallback = "",
           .help = "Certificate authorities for TLS to origins, as a PEM file, in place of the "
                   "system's. Where a company's proxy opens only some TLS, give both: cat "
                   "/etc/ssl/certs/ca-certificates.crt corp.pem > FILE. Empty: those of the "
                   "system."},
    Option{.key = "origin.proxy",
           .type = Type::text,
           .unit = "URL",
           .fallback = "",
           .help = "Another HTTP proxy through which all origins are reached, tunnels included: "
                   "http://proxy.example:3128. It may be a private address: naming it here allows "
                   "it. Credentials are better kept in `origin.proxy_credentials_file` than in "
                   "this URL. Behind a proxy it is the proxy that resolves names: the lists of "
                   "hosts and ports, and addresses that are written out, are still checked here, "
                   "what a name resolves to is not.",
           .check = check_proxy,
           .secret = true},
    Option{.key = "origin.proxy_credentials_file",
           .type = Type::text,
           .fallback = "",
           .help =
               "A file with user:password for `origin.proxy` on its first line. Nobody else may "
               "read it (chmod 600)."},
    Option{.key = "origin.no_proxy",
           .type = Type::list,
           .unit = "hosts and address ranges",
           .fallback = "",
           .help = "Reached without `origin.proxy`, written as in NO_PROXY: corp.example is that "
                   "host and everything below it, 10.0.0.0/8 the addresses that are written out in "
                   "URLs, * everything.",
           .check = check_no_proxy},
    Option{.key = "origin.source_address",
           .type = Type::list,
           .unit = "IP addresses",
           .fallback = "",
           .help = "Our own address on connections to origins: one for IPv4, one for IPv6. When "
                   "only one is given, origins of the other kind are not dialled. Empty: the "
                   "system's choice.",
           .check = check_ip_address},
    Option{.key = "origin.hosts",
           .type = Type::list,
           .unit = "name=address",
           .fallback = "",
           .help = "Addresses of names, instead of what DNS says: git.example=192.0.2.7; the same "
                   "name several times gives it several addresses. `destinations` hold for them "
                   "too. They do not count where an upstream proxy resolves the name.",
           .check = check_host_override},
    Option{.key = "origin.connect_timeout",
           .type = Type::duration,
           .fallback = "10s",
           .help = "How long connecting to an origin may take, name lookup and TLS included."},
    Option{.key = "origin.first_byte_timeout",
           .type = Type::duration,
           .fallback = "60s",
           .help = "How long an origin may think before its answer begins."},
    Option{.key = "origin.stall_timeout",
           .type = Type::duration,
           .fallback = "30s",
           .help = "How long an origin may fall silent in the middle of an answer."},
    Option{.key = "origin.connections_per_host",
           .type = Type::number,
           .unit = "connections",
           .fallback = "128",
           .help =
               "Requests to one origin that run at once, tunnels not counted; further ones wait "
               "in the order they came. Of an object that is fetched in parts only the first "
               "part waits: the others need a place to spare, and a quarter of the places is "
               "never spared for them.",
           .bounds = {1, 10000}},
    Option{.key = "origin.queue_per_host",
           .type = Type::number,
           .unit = "requests",
           .fallback = "1024",
           .help = "How many requests may wait for one origin; one more is answered 503.",
           .bounds = {0, 1e6}},
    Option{.key = "origin.queue_timeout",
           .type = Type::duration,
           .fallback = "30s",
           .help = "How long a request may wait for its place before it is answered 503."},

    Option{.key = "destinations.allow",
           .type = Type::list,
           .unit = "address ranges",
           .fallback = "",
           .help = "Addresses that may be dialled although they are loopback, link-local, private "
                   "or reserved: 10.1.0.0/16, fd00::/8, 127.0.0.1. What counts is the address that "
                   "a name resolves to.",
           .check = check_cidr},
    Option{.key = "destinations.deny",
           .type = Type::list,
           .unit = "address ranges",
           .fallback = "",
           .help = "Addresses that may never be dialled. Wins over `destinations.allow`.",
           .check = check_cidr},
    Option{.key = "destinations.allow_hosts",
           .type = Type::list,
           .unit = "hosts",
           .fallback = "",
           .help = "When not empty, the only hosts that may be reached: git.example, *.example for "
                   "everything below it, 192.0.2.7. It opens no addresses: a host named here that "
                   "resolves to a private address needs `destinations.allow` as well.",
           .check = check_host_pattern},
    Option{.key = "destinations.deny_hosts",
           .type = Type::list,
           .unit = "hosts",
           .fallback = "",
           .help = "Hosts that may never be reached. Wins over `destinations.allow_hosts`.",
           .check = check_host_pattern},
    Option{.key = "destinations.ports",
           .type = Type::list,
           .unit = "ports",
           .fallback = "",
           .help = "Ports that requests and redirects may reach. Empty: any. Tunnels have "
                   "`destinations.connect_ports`.",
           .check = check_port},
    Option{.key = "destinations.connect_ports",
           .type = Type::list,
           .unit = "ports",
           .fallback = "443",
           .help = "Ports that CONNECT may reach.",
           .check = check_port},
};

}  // namespace hawker::daemon
