// kind: registry. OCI registries: manifests are documents, checked against their digest; blobs are
// the cached road with every redirect followed, one copy whichever repository they are asked for
// in; everything else is passed on.
#include "daemon/http/caching.h"
#include "daemon/hub/answers.h"
#include "daemon/proxy/fair_share.h"
#include "daemon/proxy/forwarding.h"
#include "daemon/proxy/mirror_kinds.h"
#include "daemon/proxy/pass_through.h"
#include "daemon/proxy/permission.h"
#include "daemon/proxy/registry_exchange.h"
#include "daemon/registry/manifest.h"
#include "daemon/registry/namespaces.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

constexpr std::string_view kApiVersion = "Docker-Distribution-Api-Version";

// Of a manifest or a listing: what is kept, and said to whoever reads it later.
constexpr std::array<std::string_view, 7> kRegistryFields = {
    "Content-Type", "Docker-Content-Digest", kApiVersion,  "ETag",
    "Link",         "OCI-Filters-Applied",   "OCI-Subject"};

class RegistryMirror final : public MirrorKind {
public:
    Task<void> serve(Context& context, const Mirror& mirror) const override {
        const registry::Asked asked = registry::take_namespace(target_of(context.request));
        if (asked.ns && !answers_for(mirror, *asked.ns)) {
            co_await answer(context, 404, "http_request_denied",
                            fmt::format("Add '{}' to 'namespaces' of this mirror if it answers for "
                                        "that registry's images: it is a mirror of {}.",
                                        *asked.ns, mirror.upstreams.front()));
            co_return;
        }
        RegistryExchange exchange(context, mirror, asked.target);
        co_await exchange.run();
    }
};

}  // namespace

std::shared_ptr<const MirrorKind> registry_mirror() {
    return std::make_shared<const RegistryMirror>();
}

bool answers_for(const Mirror& mirror, std::string_view ns) {
    const auto is_its_name = [ns](const std::string& name) {
        return registry::registry_host(name) == registry::registry_host(ns);
    };
    const auto is_its_host = [ns](const std::string& upstream) {
        return registry::is_namespace_of(ns, upstream);
    };
    return std::ranges::any_of(mirror.namespaces, is_its_name) ||
           std::ranges::any_of(mirror.upstreams, is_its_host);
}

RegistryExchange::RegistryExchange(Context& context, const Mirror& mirror,
                                   const std::string& target)
    : context_(context),
      mirror_(mirror),
      target_(target),
      route_(registry::route_of(target)),
      turn_(turn_of(context, mirror, target)),
      rights_(context, mirror),
      documents_(context, mirror, turn_) {
    turn_.down = [this](http::ResponseHead& head) {
        locations_in_our_name(head, mirror_, turn_.own_base);
        if (head.fields.has("Link"))
            head.fields.set("Link", hub::links_in_our_name(head.fields.joined("Link"),
                                                           mirror_.upstreams, turn_.own_base));
    };
    turn_.error_body = registry::error_document;
    turn_.up = [](http::Fields& fields) { fields.remove("Cookie"); };
    // Of blobs. Who is not shown the manifests is not shown what they name.
    turn_.may_unasked = [this](const Kept& kept) { return may_blob_unasked(kept); };
    context.mirror = &turn_;
    context.decision.rule = mirror.rule;
    context.record.rule = mirror.rule->name;
    context.record.url = filters::loggable_url(turn_.urls.front());
}

Task<void> RegistryExchange::run() {
    pace(context_, mirror_.rule.get());
    const bool asks = is_read(context_.request) && context_.body.is_empty();
    switch (asks ? route_.subject : registry::Subject::other) {
        case registry::Subject::base:
            co_await serve_base();
            co_return;
        case registry::Subject::manifest:
            co_await serve_manifest();
            co_return;
        case registry::Subject::blob:
            co_await serve_blob();
            co_return;
        case registry::Subject::other:
            co_await serve_other();
            co_return;
        default:
            co_await serve_listing();
            co_return;
    }
}

TaskId RegistryExchange::named(std::string_view what, std::string_view which) const {
    return filters::task_id_of(fmt::format("registry {}", what),
                               fmt::format("{} {}", mirror_.upstreams.front(), route_.name),
                               std::string(which));
}

// Anonymous clients read what is open to all; who the others are the registry asks itself.
Task<void> RegistryExchange::serve_base() {
    const TaskId id = named("base", {});
    DocumentQuestion question;
    question.target = target_;
    question.accepted = "*/*";
    question.otherwise = origin::Otherwise::something;  // base_unasked()
    Reply reply(fail(Errc::unavailable, "No upstream of this mirror can be asked now."));
    if (!turn_.asks_nobody) {
        auto asked = co_await documents_.ask_upstreams(question);
        reply = std::move(asked);
    }
    Told told;
    if (reply.document && (*reply.document)->head.status < 500) {
        told.document = *reply.document;
        told.how = Told::How::asked;
        if (rights_.principal().empty()) context_.services.documents.put(id, told.document);
    } else if (!reply.document && reply.document.error().code == Errc::cancelled) {
        co_await answer(context_, reply.document.error());
        co_return;
    } else {
        told = base_unasked(context_.services.documents.find(id));
    }
    co_await send(told);
}

// A challenge that needs nobody else's word goes on; a token server is not asked for a registry
// that is down.
Told RegistryExchange::base_unasked(const DocumentPtr& last) const {
    Told told;
    told.how = Told::How::stale;
    told.document = last;
    const bool asks_again =
        last && registry::asks_for_basic(last->head) && rights_.principal().empty();
    if (asks_again) return told;
    auto open = std::make_shared<Document>();
    open->head.status = 200;
    open->head.reason = http::reason_phrase(200);
    open->head.fields.add("Content-Type", "application/json");
    open->head.fields.add(kApiVersion, "registry/2.0");
    open->body = "{}";
    told.document = std::move(open);
    return told;
}

DocumentTerms RegistryExchange::terms(const TaskId& matter) const {
    DocumentTerms terms;
    terms.matter = matter;
    terms.kept_fields = kRegistryFields;
    terms.upstream = "the registry";
    return terms;
}

// What was pushed or deleted through us since is part of a name: nothing older is found under it.
std::string RegistryExchange::last_change() const {
    const DocumentPtr change = context_.services.documents.find(named("change", {}));
    return change ? fmt::format("\n{}", change->received.time_since_epoch().count())
                  : std::string();
}

TaskId RegistryExchange::manifest_id(const Digest& digest) const {
    return named("manifest", digest.hex() + last_change());
}

Task<void> RegistryExchange::serve_manifest() {
    DocumentQuestion question;
    question.target = target_;
    const std::string accepted = registry::accepted_types(context_.request.fields);
    question.accepted = accepted.empty() ? "*/*" : context_.request.fields.joined("Accept");
    question.abroad = Abroad::followed;
    question.check = [wanted = route_.digest](Document& said) {
        return registry::check_manifest(said.head, said.body, wanted);
    };
    question.is_still = [](const http::ResponseHead& now, const Document& held) {
        const auto digest = registry::digest_in(now);
        return now.status == 200 && digest && digest == registry::digest_in(held.head);
    };
    if (route_.digest) {
        question.id = manifest_id(*route_.digest);
    } else {
        question.ttl = mirror_.ref_ttl;
        question.id =
            named("tag", fmt::format("{}\n{}{}", route_.reference, accepted, last_change()));
    }
    const TaskId id = question.id;
    auto told = co_await documents_.tell(std::move(question), terms(pulls()));
    if (!told) co_return;
    const bool is_news = told->how == Told::How::asked && told->document->head.status == 200;
    if (is_news && !route_.digest) co_await keep_by_digest(id);
    co_await send(*told);
}

// What a tag is now will be asked for by its digest next.
Task<void> RegistryExchange::keep_by_digest(TaskId tag) {
    const DocumentPtr kept = context_.services.documents.find(tag);
    const auto digest = kept ? registry::digest_in(kept->head) : std::nullopt;
    if (digest) co_await keep_document(context_, manifest_id(*digest), kept);
}

Task<void> RegistryExchange::serve_listing() {
    DocumentQuestion question;
    question.target = target_;
    question.accepted = context_.request.fields.get("Accept").value_or("application/json");
    question.ttl = mirror_.ref_ttl;
    std::string which = target_ + last_change();
    // Of registries that show each reader their own.
    if (route_.subject == registry::Subject::catalog)
        which += context_.services.access.key_of(rights_.principal(), pulls()).hex();
    question.id = named("listing", which);
    question.check = [](Document& said) { return registry::check_listing(said.head, said.body); };
    const DocumentTerms listing_terms = terms(named("listings", {}));
    auto told = co_await documents_.tell(std::move(question), listing_terms);
    if (told) co_await send(*told);
}

Task<void> RegistryExchange::send(const Told& told) {
    http::ResponseHead head = told.document->head;
    head.fields.remove("Set-Cookie");  // for who asked first
    turn_.down(head);
    co_await documents_.send(told, terms(pulls()), std::move(head), told.document->body);
}

// A yes for the repository is one for what is known to be in it, and for no other blob: somebody
// else's may be here too.
TaskId RegistryExchange::right_to_blob() const {
    const bool is_in_it = context_.services.access.is_allowed({}, membership());
    return is_in_it ? pulls() : named("blob", route_.reference);
}

// For whom it was open when it came holds for the repositories that it is known to be in: under
// another name it opens nothing.
bool RegistryExchange::may_blob_unasked(const Kept& kept) const {
    constexpr auto kOpen = AccessMemory::Standing::Word::open;
    const AccessMemory& access = context_.services.access;
    const TaskId here = named("blob", route_.reference);
    const bool is_in_it = access.is_allowed({}, membership()) ||
                          access.standing({}, here).word == kOpen ||
                          access.standing(rights_.principal(), here).word == kOpen;
    const http::Fields nothing;
    const Kept of_nobody{.fields = nothing, .received = kept.received};
    return rights_.may_unasked(*turn_.access, is_in_it ? kept : of_nobody, pulls());
}

void RegistryExchange::prepare_blob() {
    turn_.access = right_to_blob();
    // The registry's yes counts once: later answers may be its store's, which asks nobody.
    const auto is_first = std::make_shared<std::atomic<bool>>(true);
    const auto allow = [&access = context_.services.access,
                        yes = rights_.yes_to({pulls(), *turn_.access}), membership = membership(),
                        until = context_.services.clock.wall() + context_.settings->access_ttl,
                        is_first] {
        if (!is_first->exchange(false)) return;
        yes();
        access.allow({}, membership, until);
    };
    turn_.join = [digest = *route_.digest, audience = rights_.audience(*turn_.access), allow](
                     std::span<const http::ResponseHead>, http::ResponseHead& last) {
        registry::make_blob_head(last, digest);
        last.fields.set(MirrorRights::kAudience, audience);
        allow();
        return true;
    };
    filters::Decision& decision = context_.decision;
    decision.road = filters::Road::cache;
    decision.canonical_url = fmt::format("registry blob {}", route_.reference);
    decision.task_id = filters::task_id_of(decision.canonical_url, {}, {});
    decision.digest = route_.digest;
    decision.origin_url = turn_.urls.front();
}

Task<void> RegistryExchange::serve_blob() {
    prepare_blob();
    if (context_.request.method == "HEAD") {
        const bool is_said = co_await says_blob_head();
        if (is_said) co_return;
    }
    co_await serve_from_cache(context_);
    if (was_refused(context_)) rights_.refuse(pulls());
}

// A question whether it is there fetches nothing: pushes ask it of every layer.
Task<bool> RegistryExchange::says_blob_head() {
    auto found = co_await context_.services.cache.find(context_.decision.task_id, context_.loop);
    if ((found && found->complete) || turn_.asks_nobody) co_return false;
    DocumentQuestion question;
    question.target = target_;
    question.accepted = "*/*";
    question.method = "HEAD";
    question.abroad = Abroad::followed;
    auto reply = co_await documents_.ask_upstreams(question);
    if (!reply.document) {
        co_await answer(context_, reply.document.error());
        co_return true;
    }
    http::ResponseHead head = (*reply.document)->head;
    // A store whose links are signed for a GET: its no is none of the registry's.
    const bool is_no_word = (head.status >= 300 && head.status < 400) ||
                            ((*reply.document)->is_elsewhere && head.status != 200);
    if (is_no_word) co_return false;
    if (head.status == 401 || head.status == 403) rights_.refuse(pulls());
    if (head.status == 200) (void)turn_.join({}, head);
    head.fields.remove(MirrorRights::kAudience);
    turn_.down(head);
    http::CacheStatus status;
    status.fwd = "miss";
    status.fwd_status = head.status;
    head.fields.add("Cache-Status", status.serialize());
    hide_session(turn_, head);
    make_relayable(head, context_.settings->pseudonym);
    context_.record.source = "pass";
    const auto length = announced_length(head);
    context_.out.begin(std::move(head), length);
    auto sent = co_await context_.out.finish();
    if (!sent) cut(context_, sent.error());
    co_return true;
}

Task<void> RegistryExchange::serve_other() {
    co_await pass_through(context_);
    const int status = context_.out.status();
    const bool is_done = status >= 200 && status < 300;
    if (!is_done || is_read(context_.request)) co_return;
    if (route_.subject == registry::Subject::manifest) {
        auto change = std::make_shared<Document>();
        change->received = context_.services.clock.wall();
        context_.services.documents.put(named("change", {}), std::move(change));
    } else if (route_.subject == registry::Subject::blob) {
        context_.services.access.forget(membership());
    }
}

}  // namespace hawker::proxy
