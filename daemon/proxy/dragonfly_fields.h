// X-Dragonfly-*: what clients of a dfdaemon say to it, and hear from it, means the same here
// (docs/from-dragonfly.md). Those that would write files on this machine are ignored. None of them
// travels to an origin, or comes from one.
#pragma once

#include "base/error.h"
#include "daemon/http/message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::proxy {

struct Context;

// Views are of the request's fields.
struct DragonflyFields {
    bool any = false;  // the client knows these fields, and hears back in them
    std::string_view tag, application;
    std::vector<std::string> strip;  // instead of the rule's; empty: as the rule says
    bool use_p2p = false;            // cache it although no rule matches
    std::optional<bool> prefetch;    // beats the rule's
    unsigned priority = 6;           // 1 and 2: only what is here
    std::optional<std::uint64_t> piece_size;
    std::string variant;  // of the task's name: what of these makes another task

    bool takes_only_what_is_here() const { return priority == 1 || priority == 2; }
};

// Errc::invalid names the field and what it may hold.
Expected<DragonflyFields> read_dragonfly_fields(const http::Fields& fields);
bool has_dragonfly_fields(const http::Fields& fields);

// On the way to a client that sent some: the task, whether it was here whole, and of a 416 who is
// to blame.
enum class Download : std::uint8_t { running, finished };
void tell_task(const Context& context, http::Fields& fields, Download download);
// Who is to blame for an error: this proxy's rules (proxy), the origin (backend), or this daemon.
void tell_blame(const Context& context, http::Fields& fields, std::string_view who);
std::string_view blame_for(int status, std::string_view proxy_error);

}  // namespace hawker::proxy
