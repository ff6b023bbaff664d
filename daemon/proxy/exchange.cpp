#include "daemon/proxy/exchange.h"

#include "daemon/http/caching.h"
#include "daemon/http/validators.h"
#include "daemon/proxy/admittance.h"
#include "daemon/proxy/fair_share.h"
#include "daemon/proxy/registry_choice.h"
#include "daemon/registry/manifest.h"
#include "daemon/registry/route.h"

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

// What names its content, is followed elsewhere, or is taken apart, is stored as a file whatever
// its policy: that one says then when it is asked for again.
bool is_for_http(const Context& context) {
    const filters::Decision& decision = context.decision;
    const bool is_a_file = decision.digest || decision.part || decision.rule->follow_redirects ||
                           (context.mirror && context.mirror->join) || context.dragonfly.any;
    return decision.rule->policy == filters::Policy::http && !is_a_file;
}

// Max-Forwards counts down for TRACE and OPTIONS only (RFC 9110 section 7.6.2). True when the
// request ends here.
bool ends_here(const Context& context) {
    const http::RequestHead& request = context.request;
    if (request.method != "OPTIONS") return false;
    if (request.form == http::TargetForm::asterisk && !context.inside) return true;
    return request.fields.get("Max-Forwards").value_or("") == "0";
}

Task<void> answer_options(Context& context) {
    http::ResponseHead head;
    head.status = 200;
    head.reason = http::reason_phrase(200);
    head.fields.add("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, CONNECT");
    head.fields.add("Via", fmt::format("1.1 {}", context.settings->pseudonym));
    context.record.source = "pass";
    context.out.begin(std::move(head), 0);
    (void)co_await context.out.finish();
}

// In the words of whoever takes us for a server. A registry's clients read JSON, also where no
// mirror has taken their request yet, or none will.
decltype(MirrorTurn::error_body) error_body_for(const Context& context) {
    if (context.mirror) return context.mirror->error_body;
    const bool is_for_a_registry = context.request.form == http::TargetForm::origin &&
                                   !context.inside &&
                                   registry::is_registry_target(target_of(context.request));
    return is_for_a_registry ? registry::error_document : nullptr;
}

}  // namespace

filters::Question question_of(const Context& context, std::string_view url) {
    const http::Fields& fields = context.request.fields;
    const DragonflyFields& dragonfly = context.dragonfly;
    filters::Question question;
    question.method = context.request.method;
    question.url = url;
    question.tag = fields.get("X-Hawker-Tag").value_or(dragonfly.tag);
    question.application = fields.get("X-Hawker-Application").value_or(dragonfly.application);
    question.range = fields.get("Range").value_or("");
    question.variant = dragonfly.variant;
    question.strip = dragonfly.strip;
    question.without_rule = dragonfly.use_p2p;
    return question;
}

const std::string& loggable_url(const Context& context) {
    if (context.record.url.empty())
        filters::append_loggable_url(context.record.url, context.url, context.decision.part);
    return context.record.url;
}

Task<void> answer(Context& context, int status, std::string_view proxy_error, std::string sentence,
                  std::optional<std::chrono::milliseconds> retry_after) {
    sentence = filters::loggable_text(sentence);
    if (context.out.begun()) {
        Error error;
        error.what = std::move(sentence);
        cut(context, error);
        co_return;
    }
    http::ResponseHead head;
    head.status = status;
    head.reason = http::reason_phrase(status);
    head.fields.add("Content-Type", "text/plain; charset=utf-8");
    head.fields.add("Cache-Control", "no-store");
    head.fields.add("Date", http::format_date(context.services.clock.wall()));
    if (!proxy_error.empty())
        head.fields.add("Proxy-Status", http::proxy_status(proxy_error, sentence));
    if (context.mirror) head.fields.add("X-Error-Message", sentence);
    tell_blame(context, head.fields, blame_for(status, proxy_error));
    if (retry_after)
        head.fields.add(
            "Retry-After",
            fmt::format("{}", std::chrono::ceil<std::chrono::seconds>(*retry_after).count()));
    if (status == 407)
        head.fields.add("Proxy-Authenticate", R"(Basic realm="hawker", charset="UTF-8")");
    if (status == 405)
        head.fields.add("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, CONNECT");
    if (!context.body.finished()) context.out.close_after();
    context.record.source = "error";
    context.record.error = sentence;
    if (const auto error_body = error_body_for(context)) {
        head.fields.set("Content-Type", "application/json");
        sentence = error_body(status, sentence);
    }
    sentence += '\n';
    context.out.begin(std::move(head), sentence.size());
    auto sent = co_await context.out.body(std::as_bytes(std::span(sentence)));
    if (sent) (void)co_await context.out.finish();
}

Task<void> answer(Context& context, const Error& error, std::string_view proxy_error) {
    const http::ErrorAnswer known = http::answer_for(error.code);
    const std::string_view type = proxy_error.empty() ? known.proxy_error_type : proxy_error;
    co_await answer(context, known.status, type, error.what, error.retry_after);
}

void cut(Context& context, const Error& error) {
    context.record.error =
        fmt::format("{}: {}", name_of(error.code), filters::loggable_text(error.what));
    context.out.close_after();
    if (context.out.is_ended_by_closing())
        context.client.reset();  // a plain end would make it whole
    else
        context.client.close();
}

http::Fields with_token(const Context& context, http::Fields fields) {
    if (context.mirror && !context.mirror->token.empty())
        fields.set("Authorization", fmt::format("Bearer {}", context.mirror->token));
    if (context.mirror && context.mirror->up) context.mirror->up(fields);
    return fields;
}

Task<void> serve_url(Context& context, std::string_view url) {
    if (has_dragonfly_fields(context.request.fields)) {
        auto asked = read_dragonfly_fields(context.request.fields);
        if (!asked)
            return answer(context, 400, "http_request_error", std::move(asked.error().what));
        context.dragonfly = std::move(*asked);
    }
    context.settings->rules->decide(question_of(context, url), context.decision);
    context.decision.signed_field += field_to_leave_alone(context.request.fields);
    if (!context.decision.signed_field.empty()) context.decision.road = filters::Road::pass;
    context.url = url;
    context.record.url.clear();
    if (context.services.observer.wants_urls()) (void)loggable_url(context);
    if (context.decision.rule) context.record.rule = context.decision.rule->name;
    pace(context, context.decision.rule.get());
    const bool cacheable = context.decision.road == filters::Road::cache && context.body.is_empty();
    if (!cacheable) return pass_through(context);
    if (is_for_http(context)) return serve_by_http(context);
    return serve_from_cache(context);
}

namespace {

Task<void> serve_inside(Context& context) {
    auto url = url_inside(*context.inside, context.request, context.url_room);
    if (!url) {
        const int status = url.error().code == Errc::refused ? 421 : 400;
        return answer(context, status, "http_request_error", std::move(url.error().what));
    }
    return serve_url(context, *url);
}

// As a mirror of an upstream that the configuration names for it.
Task<void> serve_without_host(Context& context) {
    const auto mirror = mirror_without_host(*context.settings, context.request);
    if (mirror) {
        co_await serve_mirror(context, **mirror);
        co_return;
    }
    int status = 400;
    if (mirror.error().code == Errc::denied) status = 403;
    co_await answer(context, status, "http_request_denied", mirror.error().what);
}

Task<void> serve_admitted(Context& context, const Mirror* mirror) {
    const http::RequestHead& request = context.request;
    if (request.form == http::TargetForm::authority && !context.inside && mirror == nullptr)
        return open_tunnel(context);
    if (request.method == "TRACE")
        return answer(context, 405, "http_request_denied",
                      "TRACE is not answered: it would show what the proxy keeps to itself.");
    if (has_looped(request.fields, context.settings->pseudonym))
        return answer(context, 502, "proxy_loop_detected",
                      "This request came back to the proxy that sent it; check the proxy "
                      "settings of the next hop.");
    if (ends_here(context)) return answer_options(context);
    if (mirror != nullptr) return serve_mirror(context, *mirror);
    if (context.inside) return serve_inside(context);
    if (request.form == http::TargetForm::origin) return serve_without_host(context);
    return serve_url(context, request.target);
}

}  // namespace

// A slow client's body waits below this, and below few others: each frame counts there.
Task<void> serve(Context& context) {
    if (!is_admitted_at_once(context)) {
        const bool admitted = co_await admit(context);
        if (!admitted) co_return;
    }
    Share share = ask_for_share(context);
    if (!share.is_granted) co_await wait_for_share(context, share);
    if (!share.is_granted) co_return;
    const std::shared_ptr<const Mirror> mirror = context.listener().mirror;
    co_await serve_admitted(context, mirror.get());
}

}  // namespace hawker::proxy
