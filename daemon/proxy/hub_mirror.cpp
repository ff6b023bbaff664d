#include "daemon/http/caching.h"
#include "daemon/hub/answers.h"
#include "daemon/proxy/fair_share.h"
#include "daemon/proxy/hub_exchange.h"
#include "daemon/proxy/lfs_links.h"
#include "daemon/proxy/mirror_kinds.h"

#include <atomic>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

constexpr std::string_view kStale = "110 hawker \"the Hub cannot be asked what this revision is\"";

// What the page of a gated repository shows to everybody: a yes for it is none for the files.
bool is_shop_window(std::string_view path) {
    return path == "README.md" || path == ".gitattributes";
}

class HubMirror final : public MirrorKind {
public:
    Task<void> serve(Context& context, const Mirror& mirror) const override {
        HubExchange exchange(context, mirror);
        co_await exchange.run();
    }
};

}  // namespace

std::shared_ptr<const MirrorKind> hub_mirror() { return std::make_shared<const HubMirror>(); }

HubExchange::HubExchange(Context& context, const Mirror& mirror)
    : context_(context),
      mirror_(mirror),
      route_(hub::route_of(context.request.method, target_of(context.request))),
      turn_(turn_of(context, mirror, target_of(context.request))),
      rights_(context, mirror, turn_),
      documents_(context, mirror, turn_) {
    const std::string name = fmt::format("{} {}", mirror.upstreams.front(), route_.name());
    listings_ = filters::task_id_of("hub listings", name, {});
    files_ = filters::task_id_of("hub files", name,
                                 is_shop_window(route_.path) ? route_.path : std::string());
    // Whoever may use the mirror may read as it does; a right to write is nobody's but its owner's.
    if (hub::xet_route_of(target_of(context.request)) == hub::XetRoute::write_token)
        turn_.token.clear();
    turn_.down = [this](http::ResponseHead& head) { go_down(head); };
    turn_.up = [](http::Fields& fields) {
        fields.remove("Cookie");
        if (fields.get("Accept").value_or("").contains("xet")) fields.set("Accept", "*/*");
    };
    turn_.may_unasked = [this](const http::Fields& stored) { return rights_.may_unasked(stored); };
    context.mirror = &turn_;
    context.decision.rule = mirror.rule;
    context.record.rule = mirror.rule->name;
    context.record.url = filters::loggable_url(turn_.urls.front());
}

Task<void> HubExchange::run() {
    if (mirror_.serves_xet) {
        const bool served = co_await serve_xet();
        if (served) co_return;
    }
    pace(context_, mirror_.rule.get());
    switch (route_.subject) {
        case hub::Subject::file:
            co_await serve_file();
            co_return;
        case hub::Subject::lfs_batch:
            co_await serve_lfs_batch(context_, mirror_, turn_);
            co_return;
        case hub::Subject::lfs_object:
            co_await serve_lfs_object(context_, mirror_, turn_);
            co_return;
        case hub::Subject::other:
            co_await serve_other();
            co_return;
        default:
            co_await serve_document();
            co_return;
    }
}

Task<void> HubExchange::serve_other() { co_await pass_through(context_); }

Task<std::optional<std::string>> HubExchange::find_commit() {
    if (route_.is_immutable()) co_return route_.revision;
    auto told = co_await tell(question(hub::revision_target(route_)));
    if (!told) co_return std::nullopt;
    if (told->document->head.status != 200) {
        co_await send(*told);
        co_return std::nullopt;
    }
    auto commit = hub::commit_in(told->document->body);
    if (!commit)
        co_await answer(context_, 502, "http_protocol_error",
                        "Check this mirror's upstreams: what answers there does not say which "
                        "commit the revision is.");
    else if (told->how == Told::How::stale)
        turn_.warning = kStale;
    co_return commit;
}

void HubExchange::prepare_file() {
    const std::string target = hub::file_target(route_, commit_);
    for (std::size_t i = 0; i < turn_.urls.size(); ++i)
        turn_.urls[i] = mirror_.upstreams[i] + target;
    turn_.access = files_;
    turn_.down = [this](http::ResponseHead& head) {
        if (hub::says_no_entry(head)) note_absence(head);
        go_down(head);
    };
    // The Hub's yes counts for those who wait for the same file as soon as it is given; once,
    // because later answers may be the CDN's, which asks nobody.
    const auto is_first = std::make_shared<std::atomic<bool>>(true);
    const auto allow_all =
        [&access = context_.services.access, principal = rights_.principal(), files = files_,
         until = context_.services.clock.wall() + context_.settings->access_ttl, is_first] {
            if (is_first->exchange(false)) access.allow(principal, files, until);
        };
    turn_.join = [commit = commit_, audience = std::string(rights_.audience()), allow_all](
                     std::span<const http::ResponseHead> hops, http::ResponseHead& last) {
        if (!hub::join_file_head(hops, last)) return false;
        last.fields.set("X-Repo-Commit", commit);
        last.fields.set(MirrorRights::kAudience, audience);
        allow_all();
        return true;
    };
    filters::Decision& decision = context_.decision;
    decision.road = filters::Road::cache;
    decision.canonical_url =
        fmt::format("hub {} {}", mirror_.upstreams.front(), hub::file_name(route_, commit_));
    decision.task_id = filters::task_id_of(decision.canonical_url, {}, {});
    decision.origin_url = turn_.urls.front();
    remember_where_it_is(is_first);
}

// A HEAD, a GET and every range of a client after it: the Hub is asked the way once. Whoever goes
// there without asking earns no new yes by it.
void HubExchange::remember_where_it_is(const std::shared_ptr<std::atomic<bool>>& is_first) {
    AccessMemory& access = context_.services.access;
    const std::string principal = rights_.principal();
    const Digest name = access.key_of(principal, context_.decision.task_id);
    const auto landings = mirror_.landings;
    const Clock& clock = context_.services.clock;
    turn_.recall_landing = [&access, &clock, landings, name, principal, files = files_, is_first] {
        const bool may = access.is_allowed(principal, files);
        auto landing = may ? landings->find(name, clock.now()) : nullptr;
        if (landing) is_first->store(false);
        return landing;
    };
    turn_.keep_landing = [&clock, landings, name, is_first](origin::LandingPtr landing) {
        if (!landing) is_first->store(true);  // now it is the Hub that is asked
        landings->keep(name, std::move(landing), clock.now());
    };
}

TaskId HubExchange::absence() const {
    const std::string name = hub::file_name(route_, commit_);
    return filters::task_id_of("hub absence", fmt::format("{} {}", mirror_.upstreams.front(), name),
                               {});
}

Task<void> HubExchange::serve_file() {
    auto commit = co_await find_commit();
    if (!commit) co_return;
    commit_ = std::move(*commit);
    prepare_file();
    const TaskId task = context_.decision.task_id;
    const bool is_at_hand =
        context_.services.cache.open_at_hand(task, std::nullopt, context_.loop) != nullptr;
    if (!is_at_hand) {
        Told told;
        told.document = co_await find_document(context_, absence());
        const bool may = told.document &&
                         (rights_.is_allowed(files_) ||
                          (turn_.asks_nobody && rights_.may_unasked(told.document->head.fields)));
        if (may) {
            co_await send(told);
            co_return;
        }
    }
    co_await serve_from_cache(context_);
    if (absent_) co_await store_document(context_, absence(), absent_);
}

void HubExchange::note_absence(const http::ResponseHead& head) {
    rights_.allow(files_);
    auto document = std::make_shared<Document>();
    document->body = head.fields.get("X-Error-Message").value_or("Entry not found");
    document->head.status = 404;
    document->head.reason = http::reason_phrase(404);
    document->head.fields.add("Content-Type", "text/plain; charset=utf-8");
    document->head.fields.add("X-Repo-Commit", commit_);
    document->head.fields.add("X-Error-Code", "EntryNotFound");
    document->head.fields.add("X-Error-Message", document->body);
    document->head.fields.add(MirrorRights::kAudience, rights_.audience());
    document->received = context_.services.clock.wall();
    absent_ = std::move(document);
    context_.services.documents.put(absence(), absent_);
}

void HubExchange::go_down(http::ResponseHead& head) const {
    const auto location = head.fields.get("Location");
    const auto ours = location ? in_our_name(*location, mirror_, turn_.own_base) : std::nullopt;
    const std::string kept = ours ? *ours : std::string(location.value_or(""));
    hub::strip_for_mirror(head.fields);
    if (!kept.empty()) head.fields.add("Location", kept);
    const std::string links = head.fields.joined("Link");
    if (!links.empty())
        head.fields.set("Link", hub::links_in_our_name(links, mirror_.upstreams, turn_.own_base));
}

}  // namespace hawker::proxy
