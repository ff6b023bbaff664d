#include "daemon/http/caching.h"
#include "daemon/hub/answers.h"
#include "daemon/proxy/fair_share.h"
#include "daemon/proxy/hub_exchange.h"
#include "daemon/proxy/lfs_links.h"
#include "daemon/proxy/mirror_kinds.h"
#include "filters/query.h"

#include <algorithm>
#include <array>
#include <atomic>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

constexpr std::string_view kStale = "110 hawker \"the Hub cannot be asked what this revision is\"";

// What the page of a gated repository shows to everybody: a yes for it is none for the files.
constexpr std::array<std::string_view, 2> kShopWindow = {"README.md", ".gitattributes"};

bool is_shop_window(std::string_view path) {
    return std::ranges::find(kShopWindow, path) != kShopWindow.end();
}

// Who goes first, and those who wait for it. tell() on any thread.
class First {
public:
    explicit First(DocumentRoad::Lead lead) : lead_(std::move(lead)) {}
    void tell() {
        if (!told_.exchange(true)) lead_->tell(std::make_shared<const Reply>(DocumentPtr()));
    }

private:
    const DocumentRoad::Lead lead_;
    std::atomic<bool> told_ = false;
};

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
      rights_(context, mirror),
      documents_(context, mirror, turn_) {
    const std::string name = fmt::format("{} {}", mirror.upstreams.front(), route_.name());
    listings_ = filters::task_id_of("hub listings", name, {});
    // However it is written: the Hub decodes it.
    const std::string path = filters::percent_normal_form(route_.path);
    files_ = files_matter(is_shop_window(path) ? path : std::string_view());
    // Whoever may use the mirror may read as it does; what else its token can do is nobody's but
    // its owner's.
    if (!hub::is_for_readers(route_, target_of(context.request))) turn_.token.clear();
    // A question for a listing, though its paths come in a body.
    if (route_.subject == hub::Subject::paths_info && !context.request.fields.has("Authorization"))
        turn_.token = mirror.token;
    if (std::string wanted = hub::in_words(route_); !wanted.empty())
        turn_.wanted = std::move(wanted);
    turn_.down = [this](http::ResponseHead& head) { go_down(head); };
    turn_.up = [](http::Fields& fields) {
        fields.remove("Cookie");
        if (fields.get("Accept").value_or("").contains("xet")) fields.set("Accept", "*/*");
    };
    turn_.may_unasked = [this](const Kept& kept) { return rights_.may_unasked(files_, kept); };
    context.mirror = &turn_;
    context.decision.rule = mirror.rule;
    context.record.rule = mirror.rule->name;
    context.record.url = filters::loggable_url(turn_.urls.front());
}

TaskId HubExchange::files_matter(std::string_view shown) const {
    return filters::task_id_of("hub files",
                               fmt::format("{} {}", mirror_.upstreams.front(), route_.name()),
                               std::string(shown));
}

std::vector<TaskId> HubExchange::all_matters() const {
    std::vector<TaskId> matters = {listings_, files_matter({})};
    for (const std::string_view shown : kShopWindow) matters.push_back(files_matter(shown));
    return matters;
}

Task<void> HubExchange::run() {
    // Without `xet: serve`, too: a client that knows from before where a file is asks for nothing
    // else.
    if (!mirror_.offline) {
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
    DocumentQuestion question = question_of_information(hub::revision_target(route_));
    question.wanted = hub::revision_in_words(route_);
    auto told = co_await tell(std::move(question));
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
        hear_no(head);
        go_down(head);
    };
    // The Hub's yes counts for those who wait for the same file as soon as it is given; once,
    // because later answers may be the CDN's, which asks nobody.
    const auto is_first = std::make_shared<std::atomic<bool>>(true);
    const auto allow_all = [yes = rights_.yes_to({files_}), is_first, heard = turn_.heard] {
        if (is_first->exchange(false)) yes();
        if (heard) heard();
    };
    turn_.join = [commit = commit_, audience = rights_.audience(files_), allow_all](
                     std::span<const http::ResponseHead> hops, http::ResponseHead& last) {
        if (!hub::join_file_head(hops, last)) return false;
        last.fields.set("X-Repo-Commit", commit);
        last.fields.set(MirrorRights::kAudience, audience);
        allow_all();
        return true;
    };
    filters::Decision& decision = context_.decision;
    decision.road = filters::Road::cache;
    decision.canonical_url = canonical_url(route_, commit_);
    decision.task_id = filters::task_id_of(decision.canonical_url, {}, {});
    decision.origin_url = turn_.urls.front();
    remember_where_it_is(is_first);
}

std::string HubExchange::canonical_url(const hub::Route& file, std::string_view commit) const {
    return fmt::format("hub {} {}", mirror_.upstreams.front(), hub::file_name(file, commit));
}

TaskId HubExchange::absence() const {
    const std::string name = hub::file_name(route_, commit_);
    return filters::task_id_of("hub absence", fmt::format("{} {}", mirror_.upstreams.front(), name),
                               {});
}

// Who may hear that the file is not there is who may read those beside it: the Hub is asked where
// that is not known, and where it has no word, what is stored counts. False: nothing is known of
// it.
Task<bool> HubExchange::serve_absence() {
    const DocumentPtr known = co_await find_document(context_, absence());
    if (!known) co_return false;
    DocumentQuestion asked = question(hub::file_target(route_, commit_));
    asked.id = absence();
    asked.ttl = std::nullopt;
    asked.accepted = "*/*";
    asked.check = [](Document&) -> Expected<bool> { return false; };
    DocumentTerms its_terms = terms();
    its_terms.matter = files_;
    its_terms.when_refused = {};
    auto told = co_await documents_.tell(std::move(asked), std::move(its_terms));
    if (!told) co_return true;
    const bool is_there = told->document->head.status < 400;
    if (is_there) co_return false;
    co_await send(*told);
    co_return true;
}

Task<void> HubExchange::serve_file() {
    auto commit = co_await find_commit();
    if (!commit) co_return;
    commit_ = std::move(*commit);
    const bool is_here = co_await lets_the_first_go();
    if (!is_here) co_return;
    bool answered = false;
    if (asks_xet_head()) answered = co_await serve_xet_head();
    if (!answered) co_await serve_by_commit();
    if (turn_.heard) turn_.heard();
    if (absent_) co_await store_document(context_, absence(), absent_);
}

Task<void> HubExchange::serve_by_commit() {
    prepare_file();
    const TaskId task = context_.decision.task_id;
    const bool is_at_hand =
        context_.services.cache.open_at_hand(task, std::nullopt, context_.loop) != nullptr;
    if (!is_at_hand) {
        const bool answered = co_await serve_absence();
        if (answered) co_return;
    }
    co_await serve_from_cache(context_);
    if (context_.record.source != "hit") co_await keep_where_it_lies();
}

// Once the repository is known to be open to these credentials, small files cost one request
// instead of two, and what was said of files in Xet none: so one of many workers goes first.
Task<bool> HubExchange::lets_the_first_go() {
    if (turn_.asks_nobody || rights_.is_allowed(files_)) co_return true;
    bool gains = is_listed_in_git();
    if (!gains && asks_xet_head())
        gains = co_await find_document(context_, xet_head_name()) != nullptr;
    if (!gains) co_return true;
    DocumentRoad::Lead lead;
    const auto heard = co_await documents_.hear_with_others(files_, lead);
    if (lead) turn_.heard = [first = std::make_shared<First>(std::move(lead))] { first->tell(); };
    const bool has_left =
        heard && !heard->document && heard->document.error().code == Errc::cancelled;
    if (has_left) co_await answer(context_, heard->document.error());
    co_return !has_left;
}

void HubExchange::hear_no(const http::ResponseHead& head) {
    if (!commit_.empty() && hub::says_no_entry(head)) note_absence(head);
    // Not only its files: nobody is told of it any more.
    if (head.status == 401 && head.fields.get("X-Error-Code") == "RepoNotFound")
        for (const TaskId& matter : all_matters()) rights_.refuse(matter);
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
    document->head.fields.add(MirrorRights::kAudience, rights_.audience(files_));
    document->received = context_.services.clock.wall();
    absent_ = std::move(document);
    context_.services.documents.put(absence(), absent_);
}

void HubExchange::go_down(http::ResponseHead& head) const {
    const auto location = head.fields.get("Location");
    const auto ours = location ? in_our_name(*location, mirror_, turn_.own_base) : std::nullopt;
    const std::string kept = ours ? *ours : std::string(location.value_or(""));
    // What is in a bucket is in Xet and nowhere else.
    const bool is_in_bucket = target_of(context_.request).starts_with("/buckets/");
    const auto xet = hub::xet_fields(head.fields, link_bases(), xet_names());
    hub::strip_for_mirror(head.fields);
    if (!kept.empty()) head.fields.add("Location", kept);
    const std::string links = head.fields.joined("Link");
    if (!links.empty())
        head.fields.set("Link", hub::links_in_our_name(links, link_bases(), turn_.own_base));
    if (is_in_bucket && !mirror_.offline) hub::add_xet_fields(head.fields, xet);
}

std::vector<std::string> HubExchange::link_bases() const {
    std::vector<std::string> bases = mirror_.upstreams;
    bases.emplace_back(usual_upstream("huggingface"));
    return bases;
}

}  // namespace hawker::proxy
