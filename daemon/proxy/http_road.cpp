#include "daemon/proxy/http_road.h"

#include "daemon/http/selection.h"
#include "daemon/http/storing.h"
#include "daemon/origin/target.h"
#include "daemon/proxy/http_behind.h"
#include "daemon/proxy/invalidation.h"

#include <algorithm>

namespace hawker::proxy {

namespace {

constexpr int kLooks = 4;  // what is stored may be gone when it is opened
// What is for nobody else now may be for others soon: until then nobody waits for it in vain.
constexpr std::chrono::seconds kAlone{10};

}  // namespace

HttpRoad::HttpRoad(Context& context)
    : context_(context),
      rule_(*context.decision.rule),
      source_(context),
      permission_(context, source_),
      store_(context.services, context.loop, context.settings),
      question_(question_from(context)),
      asked_(http::CacheControl::of(context.request.fields)) {
    context.record.task = context.decision.task_id.hex();
}

HttpRoad::~HttpRoad() { context_.cancel = nullptr; }

Task<void> HttpRoad::run() {
    // What must not be kept is not asked for together with others either. What the origin must have
    // for the request to be done, no cache can tell (RFC 9110 section 13.1.1).
    const http::Fields& own = context_.request.fields;
    const bool is_offline = context_.mirror && context_.mirror->asks_nobody;
    const bool is_of_the_origin =
        !is_offline && (own.has("If-Match") || own.has("If-Unmodified-Since"));
    if ((asked_.no_store || is_of_the_origin) && !asked_.only_if_cached) {
        co_await pass_through(context_);
        co_return;
    }
    for (int looks = 0; looks < kLooks; ++looks) {
        const Shelves::View view = co_await store_.look(question_.primary);
        question_.epoch = view.epoch;
        const bool served = co_await serve_at_once(view);
        if (served) co_return;
        if (asked_.only_if_cached) {
            co_await answer(context_, 504, "http_request_denied",
                            "Not in the cache, and the request says only-if-cached.");
            co_return;
        }
        const bool look_again = co_await wait_for_others(view);
        if (look_again) continue;
        if (context_.request.method == "HEAD") {
            co_await ask_for_head(view);
            co_return;
        }
        const Parts parts(view.variants, [this](const StoredVariant& variant) {
            return use_of(variant) == http::Use::fresh;
        });
        const VariantPtr stored = pick(view);
        if (!stored && !parts.empty()) {
            const bool answered = co_await ask_for_the_gap(parts);
            if (answered) co_return;
        }
        co_await ask(stored);
        co_return;
    }
    co_await pass_through(context_);
}

// The latest whole response to a request like this one.
VariantPtr HttpRoad::pick(const Shelves::View& view) const {
    for (const VariantPtr& variant : view.variants)
        if (!variant->part && variant->fits(question_.request.fields)) return variant;
    return nullptr;
}

// nullopt: it is for other requests. Whose right to it is not known has it validated.
std::optional<http::Use> HttpRoad::use_of(const StoredVariant& variant) const {
    if (!variant.fits(question_.request.fields)) return std::nullopt;
    if (!permission_.is_remembered()) return http::Use::validate;
    return variant.use(asked_, store_.wall());
}

Task<bool> HttpRoad::serve_at_once(const Shelves::View& view) {
    Manner manner;
    if (waited_) {
        manner.source = "joined";
        manner.fwd = "miss";
        manner.collapsed = true;
    }
    if (const VariantPtr variant = pick(view)) {
        http::Use use = *use_of(*variant);
        const bool is_offline = context_.mirror && context_.mirror->asks_nobody;
        if (use == http::Use::validate && is_offline && permission_.is_remembered() &&
            http::may_be_stale(variant->terms))
            use = http::Use::stale;
        if (use == http::Use::stale || use == http::Use::while_revalidating)
            manner.detail = "stale";
        if (use == http::Use::while_revalidating) revalidate_behind(variant);
        if (use != http::Use::validate) {
            const bool served = co_await serve(variant, manner);
            co_return served;
        }
    }
    if (context_.request.method != "GET") co_return false;
    const Parts parts(view.variants, [this](const StoredVariant& variant) {
        return use_of(variant) == http::Use::fresh;
    });
    if (parts.empty()) co_return false;
    const auto wanted = wanted_of(context_.request, parts.size());
    if (!wanted || parts.gap(*wanted)) co_return false;
    const bool served = co_await serve_parts(parts, *wanted, manner);
    co_return served;
}

bool HttpRoad::may_wait_for_others(const Shelves::View& view) const {
    const http::Fields& fields = context_.request.fields;
    const bool is_personal =
        !rule_.ignore_credentials && origin::carries_credentials(question_.fields);
    return !waited_ && view.collapses && context_.request.method == "GET" && !is_personal &&
           !fields.has("Range") && !asked_.no_cache && !asked_.max_age;
}

Task<bool> HttpRoad::wait_for_others(const Shelves::View& view) {
    if (!may_wait_for_others(view)) co_return false;
    // Where it is known what selects a response, only those wait together who select the same one.
    std::string text = "hawker request v1\n" + question_.primary.hex();
    if (!view.variants.empty())
        text += http::selection_of(question_.request.fields, view.variants.front()->names);
    Digest key;
    key.bytes = sha256_of(text);
    for (;;) {
        auto place = context_.services.shelves.requests().take(key, context_.loop);
        lead_ = std::move(place.lead);
        if (lead_ || !place.seat) co_return false;
        context_.cancel = [seat = place.seat] { seat->leave(); };
        const auto heard = co_await place.seat->wait();
        context_.cancel = nullptr;
        waited_ = heard != nullptr || place.seat->has_left();
        if (waited_) co_return true;
    }
}

void HttpRoad::tell(bool is_shared) {
    if (!lead_) return;
    if (!is_shared)
        context_.services.shelves.do_not_collapse(question_.primary,
                                                  context_.services.clock.now() + kAlone);
    lead_->tell(std::make_shared<const Landed>(is_shared));
    lead_ = nullptr;
}

void HttpRoad::revalidate_behind(VariantPtr variant) {
    if (context_.errands)
        begin_revalidation(*context_.errands, context_.services, context_.loop, store_, question_,
                           std::move(variant));
}

Task<bool> serve_post_by_http(Context& context, HttpStore::Answer& answer) {
    const http::ResponseHead& head = *answer.head;
    const auto place = head.fields.get("Content-Location");
    const auto asked = origin::split_url(context.url);
    if (context.request.method != "POST" || !place || !asked ||
        !http::may_store_of_post(head.status, head.fields))
        co_return false;
    const auto named = origin::resolve_reference(*asked, *place);
    auto decision = decision_for_get(context, context.url);
    if (!named || named->url() != asked->url() || !decision) co_return false;
    std::swap(context.decision, *decision);
    bool served = false;
    {
        HttpRoad road(context);
        served = co_await road.answer_post(answer);
    }
    if (!served) std::swap(context.decision, *decision);
    co_return served;
}

Task<void> serve_by_http(Context& context) {
    HttpRoad road(context);
    co_await road.run();
}

}  // namespace hawker::proxy
