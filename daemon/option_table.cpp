#include "daemon/option_table.h"

#include "daemon/listeners_config.h"
#include "daemon/option_checks.h"

#include <algorithm>
#include <array>

namespace hawker::daemon {

namespace {

constexpr Bounds kSmall{.least = 1, .most = 1024};
constexpr Bounds kMany{.least = 1, .most = 1e7};

constexpr std::array kTable = {
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
           .bounds = kSmall},
    Option{.key = "drain_timeout",
           .type = Type::duration,
           .fallback = "30s",
           .help = "How long running exchanges may go on after SIGTERM before they are cut."},
    Option{.key = "access_ttl",
           .type = Type::duration,
           .fallback = "1h",
           .help = "With `access: verify`: how long the origin's yes to a principal is remembered "
                   "when its signature names no end of its own."},
    Option{.key = "access_entries",
           .type = Type::number,
           .unit = "entries",
           .fallback = "100000",
           .reload = Reload::restart,
           .help = "How many such yeses are remembered; the oldest are forgotten first, which "
                   "costs one question to the origin.",
           .bounds = kMany},
    Option{.key = "pseudonym",
           .type = Type::text,
           .fallback = "",
           .reload = Reload::restart,
           .help = "Our name in the Via field, by which loops are found. It must be unique among "
                   "the proxies on a road. Empty: hawker- and eight random digits at every start.",
           .check = check_pseudonym},

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

    Option{.key = "cache.directory",
           .type = Type::text,
           .fallback = "",
           .reload = Reload::restart,
           .help = "Where objects are kept; a local file system. Empty: $CACHE_DIRECTORY (set by "
                   "systemd), else $XDG_CACHE_HOME/hawker, else /var/cache/hawker for root and "
                   "~/.cache/hawker for everybody else."},
    Option{.key = "cache.max_size",
           .type = Type::size,
           .fallback = "100GiB",
           .help = "Disk the cache may use. When it would grow past this, objects leave in the "
                   "order of `cache.evict`. Objects being read or filled never leave, so it can be "
                   "exceeded for a moment."},
    Option{.key = "cache.max_used_percent",
           .type = Type::number,
           .unit = "percent",
           .fallback = "0",
           .help = "Objects leave when the file system is fuller than this, whoever filled it. 0: "
                   "no such limit.",
           .bounds = {.most = 100, .whole = false}},
    Option{.key = "cache.min_free",
           .type = Type::size,
           .fallback = "1GiB",
           .help = "Objects leave when the file system has less than this left."},
    Option{
        .key = "cache.low_watermark",
        .type = Type::number,
        .unit = "share",
        .fallback = "0.9",
        .help =
            "Once a limit is crossed, objects leave until the cache is down to this share of it.",
        .bounds = {.least = 0.01, .most = 1, .whole = false}},
    Option{.key = "cache.evict",
           .type = Type::choice,
           .unit = "lru|fifo|large-first",
           .fallback = "lru",
           .help = "Who leaves first: the least recently used, the oldest, or the largest."},
    Option{
        .key = "cache.inline_limit",
        .type = Type::size,
        .fallback = "64KiB",
        .reload = Reload::restart,
        .help = "Objects up to this size live inside the index instead of in a file of their own."},
    Option{.key = "cache.map_size",
           .type = Type::size,
           .fallback = "64GiB",
           .reload = Reload::restart,
           .help = "Address space reserved for the index: the most it can grow to. It is not "
                   "memory and not disk in use."},
    Option{.key = "cache.commit_interval",
           .type = Type::duration,
           .fallback = "200ms",
           .reload = Reload::restart,
           .help = "How long finished pieces may wait to be recorded together. A crash loses at "
                   "most this much of the work."},

    Option{.key = "fetch.piece_size",
           .type = Type::size,
           .fallback = "0",
           .help = "The unit in which objects are indexed and checked. 0: 4MiB, and larger for "
                   "objects above 2GiB."},
    Option{.key = "fetch.connections",
           .type = Type::number,
           .unit = "connections",
           .fallback = "4",
           .help =
               "How many parts of one object are fetched at once, where the origin honours ranges.",
           .bounds = {1, 64}},
    Option{.key = "fetch.attempts",
           .type = Type::number,
           .unit = "attempts",
           .fallback = "5",
           .help = "How often in a row a part is asked for without getting a new byte before the "
                   "fetch fails.",
           .bounds = {1, 100}},
    Option{.key = "fetch.on_abandon",
           .type = Type::text,
           .unit = "finish, stop or finish-if PERCENT",
           .fallback = "finish",
           .help = "What becomes of a fetch whose last client has left: it is finished, stopped, "
                   "or finished if this percentage has arrived (`finish-if 50`). What has arrived "
                   "is kept in any case.",
           .check = check_on_abandon},

    Option{.key = "origin.ca_file",
           .type = Type::text,
           .fallback = "",
           .help = "Certificate authorities for TLS to origins, as a PEM file. Empty: those of the "
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

    Option{.key = "limits.connections",
           .type = Type::number,
           .unit = "connections",
           .fallback = "10000",
           .help = "Clients at once. For one more the connection that has been idle longest is "
                   "closed; when none is idle it is answered 503.",
           .bounds = kMany},
    Option{.key = "limits.memory",
           .type = Type::size,
           .fallback = "2GiB",
           .help = "Memory that the process may hold for its own; measured four times a second. "
                   "Above it idle connections are closed and new ones answered 503 until it is "
                   "below again. Page cache (objects on disk) and the index's map do not count: "
                   "the kernel takes them back when it needs them. 0: no bound."},
    Option{.key = "limits.head_size",
           .type = Type::size,
           .fallback = "64KiB",
           .help = "The largest request head; a larger one is answered 431."},
    Option{.key = "limits.request_line",
           .type = Type::size,
           .fallback = "16KiB",
           .help = "The longest request line; a longer one is answered 414. Signed URLs can be "
                   "several KiB long."},
    Option{.key = "limits.field_size",
           .type = Type::size,
           .fallback = "16KiB",
           .help = "The longest header field; a longer one is answered 431."},
    Option{.key = "limits.field_count",
           .type = Type::number,
           .unit = "fields",
           .fallback = "128",
           .help = "The most header fields in a request; more are answered 431.",
           .bounds = {1, 10000}},

    Option{.key = "timeouts.head",
           .type = Type::duration,
           .fallback = "10s",
           .help = "How long a request head may take, from its first byte."},
    Option{.key = "timeouts.idle",
           .type = Type::duration,
           .fallback = "60s",
           .help = "How long a connection may wait for its next request."},
    Option{.key = "timeouts.write",
           .type = Type::duration,
           .fallback = "60s",
           .help = "How long a client may take no byte of a response."},
    Option{.key = "timeouts.body",
           .type = Type::duration,
           .fallback = "60s",
           .help = "How long a client may send no byte of a request body."},
    Option{.key = "timeouts.tunnel_idle",
           .type = Type::duration,
           .fallback = "10m",
           .help = "How long a tunnel may carry nothing in either direction."},

    Option{.key = "log.level",
           .type = Type::choice,
           .unit = "debug|info|warn|error|off",
           .fallback = "info",
           .help = "The least important lines that are written."},
    Option{.key = "log.format",
           .type = Type::choice,
           .unit = "text|json",
           .fallback = "text",
           .reload = Reload::restart,
           .help = "Lines for people, or one JSON object a line."},
    Option{.key = "log.file",
           .type = Type::text,
           .fallback = "",
           .reload = Reload::restart,
           .help = "Where lines go; opened again on SIGHUP. Empty: standard error."},
    Option{.key = "log.access",
           .type = Type::flag,
           .fallback = "on",
           .help = "One line for every exchange, at level info: task, rule, status, bytes, "
                   "milliseconds, source, and the URL without its secrets."},
};

}  // namespace

std::span<const Option> option_table() { return kTable; }

const Option* find_option(std::string_view key) {
    const auto* const found = std::ranges::find(kTable, key, &Option::key);
    return found == kTable.end() ? nullptr : &*found;
}

}  // namespace hawker::daemon
