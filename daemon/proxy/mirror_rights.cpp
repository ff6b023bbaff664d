#include "daemon/proxy/mirror_rights.h"

#include "daemon/proxy/exchange.h"
#include "daemon/proxy/mirror.h"

#include <algorithm>

namespace hawker::proxy {

namespace {

constexpr std::string_view kEverybody = "everybody";
constexpr std::string_view kMirrorsOwn = "mirrors-own";  // by the mirror's token
constexpr std::string_view kWhoAsked = "asked";

}  // namespace

std::string MirrorRights::principal() const { return principal_of(context_.request, {}); }

bool MirrorRights::is_allowed(const TaskId& matter) const {
    const bool needs_none =
        mirror_.access == filters::Access::shared && context_.user_terms().shared;
    const AccessMemory& access = context_.services.access;
    return needs_none || access.is_allowed(principal(), matter) || access.is_allowed({}, matter);
}

void MirrorRights::allow(const TaskId& matter) {
    context_.services.access.allow(principal(), matter,
                                   context_.services.clock.wall() + context_.settings->access_ttl);
}

void MirrorRights::forget(const TaskId& matter) {
    context_.services.access.forget(principal(), matter);
}

bool MirrorRights::may_unasked(const http::Fields& stored) const {
    const auto audience_then = stored.get(kAudience);
    if (audience_then == kEverybody) return true;
    const bool is_anonymous = principal().empty();
    if (audience_then == kMirrorsOwn && is_anonymous && !mirror_.token.empty()) return true;
    const net::Address& client = context_.client.peer();
    return std::ranges::any_of(mirror_.offline_access, [&client](const net::Cidr& network) {
        return network.contains(client);
    });
}

std::string_view MirrorRights::audience() const {
    if (!principal().empty()) return kWhoAsked;
    return turn_.token.empty() ? kEverybody : kMirrorsOwn;
}

}  // namespace hawker::proxy
