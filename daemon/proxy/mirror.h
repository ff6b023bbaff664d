// A mirror: a listener whose clients take it for the origin. What they ask for goes to the first of
// its upstreams that is in good health, and down the same roads as every other request.
//
// Kinds of mirrors differ in a MirrorKind: which URL, which task and whose right a request comes
// to, and what is rewritten on the way up and down. mirror_traits.cpp and mirror_kinds.cpp have
// the tables of them.
#pragma once

#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/host_pattern.h"
#include "base/task.h"
#include "daemon/http/message.h"
#include "daemon/net/address.h"
#include "daemon/origin/landings.h"
#include "daemon/origin/upstreams.h"
#include "daemon/proxy/listed_files.h"
#include "filters/rule.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::proxy {

struct Context;
struct Mirror;

// Thread: immutable; any.
class MirrorKind {
public:
    virtual ~MirrorKind() = default;
    // One request in origin-form (or in absolute-form: a mirror owns every name it is called by),
    // until its response has ended.
    virtual Task<void> serve(Context& context, const Mirror& mirror) const = 0;
};

// As configured. Immutable but for the health of its upstreams.
struct Mirror {
    std::string name;  // of the kind, for log lines
    std::shared_ptr<const MirrorKind> kind;
    std::vector<std::string> upstreams;  // "https://huggingface.co": without a slash at the end
    std::shared_ptr<origin::Upstreams> health;
    // Of redirects that are followed here, for whom they were given.
    std::shared_ptr<origin::Landings> landings = std::make_shared<origin::Landings>();
    std::shared_ptr<ListedFiles> listed_files = std::make_shared<ListedFiles>();
    std::string token;  // for clients that bring none; empty: none
    filters::Access access = filters::Access::verify;
    bool offline = false;
    std::chrono::milliseconds ref_ttl{60'000};
    std::chrono::milliseconds patience = origin::Upstreams::kPatience;
    std::vector<net::Cidr> offline_access;
    bool serves_xet = false;                    // instead of taking out what leads to it
    std::vector<HostPattern> xet_servers;       // whom it speaks to then
    std::vector<std::string> namespaces;        // registries besides its own that it answers for
    std::shared_ptr<const filters::Rule> rule;  // what holds for its own tasks
};

// What is known of a thing that is here: its stored fields, and since when it is.
struct Kept {
    const http::Fields& fields;
    WallTime received;
};

// What a mirror changes about one exchange. Lives as long as the exchange.
struct MirrorTurn {
    std::vector<std::string> urls;  // of this request, at each upstream
    std::shared_ptr<origin::Upstreams> upstreams;
    std::string own_base;      // what the client calls us: "http://mirror.example:8090"
    std::string token;         // the mirror's own, if it may stand in for this client
    bool asks_nobody = false;  // offline
    // The head of an answer on its way to the client, before hop-by-hop fields are taken away.
    std::function<void(http::ResponseHead&)> down = {};
    // The fields of a request on its way up.
    std::function<void(http::Fields&)> up = {};

    // For kinds whose every redirect is followed here: what the last answer takes over from those
    // before it (origin::SourceOptions::join). HEAD and conditional requests are then answered from
    // the thing itself, which they begin to fetch; nothing is passed on unread.
    std::function<bool(std::span<const http::ResponseHead>, http::ResponseHead&)> join = {};
    std::function<origin::LandingPtr()> recall_landing = {};
    std::function<void(origin::LandingPtr)> keep_landing = {};
    // Whose yes counts for this task: a whole repository's. A yes to somebody without credentials
    // is a yes to all. nullopt: the task's own.
    std::optional<TaskId> access = {};
    // Told that the upstream has said whether this client may read; on any thread, perhaps again.
    std::function<void()> heard = {};
    // May the client read what is here, although the upstream cannot be asked?
    std::function<bool(const Kept&)> may_unasked = {};
    // An answer of our own in the words of the kind's clients, as JSON. Empty: the sentence is it.
    std::string (*error_body)(int status, std::string_view sentence) = nullptr;
    std::string warning = {};  // a Warning field's value; empty: none
    std::string wanted = {};   // what the client asks for, in a sentence
};

// Of the mirror's own token: the session that an upstream begins with it is no client's.
void hide_session(const MirrorTurn& turn, http::ResponseHead& head);
// That, and what the kind rewrites on the way down.
void turn_to_client(const MirrorTurn& turn, http::ResponseHead& head);

// A turn with `target` (path and query) at every upstream.
MirrorTurn turn_of(const Context& context, const Mirror& mirror, std::string_view target);

// Path and query of the request: of an absolute-form target too. "/" for `*`.
std::string_view target_of(const http::RequestHead& request);

// Why there is no answer where nobody may be asked.
std::string not_here(std::string_view wanted);

// `text` with the name of one of the upstreams in front replaced by `own_base`; nullopt when it
// has none of them there.
std::optional<std::string> in_our_name(std::string_view text, const Mirror& mirror,
                                       std::string_view own_base);

// The same for Location and Content-Location.
void locations_in_our_name(http::ResponseHead& head, const Mirror& mirror,
                           std::string_view own_base);

// What the configuration must know of a kind.
struct MirrorTraits {
    std::string_view name;
    // It can tell a repository, its references and who may read it: `access`, `ref_ttl` and
    // `offline_access` have a meaning.
    bool knows_repositories = false;
    std::string_view usual_upstream;  // where the configuration names none; empty: it must
    bool speaks_xet = false;          // `xet` and `xet_hosts` have a meaning
    bool has_namespaces = false;      // `namespaces` has
};
std::span<const MirrorTraits> kinds_of_mirrors();
// Of that kind; empty where it has none.
std::string_view usual_upstream(std::string_view kind);

// The kind of that name: one of kinds_of_mirrors().
std::shared_ptr<const MirrorKind> mirror_kind(std::string_view name);

// The road of every request at a mirror's listener.
Task<void> serve_mirror(Context& context, const Mirror& mirror);

}  // namespace hawker::proxy
