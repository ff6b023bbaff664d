// Rows of the option table: our authority, the cache, and what fills it.
#pragma once

#include "daemon/option_checks.h"
#include "daemon/option_table.h"

#include <array>

namespace hawker::daemon {

inline constexpr std::array kCacheOptions = {
    Option{.key = "ca.directory",
           .type = Type::text,
           .fallback = "",
           .help = "Where the certificate authority for intercepted hosts lies (ca.pem, ca.key). "
                   "Empty: $STATE_DIRECTORY/ca (set by systemd), else /var/lib/hawker/ca for root, "
                   "$XDG_STATE_HOME/hawker/ca or ~/.local/state/hawker/ca for everybody else; "
                   "without an authority there nothing is intercepted."},

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
                   "exceeded for a moment. A content under several URLs counts once."},
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
        .fallback = "32KiB",
        .reload = Reload::restart,
        .help = "Objects up to this size live inside the index instead of in a file of their own."},
    Option{.key = "cache.memory",
           .type = Type::size,
           .fallback = "0",
           .reload = Reload::restart,
           .help = "Memory for what is hot: response heads, small bodies, open files. What has no "
                   "room here is served from the disk's page cache. 0: a 32nd of the memory of "
                   "this host, or of what its control group allows; from 128MiB to 1GiB, and no "
                   "more than half of `limits.memory`, as they are at the start."},
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
                   "objects above 2GiB; what is given is held within 4KiB and 1GiB."},
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
};

}  // namespace hawker::daemon
