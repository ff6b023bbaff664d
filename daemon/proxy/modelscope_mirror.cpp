// kind: modelscope.
#include "daemon/http/caching.h"
#include "daemon/hub/lfs_batch.h"
#include "daemon/modelscope/file_head.h"
#include "daemon/proxy/fair_share.h"
#include "daemon/proxy/lfs_links.h"
#include "daemon/proxy/mirror_kinds.h"
#include "daemon/proxy/modelscope_exchange.h"
#include "filters/query.h"

#include <algorithm>
#include <array>
#include <atomic>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

constexpr std::string_view kRevisionUnsure =
    "110 hawker \"ModelScope cannot be asked what this revision has\"";
// Of one folder, or of one dataset: 10 000 entries. Beyond that a file is passed on.
constexpr std::size_t kMostPages = 50;
constexpr std::string_view kSession = "m_session_id=";

// Of a document: what is kept, and said to whoever reads it later.
constexpr std::array<std::string_view, 3> kModelScopeFields = {"Content-Type", "ETag",
                                                               "Last-Modified"};

// The member of a Cookie field that says who asks: "m_session_id=..."; empty: none.
std::string_view session_in(std::string_view cookies) {
    while (!cookies.empty()) {
        const std::size_t end = std::min(cookies.find(';'), cookies.size());
        std::string_view member = cookies.substr(0, end);
        cookies.remove_prefix(std::min(end + 1, cookies.size()));
        while (member.starts_with(' ')) member.remove_prefix(1);
        if (member.starts_with(kSession)) return member;
    }
    return {};
}

// What the page of a repository shows may be shown to those who may not read it: a yes for it is
// none for the files.
constexpr std::array<std::string_view, 2> kShown = {"README.md", "configuration.json"};

class ModelScopeMirror final : public MirrorKind {
public:
    Task<void> serve(Context& context, const Mirror& mirror) const override {
        ModelScopeExchange exchange(context, mirror, *listings_);
        co_await exchange.run();
    }

private:
    const std::unique_ptr<ModelScopeListings> listings_ = std::make_unique<ModelScopeListings>();
};

}  // namespace

std::shared_ptr<const MirrorKind> modelscope_mirror() {
    return std::make_shared<const ModelScopeMirror>();
}

ModelScopeExchange::ModelScopeExchange(Context& context, const Mirror& mirror,
                                       ModelScopeListings& listings)
    : context_(context),
      mirror_(mirror),
      listings_(listings),
      route_(modelscope::route_of(context.request.method, target_of(context.request))),
      turn_(turn_of(context, mirror, target_of(context.request))),
      rights_(context, mirror),
      documents_(context, mirror, turn_) {
    const std::string name = fmt::format("{} {}", mirror.upstreams.front(), route_.name());
    listed_ = filters::task_id_of("modelscope listings", name, {});
    // However it is written.
    const std::string path = filters::percent_normal_form(route_.path);
    const bool is_shown = std::ranges::find(kShown, path) != kShown.end();
    files_ = files_matter(is_shown ? path : std::string_view());
    if (!session_in(context.request.fields.get("Cookie").value_or("")).empty())
        turn_.token.clear();  // the client has shown its own
    turn_.up = [this](http::Fields& fields) { go_up(fields); };
    turn_.down = [this](http::ResponseHead& head) {
        locations_in_our_name(head, mirror_, turn_.own_base);
    };
    turn_.may_unasked = [this](const Kept& kept) { return rights_.may_unasked(files_, kept); };
    context.mirror = &turn_;
    context.decision.rule = mirror.rule;
    context.record.rule = mirror.rule->name;
    context.record.url = filters::loggable_url(turn_.urls.front());
}

TaskId ModelScopeExchange::files_matter(std::string_view shown) const {
    return filters::task_id_of("modelscope files",
                               fmt::format("{} {}", mirror_.upstreams.front(), route_.name()),
                               std::string(shown));
}

Task<void> ModelScopeExchange::run() {
    pace(context_, mirror_.rule.get());
    // Of git: a clone through us.
    if (hub::is_lfs_target(target_of(context_.request))) {
        co_await serve_lfs_object(context_, mirror_, turn_);
        co_return;
    }
    if (is_lfs_batch(context_.request)) {
        co_await serve_lfs_batch(context_, mirror_, turn_);
        co_return;
    }
    switch (route_.subject) {
        case modelscope::Subject::file:
            co_await serve_file();
            co_return;
        case modelscope::Subject::other:
            co_await serve_other();
            co_return;
        default:
            co_await serve_document();
            co_return;
    }
}

// Some of its servers look for a bearer, others for a cookie; a mirror's own token is shown to
// both. Of the client's other cookies none says who asks.
void ModelScopeExchange::go_up(http::Fields& fields) const {
    const std::string session(session_in(fields.joined("Cookie")));
    if (route_.subject != modelscope::Subject::other) fields.remove("Cookie");
    if (!turn_.token.empty())
        fields.set("Cookie", fmt::format("{}{}", kSession, turn_.token));
    else if (!session.empty() && route_.subject != modelscope::Subject::other)
        fields.set("Cookie", session);
}

Task<void> ModelScopeExchange::serve_other() { co_await pass_through(context_); }

DocumentQuestion ModelScopeExchange::question(std::string target) const {
    DocumentQuestion question;
    question.id = filters::task_id_of(
        "modelscope document", mirror_.upstreams.front() + modelscope::document_name(target), {});
    question.target = std::move(target);
    const bool moves = route_.subject == modelscope::Subject::info || !route_.is_immutable();
    if (moves) question.ttl = mirror_.ref_ttl;
    return question;
}

DocumentTerms ModelScopeExchange::terms() {
    DocumentTerms terms;
    terms.matter = listed_;
    // What is not shown shows none of its files.
    terms.when_refused = [this] {
        rights_.refuse(files_matter({}));
        for (const std::string_view shown : kShown) rights_.refuse(files_matter(shown));
    };
    terms.kept_fields = kModelScopeFields;
    terms.is_yes = modelscope::is_yes;
    terms.upstream = "ModelScope";
    return terms;
}

Task<void> ModelScopeExchange::serve_document() {
    auto told =
        co_await documents_.tell(question(std::string(target_of(context_.request))), terms());
    if (!told) co_return;
    http::ResponseHead head = told->document->head;
    std::string body = told->document->body;
    head.fields.remove("Set-Cookie");  // the answer may be another client's
    locations_in_our_name(head, mirror_, turn_.own_base);
    co_await documents_.send(*told, terms(), std::move(head), std::move(body));
}

Task<ModelScopeExchange::Search> ModelScopeExchange::look_in(std::string target) {
    DocumentQuestion asked = question(std::move(target));
    const TaskId id = asked.id;
    auto told = co_await documents_.tell(std::move(asked), terms());
    if (!told) co_return Search::answered;
    if (told->document->head.status != 200) co_return Search::unnamed;
    auto listing = listings_.find(told->document);
    if (!listing) {
        auto read = [this, &told] { return listings_.read(told->document); };
        listing = co_await offload(context_.services.pool, context_.loop, read);
    }
    if (!listing) co_return Search::unnamed;
    if (told->how == Told::How::stale) turn_.warning = kRevisionUnsure;
    if (const modelscope::Entry* const entry = listing->find(route_.path)) {
        entry_ = *entry;
        told_by_ = id;
        co_return Search::found;
    }
    if (listing->names(route_.path)) co_return Search::unnamed;
    const bool is_full = listing->entries() >= modelscope::page_size(route_);
    co_return is_full ? Search::further : Search::absent;
}

// In the listing that clients ask for too; where that is cut off, in the one of the file's folder.
Task<ModelScopeExchange::Search> ModelScopeExchange::find_entry() {
    Search found = co_await look_in(modelscope::listing_target(route_, 1));
    for (std::size_t page = 1; found == Search::further && page <= kMostPages; ++page) {
        found = co_await look_in(modelscope::folder_target(route_, page));
        if (found == Search::further && route_.type != "datasets") co_return Search::unnamed;
    }
    co_return found == Search::further ? Search::unnamed : found;
}

void ModelScopeExchange::prepare_file() {
    turn_.access = files_;
    turn_.down = [this](http::ResponseHead& head) {
        head.fields.remove("Set-Cookie");
        locations_in_our_name(head, mirror_, turn_.own_base);
    };
    // A yes counts for those who wait for the same file as soon as it is given; once, because later
    // answers may be the store's, which asks nobody.
    const auto is_first = std::make_shared<std::atomic<bool>>(true);
    const auto allow_all = [yes = rights_.yes_to({files_}), is_first] {
        if (is_first->exchange(false)) yes();
    };
    turn_.join = [entry = entry_, audience = rights_.audience(files_), allow_all,
                  differs = differs_](std::span<const http::ResponseHead> hops,
                                      http::ResponseHead& last) {
        if (!modelscope::join_file_head(entry, hops, last)) {
            differs->store(true);
            return false;
        }
        last.fields.set(MirrorRights::kAudience, audience);
        allow_all();
        return true;
    };
    filters::Decision& decision = context_.decision;
    decision.road = filters::Road::cache;
    decision.canonical_url = fmt::format("modelscope {} {} {} {}", mirror_.upstreams.front(),
                                         route_.name(), entry_.sha256.hex(), route_.path);
    decision.task_id = filters::task_id_of(decision.canonical_url, {}, {});
    decision.digest = entry_.sha256;
    decision.origin_url = turn_.urls.front();
}

void ModelScopeExchange::doubt_listing() {
    const DocumentPtr listing = context_.services.documents.find(told_by_);
    if (!listing || route_.is_immutable()) return;
    auto old = std::make_shared<Document>(*listing);
    old->received = WallTime();
    context_.services.documents.put(told_by_, std::move(old));
}

Task<void> ModelScopeExchange::serve_file() {
    const Search found = co_await find_entry();
    if (found == Search::answered) co_return;
    const bool nobody_can_be_asked = turn_.asks_nobody || !turn_.warning.empty();
    if (found == Search::absent && nobody_can_be_asked) {
        co_await answer(context_, 404, "",
                        "Ask for a file of this revision: the listing of it that is cached has no "
                        "file of that name.");
        co_return;
    }
    if (found != Search::found) {
        co_await serve_other();
        co_return;
    }
    prepare_file();
    co_await serve_from_cache(context_);
    const bool is_corrupt = context_.out.status() == http::answer_for(Errc::corrupt).status ||
                            context_.record.error.starts_with(name_of(Errc::corrupt));
    if (is_corrupt || differs_->load()) doubt_listing();
}

}  // namespace hawker::proxy
