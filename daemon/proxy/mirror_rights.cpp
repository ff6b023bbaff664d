#include "daemon/proxy/mirror_rights.h"

#include "daemon/proxy/exchange.h"
#include "daemon/proxy/mirror.h"
#include "daemon/proxy/principal.h"

#include <algorithm>

#include <fmt/format.h>

namespace hawker::proxy {

using Standing = AccessMemory::Standing;
using Word = Standing::Word;

namespace {

constexpr std::string_view kEverybody = "everybody";
constexpr std::string_view kWhoAsked = "asked";

}  // namespace

std::string MirrorRights::principal() const { return principal_of(context_).name; }

bool MirrorRights::is_allowed(const TaskId& matter) const {
    const bool needs_none =
        mirror_.access == filters::Access::shared && context_.user_terms().shared;
    const AccessMemory& access = context_.services.access;
    return needs_none || access.is_allowed(principal(), matter) || access.is_allowed({}, matter);
}

void MirrorRights::allow(const TaskId& matter) { yes_to({matter})(); }

std::function<void()> MirrorRights::yes_to(std::vector<TaskId> matters) const {
    return [&access = context_.services.access, principal = principal_of(context_),
            matters = std::move(matters),
            until = context_.services.clock.wall() + context_.settings->access_ttl] {
        for (const TaskId& matter : matters) proxy::allow(access, principal, matter, until);
    };
}

void MirrorRights::refuse(const TaskId& matter) {
    proxy::refuse(context_.services.access, principal_of(context_), matter);
}

void MirrorRights::hear_of_everybody(const TaskId& matter, Word said) {
    AccessMemory& access = context_.services.access;
    if (said != Word::open) access.forget({}, matter);
    if (access.standing({}, matter).word == Word::refused) return;
    access.hear({}, matter, said);
    if (said == Word::open)
        access.allow({}, matter, context_.services.clock.wall() + context_.settings->access_ttl);
}

bool MirrorRights::stands_open(const Principal& who, const TaskId& matter, const Kept& kept,
                               const std::optional<TaskId>& within) const {
    const AccessMemory& access = context_.services.access;
    const Word around = within ? access.standing(who.name, *within).word : Word::none;
    const Standing now = access.standing(who.name, matter);
    for (const Word word : {around, now.word})
        if (word == Word::refused || word == Word::hidden) return false;
    if (kept.fields.get(kAudience) == audience_of(who)) return true;
    // What others have brought since the last yes may be of another time than that.
    return now.word == Word::open &&
           now.heard >= std::chrono::floor<std::chrono::seconds>(kept.received);
}

bool MirrorRights::may_unasked(const TaskId& matter, const Kept& kept,
                               std::optional<TaskId> within) const {
    const Principal who = principal_of(context_);
    const Principal everybody;
    if (stands_open(everybody, matter, kept, within)) return true;
    if (who.is_by_mirrors_token && stands_open(who, matter, kept, within)) return true;
    const net::Address& client = context_.client.peer();
    return std::ranges::any_of(mirror_.offline_access, [&client](const net::Cidr& network) {
        return network.contains(client);
    });
}

std::string MirrorRights::audience(const TaskId& matter) const {
    const Standing everybodys = context_.services.access.standing({}, matter);
    const auto age = context_.services.clock.wall() - everybodys.heard;
    const bool is_open = everybodys.word == Word::open &&
                         age < std::max(context_.settings->access_ttl, mirror_.ref_ttl);
    return is_open ? std::string(kEverybody) : audience_of(principal_of(context_));
}

// By a hash where it is a mirror's token: this stands beside the bytes, and another mirror may
// have another token.
std::string MirrorRights::audience_of(const Principal& who) const {
    if (who.is_by_mirrors_token)
        return fmt::format("mirrors-token {}",
                           context_.services.access.key_of(who.name, TaskId()).hex());
    return std::string(who.name.empty() ? kEverybody : kWhoAsked);
}

}  // namespace hawker::proxy
