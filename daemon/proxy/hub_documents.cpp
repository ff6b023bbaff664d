// The Hub's listings, as a mirror has them.
#include "daemon/hub/answers.h"
#include "daemon/proxy/hub_exchange.h"

#include <array>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

// Of a listing: what is kept, and said to whoever reads it later.
constexpr std::array<std::string_view, 8> kKeptFields = {
    "Content-Type",  "ETag",         "Last-Modified",   "Link",
    "X-Repo-Commit", "X-Error-Code", "X-Error-Message", "X-HF-Warning"};

}  // namespace

// What a repository's information says of everybody it says to whomever: a reader with a token need
// not be the only one for ever.
void HubExchange::hear(const Document& said) {
    using Word = AccessMemory::Standing::Word;
    switch (hub::openness_in(said.body)) {
        case hub::Openness::unsaid:
            return;
        case hub::Openness::gated:
            rights_.hear_of_everybody(files_matter({}), Word::hidden);
            return;
        case hub::Openness::open:
            for (const TaskId& matter : all_matters())
                rights_.hear_of_everybody(matter, Word::open);
            return;
        case hub::Openness::hidden:
            for (const TaskId& matter : all_matters())
                rights_.hear_of_everybody(matter, Word::hidden);
            return;
    }
}

DocumentQuestion HubExchange::question(std::string target) const {
    DocumentQuestion question;
    question.id = filters::task_id_of("hub document", mirror_.upstreams.front() + target, {});
    question.target = std::move(target);
    question.ttl = mirror_.ref_ttl;
    question.abroad = Abroad::refused;
    question.check = [](Document& said) -> Expected<bool> {
        if (hub::is_of_the_api(said.head, said.body)) return true;
        return fail(
            Errc::corrupt,
            "Check this mirror's upstreams: what answers there does not answer as the Hub.");
    };
    return question;
}

DocumentQuestion HubExchange::question_of_information(std::string target) {
    DocumentQuestion question = this->question(std::move(target));
    // What has a repository's name and is none (/api/models/{name}/jwt) is for who asked alone.
    question.check = [is_of_the_api = question.check](Document& said) -> Expected<bool> {
        auto may_keep = is_of_the_api(said);
        if (may_keep) *may_keep = *may_keep && hub::is_information(said.body);
        return may_keep;
    };
    question.hear = [this](const Document& said) { hear(said); };
    return question;
}

DocumentTerms HubExchange::terms() {
    DocumentTerms terms;
    terms.matter = listings_;
    // A repository that is not shown shows none of its files.
    terms.when_refused = [this] {
        for (const TaskId& matter : all_matters()) rights_.refuse(matter);
    };
    terms.kept_fields = kKeptFields;
    terms.says_absent = hub::says_no_entry;
    terms.upstream = "the Hub";
    return terms;
}

Task<std::optional<Told>> HubExchange::tell(DocumentQuestion question) {
    auto told = co_await documents_.tell(std::move(question), terms());
    co_return told;
}

Task<void> HubExchange::serve_document() {
    const bool is_content =
        route_.subject == hub::Subject::tree || route_.subject == hub::Subject::paths_info;
    std::string body;
    if (route_.subject == hub::Subject::paths_info) {
        auto asked = co_await read_question(context_);
        if (!asked) {
            co_await answer(context_, asked.error());
            co_return;
        }
        body = std::move(*asked);
    }
    std::string target(target_of(context_.request));
    std::string listed_commit;
    const bool is_fixed = is_content && !hub::expands(route_.query) && !hub::expands(body);
    if (is_fixed) {
        // What a branch holds is what its commit holds: one listing, and all of its pages.
        const auto commit = co_await find_commit();
        if (!commit) co_return;
        target = hub::listing_target(route_, *commit);
        listed_commit = *commit;
    }
    DocumentQuestion question = route_.subject == hub::Subject::info
                                    ? question_of_information(std::move(target))
                                    : this->question(std::move(target));
    if (is_fixed) question.ttl = std::nullopt;
    if (route_.subject == hub::Subject::paths_info) {
        question.method = "POST";
        question.body = std::move(body);
        question.media_type = context_.request.fields.get("Content-Type").value_or("");
        question.id = filters::task_id_of("hub document",
                                          fmt::format("{} {}\n{}", mirror_.upstreams.front(),
                                                      question.target, question.media_type),
                                          question.body);
    }
    auto told = co_await tell(std::move(question));
    if (!told) co_return;
    const bool lists = is_fixed && told->document->head.status == 200;
    if (lists) co_await note_listed_files(told->document, std::move(listed_commit));
    co_await send(*told);
}

Task<void> HubExchange::send(const Told& told) {
    http::ResponseHead head = told.document->head;
    std::string body = told.document->body;
    const bool is_json = head.fields.get("Content-Type").value_or("").contains("json");
    if (is_json && !mirror_.serves_xet) {
        body = hub::without_member(body, "xetHash");
        if (body.size() != told.document->body.size()) head.fields.remove("ETag");
    }
    go_down(head);
    if (!turn_.warning.empty() && told.how != Told::How::stale)
        head.fields.add("Warning", turn_.warning);
    co_await documents_.send(told, terms(), std::move(head), std::move(body));
}

}  // namespace hawker::proxy
