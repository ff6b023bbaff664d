// The third step of the cached road where the origin cannot be asked: what is given all the same.
#include "daemon/proxy/cached_road.h"

#include <fmt/format.h>

namespace hawker::proxy {

std::string CachedRoad::cure_for_unverified() const {
    if (context_.mirror && context_.mirror->may_unasked)
        return "add this client's network to 'offline_access' of this mirror";
    return fmt::format("set 'on_unverifiable: serve' in rule '{}'", rule_.name);
}

bool CachedRoad::may_unverified(const cache::Representation& representation) const {
    if (rule_.on_unverifiable == filters::OnUnverifiable::serve) return true;
    if (!context_.mirror || !context_.mirror->may_unasked) return false;
    const auto head = prepared_head(representation);
    return head && context_.mirror->may_unasked({.fields = (*head)->stored.head.fields,
                                                 .received = (*head)->stored.received});
}

bool CachedRoad::is_nobody_well() const {
    const bool knows = context_.mirror && context_.mirror->upstreams;
    return knows && !context_.mirror->upstreams->is_any_well(context_.services.clock.now());
}

Task<CachedRoad::Permit> CachedRoad::go_unverified(const Error& why,
                                                   const cache::Representation& representation) {
    (void)source_.take_declined();
    if (may_unverified(representation)) {
        unverified_ = why;
        co_return Permit::granted;
    }
    Error error = why;
    if (context_.mirror && context_.mirror->may_unasked) error.code = Errc::denied;
    error.what = fmt::format(
        "Try again later, or {}: this is cached, but the origin could not be asked whether you may "
        "read it ({}).",
        cure_for_unverified(), why.what);
    co_await answer(context_, error);
    co_return Permit::answered;
}

}  // namespace hawker::proxy
