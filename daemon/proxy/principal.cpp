#include "daemon/proxy/principal.h"

#include "daemon/proxy/exchange.h"
#include "daemon/proxy/mirror.h"

#include <fmt/format.h>

namespace hawker::proxy {

Principal principal_of(const Context& context) {
    Principal principal;
    principal.name = principal_of(context.request, context.decision);
    principal.is_by_mirrors_token = context.mirror && !context.mirror->token.empty();
    const bool knows_repositories = context.mirror && context.mirror->may_unasked;
    principal.has_standing =
        knows_repositories && (principal.is_by_mirrors_token || principal.name.empty());
    if (!principal.is_by_mirrors_token) return principal;
    const std::string& token = context.mirror->token;
    principal.name = fmt::format("a mirror's token:{}:{}{}", token.size(), token, principal.name);
    return principal;
}

void allow(AccessMemory& access, const Principal& principal, const TaskId& matter, WallTime until) {
    access.allow(principal.name, matter, until);
    if (principal.has_standing)
        access.hear(principal.name, matter, AccessMemory::Standing::Word::open);
}

void refuse(AccessMemory& access, const Principal& principal, const TaskId& matter) {
    access.forget(principal.name, matter);
    if (principal.has_standing)
        access.hear(principal.name, matter, AccessMemory::Standing::Word::refused);
}

}  // namespace hawker::proxy
