// The second step of the cached road, where nothing is at hand. At a mirror one client opens a
// thing, those who ask for it with the same credentials meanwhile wait. What is there they read
// together anyway; what is not there, or is not said now, costs the upstream one question too.
#include "daemon/proxy/cached_road.h"
#include "daemon/proxy/pass_through.h"
#include "daemon/proxy/principal.h"

#include <utility>

namespace hawker::proxy {

Task<std::unique_ptr<cache::Reader>> CachedRoad::open_or_answer() {
    if (decision_.part) {
        auto covering = co_await open_covering_part();
        if (covering) co_return covering;
    }
    // Who asks only about it has no use for more than its first piece.
    const bool is_head = context_.request.method == "HEAD";
    const RangeSpec wanted = decision_.part ? RangeSpec::whole()
                             : is_head      ? RangeSpec(0, 0)
                                            : wanted_range(context_.request);
    const auto heard = co_await hear_opening();
    if (heard && heard->refusal) {
        co_await answer_as_others(*heard->refusal);
        co_return nullptr;
    }
    if (heard && !heard->now) {
        co_await step_aside(heard->now.error());
        co_return nullptr;
    }
    auto opened = co_await open_reader(wanted);
    if (!opened) {
        co_await step_aside(opened.error());
        co_return nullptr;
    }
    tell_opening(Verdict(cache::Arrival()));
    co_return std::move(*opened);
}

Task<std::shared_ptr<const Verdict>> CachedRoad::hear_opening() {
    if (!follows_everything() || opening_) co_return nullptr;
    AccessMemory& access = context_.services.access;
    const TaskId opening =
        filters::task_id_of("opening", decision_.canonical_url, decision_.origin_url);
    const Digest key = access.key_of(principal_of(context_).name, opening);
    for (;;) {
        auto place = access.questions().take(key, context_.loop);
        opening_ = std::move(place.lead);
        if (!place.seat) co_return nullptr;
        context_.cancel = [seat = place.seat] { seat->leave(); };
        auto heard = co_await place.seat->wait();
        context_.cancel = [this] { source_.stop(); };
        if (place.seat->has_left())
            heard = std::make_shared<const Verdict>(fail(Errc::cancelled, "the client went away"));
        if (heard) co_return heard;
    }
}

void CachedRoad::tell_opening(Verdict verdict) {
    if (const auto opening = std::move(opening_))
        opening->tell(std::make_shared<const Verdict>(std::move(verdict)));
}

Task<void> CachedRoad::refuse(http::ResponseHead head, origin::Response& response) {
    const Error for_one(Errc::unsupported, "the upstream's answer is for one client alone");
    if (!opening_ || head.status < 400 || !may_be_short(head.fields)) {
        tell_opening(Verdict(fail(for_one)));
        co_await relay(context_, std::move(head), response);
        co_return;
    }
    auto refusal = co_await read_refusal(std::move(head), response);
    if (!refusal) {
        tell_opening(Verdict(fail(for_one)));
        co_await serve_past_cache();
        co_return;
    }
    refusal->head.fields.remove("Cache-Status");  // of this exchange
    Refusal own = *refusal;
    // What it says is known before those come who do not wait any more.
    if (context_.mirror->down) context_.mirror->down(own.head);
    Verdict verdict(fail(Errc::refused, "the upstream refuses it"));
    verdict.refusal = std::move(refusal);
    tell_opening(std::move(verdict));
    co_await answer_refusal(context_, own, false);
}

Task<void> CachedRoad::answer_as_others(Refusal refusal) {
    if (context_.mirror->down) context_.mirror->down(refusal.head);
    co_await answer_refusal(context_, refusal, true);
}

}  // namespace hawker::proxy
