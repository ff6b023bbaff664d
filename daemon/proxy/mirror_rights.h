// Who may read what a mirror keeps, and for whom it was open when it was fetched.
//
// Owner:  one exchange. Thread: the loop's.
#pragma once

#include "base/digest.h"
#include "daemon/http/message.h"
#include "daemon/proxy/access_memory.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::proxy {

struct Context;
struct Kept;
struct Mirror;
struct Principal;

class MirrorRights {
public:
    // A stored field that never leaves: for whom the thing was open when it was fetched.
    static constexpr std::string_view kAudience = "X-Hawker-Audience";

    // Both outlive it.
    MirrorRights(Context& context, const Mirror& mirror) : context_(context), mirror_(mirror) {}

    std::string principal() const;
    // Is a yes for `matter` remembered: this client's, or everybody's?
    bool is_allowed(const TaskId& matter) const;
    void allow(const TaskId& matter);
    // The same, of all of them, when it is called: on any thread, as long as the services live.
    std::function<void()> yes_to(std::vector<TaskId> matters) const;
    void refuse(const TaskId& matter);
    // What the upstream says of everybody's right, whomever it says it to: `open` is a yes to all.
    // A no that somebody without credentials was told stands until such a one is told yes.
    void hear_of_everybody(const TaskId& matter, AccessMemory::Standing::Word said);

    // The upstream cannot be asked. Whom it let in last, everybody or the mirror's token; where
    // nothing is known of that, as it was when this was fetched; and those whom the configuration
    // names. A no for `within` is one for `matter`.
    bool may_unasked(const TaskId& matter, const Kept& kept,
                     std::optional<TaskId> within = std::nullopt) const;
    // The value of kAudience for what is fetched now.
    std::string audience(const TaskId& matter) const;

private:
    bool stands_open(const Principal& who, const TaskId& matter, const Kept& kept,
                     const std::optional<TaskId>& within) const;
    std::string audience_of(const Principal& who) const;

    Context& context_;
    const Mirror& mirror_;
};

}  // namespace hawker::proxy
