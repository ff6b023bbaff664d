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

DocumentQuestion HubExchange::question(std::string target) const {
    DocumentQuestion question;
    question.id = filters::task_id_of("hub document", mirror_.upstreams.front() + target, {});
    question.target = std::move(target);
    question.ttl = mirror_.ref_ttl;
    return question;
}

DocumentTerms HubExchange::terms() const {
    DocumentTerms terms;
    terms.matter = listings_;
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
    const bool is_fixed = is_content && !hub::expands(route_.query) && !hub::expands(body);
    if (is_fixed) {
        // What a branch holds is what its commit holds: one listing, and all of its pages.
        const auto commit = co_await find_commit();
        if (!commit) co_return;
        target = hub::listing_target(route_, *commit);
    }
    DocumentQuestion question = this->question(std::move(target));
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
    if (told) co_await send(*told);
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
