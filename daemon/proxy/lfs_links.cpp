#include "daemon/proxy/lfs_links.h"

#include "base/keyed_hash.h"
#include "daemon/hub/lfs_batch.h"
#include "daemon/proxy/document_road.h"
#include "daemon/proxy/forwarding.h"
#include "daemon/proxy/told_content.h"

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

constexpr std::string_view kMediaType = "application/vnd.git-lfs+json";

std::int64_t seconds_of(WallTime time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

// Only who has our key can make it, and it says all that the link says.
std::string seal_of(const AccessMemory& access, const hub::LfsDownload& download) {
    return access.key_of("lfs link " + hub::lfs_target(download, {}), {}).hex();
}

// At home the client's own credentials are as good as on the batch question.
bool is_at_home(const Mirror& mirror, std::string_view href) {
    return in_our_name(href, mirror, {}).has_value();
}

// With every download's link as one of ours.
Document with_our_links(const Context& context, const Mirror& mirror, const MirrorTurn& turn,
                        const Document& said) {
    Document ours = said;
    const auto link = [&](const hub::LfsDownload& offered) {
        hub::LfsDownload download = offered;
        if (is_at_home(mirror, download.href)) {
            download.brings_credentials = turn.token.empty();
            download.needs_mirrors_token = !turn.token.empty();
        }
        return turn.own_base +
               hub::lfs_target(download, seal_of(context.services.access, download));
    };
    auto body =
        hub::with_our_links(said.body, seconds_of(context.services.clock.wall()), turn.token, link);
    if (body) ours.body = std::move(*body);
    return ours;
}

}  // namespace

bool is_lfs_batch(const http::RequestHead& request) {
    const std::string_view target = target_of(request);
    return request.method == "POST" &&
           target.substr(0, target.find('?')).ends_with("/objects/batch");
}

Task<void> serve_lfs_batch(Context& context, const Mirror& mirror, MirrorTurn& turn) {
    if (turn.asks_nobody) {
        co_await answer(context, 504, "http_request_denied",
                        "Set 'offline: false' for this mirror: only its upstream can say where an "
                        "LFS object is.");
        co_return;
    }
    auto body = co_await read_question(context);
    if (!body) {
        co_await answer(context, body.error());
        co_return;
    }
    const auto plain = hub::plain_download(*body);
    if (plain && !context.request.fields.has("Authorization")) turn.token = mirror.token;
    DocumentQuestion question;
    question.target = target_of(context.request);
    question.method = "POST";
    question.body = plain.value_or(*body);
    question.is_repeatable = plain.has_value();
    question.media_type = context.request.fields.get("Content-Type").value_or(kMediaType);
    question.accepted = kMediaType;
    DocumentRoad documents(context, mirror, turn);
    auto reply = co_await documents.ask_upstreams(question);
    if (!reply.document) {
        co_await answer(context, reply.document.error());
        co_return;
    }
    Told told;
    told.how = Told::How::asked;
    told.document = *reply.document;
    const bool has_links = plain && told.document->head.status == 200;
    Document said = has_links ? with_our_links(context, mirror, turn, *told.document)
                              : Document(*told.document);
    if (turn.down) turn.down(said.head);
    const DocumentTerms nothing_kept;
    co_await documents.send(told, nothing_kept, std::move(said.head), std::move(said.body));
}

Task<void> serve_lfs_object(Context& context, const Mirror& mirror, MirrorTurn& turn) {
    const auto sealed = hub::read_lfs_target(target_of(context.request));
    const bool is_ours =
        sealed && is_read(context.request) &&
        equal_in_constant_time(sealed->seal, seal_of(context.services.access, sealed->download)) &&
        seconds_of(context.services.clock.wall()) < sealed->download.until;
    context.record.url = "the link of an LFS object";
    if (!is_ours) {
        co_await answer(context, 403, "http_request_denied",
                        "Ask the batch API again: this link has ended, or was not given out here.");
        co_return;
    }
    const hub::LfsDownload& download = sealed->download;
    context.record.url = filters::loggable_url(download.href);
    turn.urls = {download.href};
    turn.upstreams = nullptr;
    // No token goes anywhere but home, and the link may be another mirror's.
    const bool stands_in = download.needs_mirrors_token && is_at_home(mirror, download.href);
    turn.token = stands_in ? mirror.token : std::string();
    turn.may_unasked = [](const Kept&) { return true; };
    turn.join = [oid = download.oid.hex()](std::span<const http::ResponseHead>,
                                           http::ResponseHead& last) {
        // The same whichever store sent the bytes.
        last.fields.set("ETag", fmt::format("\"{}\"", oid));
        return true;
    };
    turn.up = [keeps = download.brings_credentials || stands_in](http::Fields& fields) {
        fields.remove("Cookie");
        if (!keeps) fields.remove("Authorization");
    };
    // Who holds the link was let in by the upstream, for this object.
    auto rule = std::make_shared<filters::Rule>(*mirror.rule);
    rule->access = filters::Access::capability;
    filters::Decision& decision = context.decision;
    decision.rule = std::move(rule);
    decision.road = filters::Road::cache;
    decision.canonical_url = fmt::format("lfs sha256:{}", download.oid.hex());
    decision.task_id = filters::task_id_of(decision.canonical_url, {}, {});
    decision.digest = download.oid;
    decision.origin_url = download.href;
    co_await serve_from_cache(context);
    if (context.record.source != "hit")
        co_await keep_told_content(context, download.href, download.oid);
}

}  // namespace hawker::proxy
