#include "daemon/proxy/told_content.h"

#include "daemon/proxy/documents.h"
#include "daemon/proxy/exchange.h"

#include <memory>

namespace hawker::proxy {

namespace {

TaskId name_of(const filters::Decision& place) {
    return filters::task_id_of("told content", place.canonical_url, {});
}

}  // namespace

Task<void> keep_told_content(Context& context, std::string_view url, Digest sha256) {
    filters::Question question;
    question.method = "GET";
    question.url = url;
    const filters::Decision place = context.settings->rules->decide(question);
    const bool learns = place.road == filters::Road::cache && place.rule->learn_digest;
    if (!learns) co_return;
    auto document = std::make_shared<Document>();
    document->head.status = 200;
    document->body = sha256.hex();
    document->received = context.services.clock.wall();
    co_await keep_document(context, name_of(place), std::move(document));
}

Task<std::optional<Digest>> find_told_content(Context& context, const filters::Decision& place) {
    const auto document = co_await find_document(context, name_of(place));
    if (!document) co_return std::nullopt;
    co_return Digest::from_hex(document->body);
}

Task<void> forget_told_content(Context& context, const filters::Decision& place) {
    const TaskId name = name_of(place);
    context.services.documents.put(name, std::make_shared<Document>());
    (void)co_await context.services.cache.remove(name, context.loop);
}

}  // namespace hawker::proxy
