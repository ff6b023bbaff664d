#include "daemon/proxy/invalidation.h"

#include "daemon/origin/target.h"
#include "daemon/proxy/http_store.h"

namespace hawker::proxy {

namespace {

bool is_safe(std::string_view method) {
    return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE";
}

}  // namespace

std::optional<filters::Decision> decision_for_get(const Context& context, std::string_view url) {
    filters::Question question = question_of(context, url);
    question.method = "GET";
    question.range = {};
    filters::Decision decision = context.settings->rules->decide(question);
    const bool is_stored = decision.road == filters::Road::cache && decision.rule &&
                           decision.rule->policy == filters::Policy::http && !decision.part;
    if (!is_stored) return std::nullopt;
    return decision;
}

Task<void> invalidate_after(Context& context, const http::ResponseHead& head) {
    if (is_safe(context.request.method) || head.status >= 400 || context.url.empty()) co_return;
    std::vector<std::string> urls = {std::string(context.url)};
    const auto base = origin::split_url(context.url);
    for (const std::string_view field : {"Location", "Content-Location"}) {
        const auto reference = head.fields.get(field);
        if (!base || !reference) continue;
        const auto named = origin::resolve_reference(*base, *reference);
        // Another origin's are not this one's to take away.
        if (named && named->origin() == base->origin()) urls.push_back(named->url());
    }
    HttpStore store(context.services, context.loop, context.settings);
    for (const std::string& url : urls)
        if (const auto decision = decision_for_get(context, url))
            co_await store.invalidate(decision->task_id);
}

}  // namespace hawker::proxy
