// The road of `policy: http`: what the origin is asked, and what becomes of its answer.
#include "daemon/http/caching.h"
#include "daemon/http/ranges.h"
#include "daemon/http/validators.h"
#include "daemon/proxy/access_question.h"
#include "daemon/proxy/http_road.h"

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

bool asks_if_changed(const http::Fields& fields) {
    return fields.has("If-None-Match") || fields.has("If-Modified-Since");
}

}  // namespace

void HttpRoad::learn_rights(int status) {
    if (status == 401 || status == 403) permission_.withdraw();
    if (status < 300 || status == 304) permission_.remember();  // a login page is no yes
}

Task<void> HttpRoad::ask(VariantPtr stored) {
    const http::Fields& own = context_.request.fields;
    bool validates = stored && http::has_validator(stored->stored.head.fields);
    for (;;) {
        http::Fields fields = question_.fields;
        if (validates) http::add_conditions(fields, stored->stored.head.fields);
        auto answer = co_await store_.ask(question_, std::move(fields), context_.cancel);
        if (!answer.head || http::is_failure_of_origin(answer.head->status)) {
            const bool used = co_await use_after_error(stored, answer);
            if (used) co_return;
        }
        if (!answer.head) {
            tell(false);
            const std::string_view why = answer.response ? answer.response->proxy_error() : "";
            co_await hawker::proxy::answer(context_, answer.head.error(), why);
            co_return;
        }
        if (!validates || answer.head->status != 304) {
            co_await answer_new(answer, stored);
            co_return;
        }
        if (http::confirms(answer.head->fields, stored->stored.head.fields, own)) {
            const bool answered = co_await answer_confirmed(answer, stored);
            if (answered) co_return;
        } else if (http::is_what_client_has(answer.head->fields, own)) {
            co_await answer_new(answer, stored);
            co_return;
        }
        // Confirmed was what is not here any more, or nobody knows what.
        answer.response->cancel();
        validates = false;
    }
}

Task<bool> HttpRoad::answer_confirmed(HttpStore::Answer& answer, VariantPtr stored) {
    answer.response->cancel();
    learn_rights(200);
    const auto now = co_await store_.refresh(question_, *stored, answer.head->fields, answer.times);
    if (!now.variant) co_return false;
    tell(now.is_for_all &&
         now.variant->use(http::CacheControl(), store_.wall()) == http::Use::fresh);
    Manner manner;
    manner.fwd = "stale";
    manner.fwd_status = 304;
    const bool served = co_await serve(now.variant, manner);
    co_return served;
}

Task<void> HttpRoad::answer_new(HttpStore::Answer& answer, const VariantPtr& stored) {
    const int status = answer.head->status;
    learn_rights(status);
    Manner manner;
    manner.source = "miss";
    manner.fwd = stored ? "stale" : "miss";
    manner.fwd_status = status;
    auto kept = co_await store_.store(question_, answer);
    if (kept) {
        co_await store_.shelve(question_, *kept);
        tell(kept->variant &&
             kept->variant->use(http::CacheControl(), store_.wall()) == http::Use::fresh);
        co_await send_new(*answer.head, *kept, manner);
        co_return;
    }
    tell(false);
    if (stored && status != 304 && is_gone_for_good(status))
        co_await store_.remove(question_.primary, stored->task);
    context_.record.source = "pass";
    http::CacheStatus said;
    said.fwd = manner.fwd;
    said.fwd_status = status;
    answer.head->fields.add("Cache-Status", said.serialize());
    origin::Response& response = *answer.response;
    context_.cancel = [&response] { response.cancel(); };
    co_await relay(context_, std::move(*answer.head), response);
    context_.cancel = nullptr;
    response.cancel();
}

// Whoever posts has no right to read by it: that is asked for when somebody GETs it.
Task<bool> HttpRoad::answer_post(HttpStore::Answer& answer) {
    question_.request.method = "GET";
    const Shelves::View view = co_await store_.look(question_.primary);
    question_.epoch = view.epoch;
    auto kept = co_await store_.store(question_, answer);
    if (!kept) co_return false;
    co_await store_.shelve(question_, *kept);
    Manner manner;
    manner.source = "miss";
    manner.fwd = "method";
    manner.fwd_status = answer.head->status;
    co_await send_new(*answer.head, *kept, manner);
    co_return true;
}

// stale-if-error, and rules that say to serve what cannot be asked for.
Task<bool> HttpRoad::use_after_error(const VariantPtr& stored, HttpStore::Answer& answer) {
    if (!stored || (!answer.head && !is_no_word(answer.head.error()))) co_return false;
    const bool unasked = rule_.on_unverifiable == filters::OnUnverifiable::serve && !answer.head &&
                         http::may_be_stale(stored->terms);
    const bool may =
        unasked || (permission_.is_remembered() &&
                    http::may_use_after_error(stored->terms, asked_, stored->age(store_.wall())));
    if (!may) co_return false;
    tell(false);
    Manner manner;
    manner.fwd = "stale";
    if (answer.head) manner.fwd_status = answer.head->status;
    manner.detail = "stale-if-error";
    const bool served = co_await serve(stored, manner);
    if (served && answer.response) answer.response->cancel();
    co_return served;
}

Task<void> HttpRoad::ask_for_head(const Shelves::View& view) {
    auto answer = co_await store_.ask(question_, question_.fields, context_.cancel);
    const VariantPtr stored = pick(view);
    if (!answer.head || http::is_failure_of_origin(answer.head->status)) {
        const bool used = co_await use_after_error(stored, answer);
        if (used) co_return;
    }
    if (!answer.head) {
        const std::string_view why = answer.response ? answer.response->proxy_error() : "";
        co_await hawker::proxy::answer(context_, answer.head.error(), why);
        co_return;
    }
    learn_rights(answer.head->status);
    if (stored && answer.head->status == 200 && stored->stored.head.status == 200)
        co_await learn_from_head(answer, stored);
    context_.record.source = "pass";
    http::CacheStatus said;
    said.fwd = stored ? "stale" : "miss";
    said.fwd_status = answer.head->status;
    answer.head->fields.add("Cache-Status", said.serialize());
    co_await relay(context_, std::move(*answer.head), *answer.response);
    answer.response->cancel();
}

// RFC 9111 section 4.3.5: it says that what is stored is still the same, or is no more.
Task<void> HttpRoad::learn_from_head(const HttpStore::Answer& answer, VariantPtr stored) {
    const http::Fields& before = stored->stored.head.fields;
    const bool is_personal =
        http::renewal_of(question_.request.fields, 200, before, answer.head->fields,
                         question_.terms) == http::Renewal::leave;
    if (is_personal) co_return;
    auto found = co_await context_.services.cache.find(stored->task, context_.loop);
    const bool is_the_same =
        found && found->size && http::head_agrees(answer.head->fields, before, *found->size);
    if (is_the_same)
        (void)co_await store_.refresh(question_, *stored, answer.head->fields, answer.times);
    else
        co_await store_.remove(question_.primary, stored->task);
}

// Asks for what is missing between stored parts, and puts the answer together (RFC 9111 section
// 3.4). False where that cannot be, and nothing was sent.
Task<bool> HttpRoad::ask_for_the_gap(const Parts& parts) {
    const http::Fields& own = context_.request.fields;
    const auto wanted = wanted_of(context_.request, parts.size());
    if (!wanted || parts.entity_tag().empty() || asks_if_changed(own)) co_return false;
    const auto gap = parts.gap(*wanted);
    if (!gap || (gap->first == wanted->first && gap->end == wanted->end)) co_return false;
    RangeSpec spec(gap->first, gap->end - 1);
    if (gap->end == parts.size()) spec.last.reset();
    HttpQuestion question = question_;
    for (http::Fields* fields : {&question.fields, &question.request.fields}) {
        fields->set("Range", http::range_field(spec));
        fields->set("If-Range", parts.entity_tag());
    }
    auto answer = co_await store_.ask(question, question.fields, context_.cancel);
    if (!answer.head) {
        tell(false);
        co_await hawker::proxy::answer(context_, answer.head.error());
        co_return true;
    }
    if (answer.head->status == 200) {
        co_await answer_new(answer, nullptr);
        co_return true;
    }
    const auto told =
        http::parse_content_range(answer.head->fields.get("Content-Range").value_or(""));
    const bool fits = answer.head->status == 206 && told && told->range == gap &&
                      told->size == parts.size() &&
                      answer.head->fields.get("ETag") == std::string_view(parts.entity_tag());
    std::unique_ptr<HttpStore::Stored> kept;
    if (fits) kept = co_await store_.store(question, answer);
    if (!kept) {
        answer.response->cancel();
        co_return false;
    }
    co_await store_.shelve(question, *kept);
    tell(false);
    learn_rights(206);
    const bool is_sent = co_await send_around(parts, *wanted, *gap, *kept);
    co_return is_sent;
}

}  // namespace hawker::proxy
