#include "daemon/proxy/fair_share.h"

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kComeBack = 5s;

// 0: no limit.
std::size_t most_transfers(const Context& context) {
    const std::size_t of_user = context.user_terms().connections;
    return of_user > 0 ? of_user : context.settings->client_transfers;
}

// The user, where there is one; else the address. An IPv6 client has a whole /64 to choose from.
admission::ClientSlots::Place enter_line(const Context& context, std::size_t most) {
    admission::ClientSlots& slots = context.services.slots;
    const std::size_t line = context.settings->client_queue;
    if (!context.record.user.empty())
        return slots.enter("user " + context.record.user, most, line, context.loop);
    return slots.enter(context.client_name, most, line, context.loop);
}

void add(Context& context, std::string_view of, std::string_view name, std::uint64_t rate) {
    if (rate > 0)
        context.pacer.add(context.services.buckets.get(fmt::format("{} {}", of, name), rate));
}

}  // namespace

Share ask_for_share(Context& context) {
    Share share;
    const std::size_t most = most_transfers(context);
    if (most == 0) {
        share.is_granted = true;
        return share;
    }
    auto place = enter_line(context, most);
    share.is_granted = place.slot.has_value();
    if (place.slot) share.slot.emplace(std::move(*place.slot));
    share.seat = std::move(place.seat);
    return share;
}

Task<void> wait_for_share(Context& context, Share& share) {
    if (share.seat) {
        context.cancel = [seat = share.seat] { seat->leave(); };
        auto slot = co_await share.seat->wait();
        context.cancel = nullptr;
        share.seat = nullptr;
        share.is_granted = slot.has_value();
        if (slot) share.slot.emplace(std::move(*slot));
        co_return;
    }
    context.services.observer.client_turned_away();
    co_await answer(context, 429, "connection_limit_reached",
                    fmt::format("{} transfers of this client are running and {} are waiting: the "
                                "limits are limits.client_transfers and limits.client_queue, or "
                                "`connections` of its user.",
                                most_transfers(context), context.settings->client_queue),
                    kComeBack);
}

void pace(Context& context, const filters::Rule* rule) {
    add(context, "all", "", context.settings->bandwidth);
    add(context, "listener", std::to_string(context.listener_place), context.listener().bandwidth);
    add(context, "user", context.record.user, context.user_terms().bandwidth);
    if (rule) add(context, "rule", rule->name, rule->bandwidth);
    if (context.pacer.is_limited()) context.out.set_pace(&context.pacer);
}

}  // namespace hawker::proxy
