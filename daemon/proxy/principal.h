// On whose behalf an exchange asks, and whose yes it earns. One place says so for every road.
#pragma once

#include "base/clock.h"
#include "base/digest.h"

#include <string>

namespace hawker::proxy {

struct Context;
class AccessMemory;

struct Principal {
    // Every credential that goes up, in one string that is only ever hashed. Empty: none does, and
    // a yes is one to everybody.
    std::string name;
    // A mirror's own token stands in for the client. Then a yes is for those for whom this token
    // stands in, and for nobody else: other listeners know the same things by the same names.
    bool is_by_mirrors_token = false;
    // At a mirror that knows repositories, everybody's and the mirror's token's: what it was told
    // counts, without an end, when nobody can be asked.
    bool has_standing = false;
};

Principal principal_of(const Context& context);

// The upstream has said yes, or no (401, 403), to it.
void allow(AccessMemory& access, const Principal& principal, const TaskId& matter, WallTime until);
void refuse(AccessMemory& access, const Principal& principal, const TaskId& matter);

}  // namespace hawker::proxy
