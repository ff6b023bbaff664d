#include "daemon/proxy/http_store.h"

#include "daemon/proxy/no_source.h"
#include "daemon/proxy/pass_through.h"

#include <utility>

namespace hawker::proxy {

namespace {

constexpr std::size_t kMostListed = 2 * Shelves::kMostVariants;

// A named callable for offload(): a lambda inside the await is what GCC 12 miscompiles.
struct ListVariants {
    const cache::Cache& cache;
    TaskId primary;
    std::vector<TaskId> operator()() const {
        std::vector<TaskId> found;
        for (const cache::Entry& entry : cache.list(before_variants(primary), kMostListed)) {
            if (!is_variant_of(entry.task, primary)) break;
            if (entry.task != primary) found.push_back(entry.task);
        }
        return found;
    }
};

// The bytes of the body; nullopt for an end that nobody can be certain of, and for a part that is
// not as long as it says.
std::optional<cache::Arrival> arrival_of(const StoredVariant& variant,
                                         const http::ResponseHead& head, http::Framing framing) {
    cache::Arrival arrival;
    const bool is_empty = head.status == 204 || framing == http::Framing::none;
    if (framing == http::Framing::until_close && !is_empty) return std::nullopt;
    if (is_empty)
        arrival.size = 0;
    else if (framing == http::Framing::length)
        arrival.size = announced_length(head);
    if (head.status == 206) {
        if (!variant.part) return std::nullopt;
        if (arrival.size && arrival.size != variant.part->length()) return std::nullopt;
        arrival.size = variant.part->length();
    }
    arrival.length = arrival.size;
    arrival.head = encode(variant);
    return arrival;
}

}  // namespace

HttpQuestion question_from(const Context& context) {
    const filters::Decision& decision = context.decision;
    HttpQuestion question;
    question.primary = decision.task_id;
    question.request = context.request;
    http::remove_hop_by_hop(question.request.fields);  // what selects is what goes up
    question.fields =
        with_token(context, forwarded_fields(context.request, context.settings->pseudonym));
    question.urls = {decision.origin_url};
    if (context.mirror) {
        question.urls = context.mirror->urls;
        question.upstreams = context.mirror->upstreams;
    }
    question.terms.sent_credentials = origin::carries_credentials(question.fields);
    question.terms.ignores_credentials = decision.rule->ignore_credentials;
    question.terms.keeps_cookies = decision.rule->store_cookies;
    question.label = loggable_url(context);
    question.rule = decision.rule->name;
    return question;
}

Task<void> HttpStore::load(TaskId primary) {
    ListVariants list(services_.cache, primary);
    const auto tasks = co_await offload(services_.pool, loop_, list);
    std::vector<VariantPtr> variants;
    for (const TaskId& task : tasks) {
        auto found = co_await services_.cache.find(task, loop_);
        if (!found) continue;
        auto variant = decode_variant(task, found->head);
        if (!variant) continue;
        // What is being stored counts; what the end of a life cut short is removed.
        if (found->complete || co_await open(task))
            variants.push_back(std::make_shared<const StoredVariant>(std::move(*variant)));
    }
    services_.shelves.loaded(primary, std::move(variants));
}

Task<Shelves::View> HttpStore::look(TaskId primary) {
    auto view = services_.shelves.look(primary, services_.clock.now());
    if (view.is_loaded) co_return view;
    co_await load(primary);
    view = services_.shelves.look(primary, services_.clock.now());
    co_return view;
}

Task<Expected<std::unique_ptr<cache::Reader>>> HttpStore::open(TaskId variant) {
    auto at_hand = services_.cache.open_at_hand(variant, std::nullopt, loop_);
    if (at_hand) co_return at_hand;
    cache::OpenRequest request;
    request.task = variant;
    request.source = no_source();
    request.fetch.connections = 1;
    request.fetch.attempts = 1;
    auto reader = co_await services_.cache.open(std::move(request), loop_);
    // Its fetch has ended early, and nobody was there to see it.
    const bool is_torso = reader && (*reader)->origin() == cache::Origin::partial;
    if (!is_torso) co_return reader;
    reader->reset();
    (void)co_await services_.cache.remove(variant, loop_);
    co_return fail(Errc::not_found, "what is stored was never whole");
}

void HttpStore::drop(const TaskId& primary, const TaskId& variant) {
    services_.shelves.drop(primary, variant);
}

Task<void> HttpStore::remove(TaskId primary, TaskId variant) {
    (void)co_await remove_all(services_.shelves.withdraw(primary, variant));
}

Task<bool> HttpStore::remove_all(std::vector<TaskId> tasks) {
    bool was_there = false;
    for (const TaskId& task : tasks) {
        const bool is_gone = co_await services_.cache.remove(task, loop_);
        was_there = was_there || is_gone;
    }
    co_return was_there;
}

Task<void> HttpStore::invalidate(TaskId primary) {
    auto gone = services_.shelves.invalidate(primary);
    gone.push_back(primary);  // what another road has stored under the key itself
    ListVariants list(services_.cache, primary);
    const auto listed = co_await offload(services_.pool, loop_, list);
    gone.insert(gone.end(), listed.begin(), listed.end());
    const bool was_there = co_await remove_all(std::move(gone));
    if (was_there) co_await services_.cache.settle_removals(loop_);
}

Task<HttpStore::Answer> HttpStore::ask(const HttpQuestion& question, http::Fields fields,
                                       Cancellation& cancel) {
    std::vector<std::size_t> order = {0};
    if (question.upstreams) order = question.upstreams->order(services_.clock.now());
    Answer answer;
    for (std::size_t i = 0; i < order.size(); ++i) {
        origin::Request request;
        request.method = question.request.method;
        request.url = question.urls[order[i]];
        request.fields = fields;
        const SteadyTime began = services_.clock.now();
        if (question.upstreams)
            request.patience =
                question.upstreams->patience(order[i], began, origin::Otherwise::nothing);
        if (answer.response) answer.response->cancel();
        answer.times.asked = wall();
        answer.response = services_.client_of(loop_).send(std::move(request));
        answer.response->finish_body();
        cancel = [&answer] { answer.response->cancel(); };
        auto head = co_await answer.response->head();
        cancel = nullptr;
        answer.head = std::move(head);
        answer.times.answered = wall();
        if (!question.upstreams) break;
        const bool failed = has_failed(answer.head);
        if (failed)
            question.upstreams->failed(order[i], services_.clock.now(),
                                       services_.clock.now() - began);
        else if (answer.head)
            question.upstreams->worked(order[i]);
        if (!failed) break;
    }
    co_return answer;
}

Task<std::unique_ptr<HttpStore::Stored>> HttpStore::store(const HttpQuestion& question,
                                                          Answer& answer) {
    const http::ResponseHead& head = *answer.head;
    const bool may =
        question.request.method == "GET" &&
        http::may_store(question.request.fields, head.status, head.fields, question.terms);
    if (!may) co_return nullptr;
    auto variant = std::make_shared<const StoredVariant>(
        variant_of(new_variant_id(question.primary), question.request.fields, head, answer.times,
                   question.terms));
    const bool is_of_use = variant->terms.lifetime > std::chrono::seconds(0) ||
                           http::has_validator(variant->stored.head.fields);
    auto arrival = arrival_of(*variant, head, answer.response->framing());
    if (!is_of_use || !arrival) co_return nullptr;
    auto stored = std::make_unique<Stored>();
    stored->live = std::make_shared<LiveAnswer>(std::move(answer.response), std::move(*arrival));
    cache::OpenRequest request;
    request.task = variant->task;
    request.source = stored->live->source();
    request.fetch = settings_->fetch;
    request.fetch.connections = 1;
    request.fetch.attempts = 1;
    request.label = question.label;
    request.rule = question.rule;
    auto reader = co_await services_.cache.open(std::move(request), loop_);
    if (!reader) co_return stored;
    stored->reader = std::move(*reader);
    stored->variant = std::move(variant);
    co_return stored;
}

Task<void> HttpStore::shelve(const HttpQuestion& question, Stored& stored) {
    if (!stored.variant) co_return;
    auto replaced = services_.shelves.put(question.primary, stored.variant, question.epoch);
    if (replaced) {
        stored.replaced = std::move(*replaced);
        co_return;
    }
    const VariantPtr outdated = std::exchange(stored.variant, nullptr);
    (void)co_await services_.cache.remove(outdated->task, loop_);
}

Task<void> HttpStore::settle(const HttpQuestion& question, const Stored& stored) {
    if (!stored.variant) co_return;
    if (stored.is_whole) {
        for (const TaskId& before : stored.replaced) co_await remove(question.primary, before);
    } else if (stored.live->is_broken()) {
        // What it was to replace stays.
        drop(question.primary, stored.variant->task);
        (void)co_await services_.cache.remove(stored.variant->task, loop_);
    }
}

Task<HttpStore::Renewed> HttpStore::refresh(const HttpQuestion& question,
                                            const StoredVariant& variant, const http::Fields& newer,
                                            Exchanged times) {
    const origin::StoredHead& stored = variant.stored;
    const auto renewal = http::renewal_of(question.request.fields, stored.head.status,
                                          stored.head.fields, newer, question.terms);
    Renewed renewed;
    if (renewal == http::Renewal::remove) {
        co_await remove(question.primary, variant.task);
        co_return renewed;
    }
    http::StoringTerms terms = question.terms;
    renewed.is_for_all = renewal == http::Renewal::renew;
    if (!renewed.is_for_all) terms.keeps_cookies = true;  // they are this client's own
    renewed.variant =
        std::make_shared<const StoredVariant>(refreshed(variant, newer, times, terms));
    if (!renewed.is_for_all) co_return renewed;
    services_.shelves.replace(question.primary, renewed.variant);
    auto found = co_await services_.cache.find(variant.task, loop_);
    if (found) services_.cache.refresh(variant.task, found->generation, encode(*renewed.variant));
    co_return renewed;
}

}  // namespace hawker::proxy
