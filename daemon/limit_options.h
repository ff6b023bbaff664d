// Rows of the option table: limits, timeouts and the log.
#pragma once

#include "daemon/option_checks.h"
#include "daemon/option_table.h"

#include <array>

namespace hawker::daemon {

inline constexpr std::array kLimitOptions = {
    Option{.key = "limits.connections",
           .type = Type::number,
           .unit = "connections",
           .fallback = "10000",
           .help = "Clients at once. For one more the connection that has been idle longest is "
                   "closed; when none is idle it is answered 503.",
           .bounds = Bounds{.least = 1, .most = 1e7}},
    Option{.key = "limits.memory",
           .type = Type::size,
           .fallback = "2GiB",
           .help = "Memory that the process may hold for its own; measured four times a second. "
                   "Above it idle connections are closed and new ones answered 503 until it is "
                   "below again. Page cache (objects on disk) and the index's map do not count: "
                   "the kernel takes them back when it needs them. 0: no bound."},
    Option{.key = "limits.client_transfers",
           .type = Type::number,
           .unit = "transfers",
           .fallback = "2000",
           .help = "Requests and tunnels of one client that run at once; further ones wait in the "
                   "order they came. A client is a user, or else an address (of IPv6, a /64). A "
                   "user's `connections` goes first. 0: no limit.",
           .bounds = {0, 1e6}},
    Option{.key = "limits.client_queue",
           .type = Type::number,
           .unit = "requests",
           .fallback = "2000",
           .help = "How many requests of one client may wait for their turn; one more is answered "
                   "429.",
           .bounds = {0, 1e6}},
    Option{.key = "limits.bandwidth",
           .type = Type::size,
           .fallback = "0",
           .help = "Bytes a second to all clients together: 100MiB. Listeners, rules and users can "
                   "have limits of their own (docs/limits.md). 0: no limit."},
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
    Option{.key = "timeouts.handshake",
           .type = Type::duration,
           .fallback = "10s",
           .help = "How long a TLS handshake with a client may take."},
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

}  // namespace hawker::daemon
