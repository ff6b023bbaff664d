// Where the Hub has a file: as it led there, or as its listings say.
#include "daemon/hub/answers.h"
#include "daemon/hub/listed_files.h"
#include "daemon/proxy/hub_exchange.h"
#include "daemon/proxy/told_content.h"

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

// The upstream at which files are looked for where a listing says they are.
constexpr std::size_t kWhoLists = 0;

}  // namespace

// A HEAD, a GET and every range of a client after it: the Hub is asked the way once, or, where its
// listing has told it, never. Whoever goes there without asking earns no new yes by it.
void HubExchange::remember_where_it_is(const std::shared_ptr<std::atomic<bool>>& is_first) {
    AccessMemory& access = context_.services.access;
    const std::string principal = rights_.principal();
    const Digest name = access.key_of(principal, context_.decision.task_id);
    const auto landings = mirror_.landings;
    const auto listed = mirror_.listed_files;
    const auto was_listed = std::make_shared<std::atomic<bool>>(false);
    const Clock& clock = context_.services.clock;
    turn_.recall_landing = [&access, &clock, landings, listed, was_listed, name, principal,
                            files = files_, upstreams = turn_.upstreams, is_first] {
        const bool may = access.is_allowed(principal, files) || access.is_allowed({}, files);
        if (!may) return origin::LandingPtr();
        const SteadyTime now = clock.now();
        auto landing = landings->find(name, now);
        if (!landing && upstreams->is_well(kWhoLists, now)) {
            landing = listed->find(name, now);
            was_listed->store(landing != nullptr);
        }
        if (landing) is_first->store(false);
        return landing;
    };
    turn_.keep_landing = [&clock, landings, listed, was_listed, name,
                          is_first](origin::LandingPtr landing) {
        if (!landing) is_first->store(true);  // now it is the Hub that is asked
        if (!landing && was_listed->exchange(false)) listed->failed(name, clock.now());
        landings->keep(name, std::move(landing), clock.now());
    };
}

Task<void> HubExchange::note_listed_files(DocumentPtr listing, std::string commit) {
    const AccessMemory& access = context_.services.access;
    const std::string principal = rights_.principal();
    const SteadyTime now = context_.services.clock.now();
    http::ResponseHead redirect;
    redirect.status = 307;
    redirect.fields.add("X-Repo-Commit", commit);
    auto note = [&] {
        hub::Route file = route_;
        for (hub::ListedFile& listed : hub::files_in_git(listing->body)) {
            file.path = std::move(listed.path);
            auto place = std::make_shared<origin::Landing>();
            place->url = mirror_.upstreams[kWhoLists] + hub::place_in_git(file, commit, listed.oid);
            place->is_elsewhere = false;
            place->hops = {redirect};
            place->led_by = kWhoLists;
            place->is_empty = listed.is_empty;
            place->etag = fmt::format("\"{}\"", listed.oid);
            const TaskId task = filters::task_id_of(canonical_url(file, commit), {}, {});
            mirror_.listed_files->keep(access.key_of(principal, task), std::move(place), now);
        }
        return true;
    };
    (void)co_await offload(context_.services.pool, context_.loop, note);
}

bool HubExchange::is_listed_in_git() const {
    const TaskId task = filters::task_id_of(canonical_url(route_, commit_), {}, {});
    const Digest name = context_.services.access.key_of(rights_.principal(), task);
    return mirror_.listed_files->find(name, context_.services.clock.now()) != nullptr;
}

Task<void> HubExchange::keep_where_it_lies() {
    const Digest name =
        context_.services.access.key_of(rights_.principal(), context_.decision.task_id);
    const auto landing = mirror_.landings->find(name, context_.services.clock.now());
    if (!landing) co_return;
    const auto linked = hub::linked_content(landing->hops, mirror_.upstreams);
    if (linked) co_await keep_told_content(context_, linked->url, linked->sha256);
}

}  // namespace hawker::proxy
