#include "daemon/proxy/permission.h"

#include "daemon/http/caching.h"
#include "daemon/proxy/access_question.h"

#include <charconv>

namespace hawker::proxy {

namespace {

constexpr std::size_t kShortRefusal = 64UL * 1024;

// About who may read, or when to come again; what is 5xx is a broken server's.
bool is_a_short_word(const http::ResponseHead& head) {
    return head.status < 500 && may_be_short(head.fields);
}

}  // namespace

bool was_refused(const Context& context) {
    const int status = context.out.status();
    return (status == 401 || status == 403) && context.record.source != "error" &&
           !context.is_told_elsewhere;
}

bool may_be_short(const http::Fields& fields) {
    const auto value = fields.get("Content-Length");
    std::size_t length = 0;
    return !value || (std::from_chars(value->data(), value->data() + value->size(), length).ec ==
                          std::errc() &&
                      length <= kShortRefusal);
}

Task<std::optional<Refusal>> read_refusal(http::ResponseHead head, origin::Response& response) {
    Refusal refusal;
    for (;;) {
        auto bytes = co_await response.read();
        if (!bytes || refusal.body.size() + bytes->size() > kShortRefusal) {
            response.cancel();
            co_return std::nullopt;
        }
        if (bytes->empty()) break;
        refusal.body.append(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    }
    refusal.head = std::move(head);
    // Without credentials, "the same principal" is everybody.
    for (const std::string_view for_one : {"Set-Cookie", "Set-Cookie2"})
        refusal.head.fields.remove(for_one);
    co_return refusal;
}

Permission::Permission(Context& context, OwnSource& source)
    : context_(context), decision_(context.decision), source_(source) {}

bool Permission::needs_none() const {
    const filters::Access access = decision_.rule->access;
    return access == filters::Access::capability ||
           (access == filters::Access::shared && context_.user_terms().shared);
}

const TaskId& Permission::matter() const {
    return is_shared() ? *context_.mirror->access : decision_.task_id;
}

bool Permission::is_remembered() const {
    const AccessMemory& access = context_.services.access;
    if (needs_none() || access.is_allowed(principal(), matter())) return true;
    // What is open to those who show nothing is open to all.
    return is_shared() && access.is_allowed({}, matter());
}

void Permission::remember() {
    if (needs_none()) return;
    allow(context_.services.access, principal_of(context_), matter(),
          allowed_until(context_.services.clock.wall(), context_.settings->access_ttl,
                        decision_.credentials_expire));
}

void Permission::withdraw() { refuse(context_.services.access, principal_of(context_), matter()); }

Task<Expected<bool>> Permission::is_granted_by_another(origin::Otherwise otherwise) {
    AccessMemory& access = context_.services.access;
    const bool asks_of_the_file = decision_.rule->policy == filters::Policy::http;
    if (!is_shared() || asks_of_the_file) co_return false;
    // Who has something otherwise does not wait with those who have nothing: they are patient.
    const bool is_patient = otherwise == origin::Otherwise::nothing;
    const Digest key = access.key_of(principal() + (is_patient ? "" : " unasked"), matter());
    while (!is_remembered()) {
        AccessQuestions::Place place = access.questions().take(key, context_.loop);
        lead_of_all_ = std::move(place.lead);
        if (!place.seat) co_return false;
        const auto verdict = co_await wait_at(std::move(place.seat));
        if (!verdict) co_return fail(verdict.error());
        if (*verdict) break;
    }
    co_return is_remembered();  // a no was of the other file alone
}

Task<Expected<std::shared_ptr<const Verdict>>> Permission::ask(const cache::Representation& held,
                                                               origin::Otherwise otherwise) {
    AccessMemory& access = context_.services.access;
    const Digest key = access.key_of(principal(), decision_.task_id);
    for (;;) {
        AccessQuestions::Place place = access.questions().take(key, context_.loop);
        joined_ = place.lead == nullptr;
        if (place.lead) {
            const auto granted = co_await is_granted_by_another(otherwise);
            if (!granted) co_return fail(granted.error());
            if (*granted) co_return nullptr;
            auto verdict = co_await ask_origin(held, otherwise, *place.lead);
            if (verdict && lead_of_all_) lead_of_all_->tell(*verdict);
            lead_of_all_ = nullptr;
            if (verdict && context_.mirror && context_.mirror->heard) context_.mirror->heard();
            co_return verdict;
        }
        if (!place.seat) co_return fail(Errc::exhausted, "too many questions of access are open");
        auto verdict = co_await wait_at(std::move(place.seat));
        if (!verdict || *verdict) co_return verdict;
    }
}

Task<Expected<AccessQuestions::Shared>> Permission::wait_at(
    std::shared_ptr<AccessQuestions::Seat> seat) {
    context_.cancel = [seat] { seat->leave(); };
    auto verdict = co_await seat->wait();
    context_.cancel = nullptr;
    if (seat->has_left()) co_return fail(Errc::cancelled, "the client went away");
    co_return verdict;
}

Task<Expected<std::shared_ptr<const Verdict>>> Permission::ask_origin(
    const cache::Representation& held, origin::Otherwise otherwise, AccessQuestions::Lead& lead) {
    context_.cancel = [this] { source_.stop(); };
    auto now = co_await source_->probe(otherwise);
    if (!now && (now.error().code == Errc::cancelled || now.error().code == Errc::shutting_down)) {
        context_.cancel = nullptr;
        co_return fail(std::move(now.error()));  // the next in line asks
    }
    const auto verdict = std::make_shared<Verdict>(std::move(now));
    if (verdict->now) {
        // Allowed, but what is stored may be of the past.
        if (!is_the_same(*verdict->now, held))
            (void)co_await context_.services.cache.remove_generation(held.task, held.generation,
                                                                     context_.loop);
        remember();
    } else if (const Errc code = verdict->now.error().code;
               code == Errc::refused || code == Errc::not_found || code == Errc::unavailable) {
        if (code == Errc::refused)
            withdraw();
        else if (code == Errc::not_found)
            context_.services.access.forget(principal(), matter());
        auto declined = source_->take_declined_if(is_a_short_word);
        if (declined) {
            auto refusal = co_await read_refusal(std::move(declined->head), *declined->response);
            verdict->refusal = std::move(refusal);
        }
    }
    context_.cancel = nullptr;
    lead.tell(verdict);
    co_return verdict;
}

Task<void> answer_refusal(Context& context, const Refusal& refusal, bool collapsed) {
    http::ResponseHead head = refusal.head;
    http::CacheStatus status;
    status.fwd = "uri-miss";
    status.fwd_status = head.status;
    status.collapsed = collapsed;
    head.fields.add("Cache-Status", status.serialize());
    make_relayable(head, context.settings->pseudonym);
    tell_blame(context, head.fields, "backend");
    context.record.source = "pass";
    context.out.begin(std::move(head), refusal.body.size());
    auto sent = co_await context.out.body(std::as_bytes(std::span(refusal.body)));
    if (sent) sent = co_await context.out.finish();
    if (!sent) cut(context, sent.error());
}

}  // namespace hawker::proxy
