// Who may read what a mirror keeps, and for whom it was open when it was fetched.
//
// Owner:  one exchange. Thread: the loop's.
#pragma once

#include "base/digest.h"
#include "daemon/http/message.h"

#include <string>
#include <string_view>

namespace hawker::proxy {

struct Context;
struct Mirror;
struct MirrorTurn;

class MirrorRights {
public:
    // A stored field that never leaves: for whom the thing was open when it was fetched.
    static constexpr std::string_view kAudience = "X-Hawker-Audience";

    // All three outlive it.
    MirrorRights(Context& context, const Mirror& mirror, const MirrorTurn& turn)
        : context_(context), mirror_(mirror), turn_(turn) {}

    std::string principal() const;
    // Is a yes for `matter` remembered: this client's, or everybody's?
    bool is_allowed(const TaskId& matter) const;
    void allow(const TaskId& matter);
    void forget(const TaskId& matter);
    // The upstream cannot be asked; `stored` are the fields of what is here. As it was when it was
    // fetched; and those whom the configuration names.
    bool may_unasked(const http::Fields& stored) const;
    // The value of kAudience for what is fetched now.
    std::string_view audience() const;

private:
    Context& context_;
    const Mirror& mirror_;
    const MirrorTurn& turn_;
};

}  // namespace hawker::proxy
