// Rows of the option table: the options without a section, and the admin API's.
#pragma once

#include "daemon/listeners_config.h"
#include "daemon/option_checks.h"
#include "daemon/option_table.h"

#include <array>

namespace hawker::daemon {

inline constexpr std::array kServiceOptions = {
    Option{.key = "listen",
           .type = Type::list,
           .unit = "addresses",
           .fallback = "127.0.0.1:65001",
           .reload = Reload::restart,
           .help = "Where clients reach the proxy: 127.0.0.1:65001, [::1]:65001, "
                   "unix:/run/hawker/proxy.sock or systemd:NAME (a socket unit's "
                   "FileDescriptorName). An address that other machines reach is refused unless "
                   "`clients` or a password file says who may use it. `listeners` (docs/"
                   "listeners.md) is the long form, with TLS.",
           .check = check_listener_address},
    Option{.key = "clients",
           .type = Type::list,
           .unit = "address ranges",
           .fallback = "",
           .help = "The networks that may connect from other machines, to every listener that "
                   "names no `clients` of its own: 10.0.0.0/8, fd00::/8. Connections from "
                   "elsewhere are closed at once. Loopback addresses and Unix sockets are not "
                   "concerned.",
           .check = check_cidr},
    Option{.key = "intercept",
           .type = Type::list,
           .unit = "hosts",
           .fallback = "rules",
           .help = "Whose HTTPS is opened, so that it can be cached; `hawker ca init` comes first, "
                   "and clients have to trust what it makes (docs/https.md). `rules` stands for "
                   "the hosts that caching rules name; besides it or instead: git.example, "
                   "*.example for everything below it. Tunnels to all other hosts stay opaque. "
                   "Empty: all of them do.",
           .check = check_intercepted_host},
    Option{.key = "threads",
           .type = Type::number,
           .unit = "threads",
           .fallback = "0",
           .reload = Reload::restart,
           .help = "Event loops, each with a thread of its own. 0: one for every core.",
           .bounds = {.most = 1024}},
    Option{.key = "io_threads",
           .type = Type::number,
           .unit = "threads",
           .fallback = "8",
           .reload = Reload::restart,
           .help = "Threads for what may wait: disk writes, cold reads, hashing, name lookups.",
           .bounds = Bounds{.least = 1, .most = 1024}},
    Option{.key = "drain_timeout",
           .type = Type::duration,
           .fallback = "30s",
           .help = "How long running exchanges may go on after SIGTERM before they are cut."},
    Option{.key = "access_ttl",
           .type = Type::duration,
           .fallback = "1h",
           .help = "With `access: verify`: how long the origin's yes to a principal is remembered "
                   "when its signature names no end of its own. Over restarts too: `access` in the "
                   "cache directory holds keyed hashes of them."},
    Option{.key = "access_entries",
           .type = Type::number,
           .unit = "entries",
           .fallback = "100000",
           .reload = Reload::restart,
           .help = "How many such yeses are remembered; the oldest are forgotten first, which "
                   "costs one question to the origin.",
           .bounds = Bounds{.least = 1, .most = 1e7}},
    Option{.key = "registry_mirror",
           .type = Type::text,
           .unit = "URL",
           .fallback = "",
           .help =
               "Whom requests that name no host are for: https://registry.example. Clients that "
               "take the proxy for a server then reach it: below /v2/ it is a mirror of an OCI "
               "registry, elsewhere the rules decide as for everybody. `mirrors` (docs/mirrors.md) "
               "is the long form, with listeners of its own. Empty: such requests are refused.",
           .check = check_upstream},
    Option{.key = "allow_registry_header",
           .type = Type::list,
           .unit = "hosts or URLs",
           .fallback = "",
           .help = "Registries that requests without a host may name themselves, in "
                   "X-Dragonfly-Registry or, below /v2/, in containerd's `?ns=`: ghcr.io, "
                   "docker.io, https://registry.example:5000. One that is not listed is refused: "
                   "a field that leads anywhere is an open door.",
           .check = check_registry},
    Option{.key = "pseudonym",
           .type = Type::text,
           .fallback = "",
           .reload = Reload::restart,
           .help = "Our name in the Via field, by which loops are found. It must be unique among "
                   "the proxies on a road. Empty: hawker- and eight random digits at every start.",
           .check = check_pseudonym},

    Option{.key = "auth.htpasswd",
           .type = Type::text,
           .fallback = "",
           .help =
               "Who may use the proxy, and with which password: a file of bcrypt hashes, as "
               "`htpasswd -B` writes it. With it every proxy listener asks for a user (mirrors and "
               "the admin API do not), unless its `auth` says otherwise (docs/users.md). Read "
               "again on SIGHUP."},
    Option{.key = "auth.remember",
           .type = Type::duration,
           .fallback = "5m",
           .help = "How long after its last use a password that was right is remembered. bcrypt "
                   "takes time by design, and clients send their password with every request. A "
                   "new line in the file ends it at once."},

    Option{.key = "admin.listen",
           .type = Type::list,
           .unit = "addresses",
           .fallback = "127.0.0.1:65002",
           .reload = Reload::restart,
           .help = "Where the admin API (health, metrics, tasks) listens; addresses as for "
                   "`listen`. Empty: nowhere.",
           .check = check_listener_address},
    Option{.key = "admin.hosts",
           .type = Type::list,
           .unit = "host names",
           .fallback = "",
           .help = "Names under which the admin API may be asked for, besides IP addresses and "
                   "localhost. Requests to other names are refused: they come from a browser that "
                   "a web page has led here."},
};

}  // namespace hawker::daemon
