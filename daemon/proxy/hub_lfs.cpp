// Git LFS through the Hub's mirror: the batch question goes up with the client's credentials, and
// its answer's links come back to us, sealed: each is for one object, until it ends.
#include "base/keyed_hash.h"
#include "daemon/hub/lfs_batch.h"
#include "daemon/proxy/hub_exchange.h"

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

constexpr std::string_view kMediaType = "application/vnd.git-lfs+json";

std::int64_t seconds_of(WallTime time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

// Only this process can make it, and it says all that the link says.
std::string seal_of(const AccessMemory& access, const hub::LfsDownload& download) {
    return access.key_of("lfs link " + hub::lfs_target(download, {}), {}).hex();
}

}  // namespace

Task<void> HubExchange::serve_lfs_batch() {
    auto body = co_await read_body();
    if (!body) {
        co_await answer(context_, body.error());
        co_return;
    }
    Wanted wanted = this->wanted(std::string(target_of(context_.request)));
    const auto plain = hub::plain_download(*body);
    wanted.body = std::move(*body);
    if (plain) wanted.body = *plain;
    wanted.media_type = context_.request.fields.get("Content-Type").value_or(kMediaType);
    wanted.accepted = kMediaType;
    if (plain && !context_.request.fields.has("Authorization")) turn_.token = mirror_.token;
    auto reply = turn_.asks_nobody
                     ? Reply(fail(Errc::denied,
                                  "Set 'offline: false' for this mirror: only the Hub can say "
                                  "where an LFS object is."))
                     : Reply(fail(Errc::unavailable, "not asked"));
    if (!turn_.asks_nobody) {
        auto asked = co_await ask_upstreams(wanted);
        reply = std::move(asked);
    }
    if (!reply.document) {
        co_await answer(context_, reply.document.error());
        co_return;
    }
    Told told;
    told.how = How::asked;
    told.document = *reply.document;
    if (plain && told.document->head.status == 200) told.document = with_our_links(told.document);
    co_await send(told);
}

DocumentPtr HubExchange::with_our_links(const DocumentPtr& document) const {
    const auto link = [this](const hub::LfsDownload& download) {
        return turn_.own_base +
               hub::lfs_target(download, seal_of(context_.services.access, download));
    };
    auto rewritten =
        hub::with_our_links(document->body, seconds_of(context_.services.clock.wall()), link);
    if (!rewritten) return document;
    auto ours = std::make_shared<Document>(*document);
    ours->body = std::move(*rewritten);
    return ours;
}

Task<void> HubExchange::serve_lfs_object() {
    const auto sealed = hub::read_lfs_target(target_of(context_.request));
    const bool is_read = context_.request.method == "GET" || context_.request.method == "HEAD";
    const bool is_ours =
        sealed && is_read &&
        equal_in_constant_time(sealed->seal, seal_of(context_.services.access, sealed->download)) &&
        seconds_of(context_.services.clock.wall()) < sealed->download.until;
    context_.record.url = "the link of an LFS object";
    if (!is_ours) {
        co_await answer(context_, 403, "http_request_denied",
                        "Ask the batch API again: this link has ended, or was not given out here.");
        co_return;
    }
    const hub::LfsDownload& download = sealed->download;
    context_.record.url = filters::loggable_url(download.href);
    turn_.urls = {download.href};
    turn_.upstreams = nullptr;
    turn_.token.clear();
    turn_.may_unasked = [](const http::Fields&) { return true; };
    turn_.join = [oid = download.oid.hex()](std::span<const http::ResponseHead>,
                                            http::ResponseHead& last) {
        // The same whichever store sent the bytes.
        last.fields.set("ETag", fmt::format("\"{}\"", oid));
        return true;
    };
    turn_.up = [keeps = download.brings_credentials](http::Fields& fields) {
        fields.remove("Cookie");
        if (!keeps) fields.remove("Authorization");
    };
    // Who holds the link was let in by the Hub, for this object.
    auto rule = std::make_shared<filters::Rule>(*mirror_.rule);
    rule->access = filters::Access::capability;
    filters::Decision& decision = context_.decision;
    decision.rule = std::move(rule);
    decision.road = filters::Road::cache;
    decision.canonical_url = fmt::format("lfs sha256:{}", download.oid.hex());
    decision.task_id = filters::task_id_of(decision.canonical_url, {}, {});
    decision.digest = download.oid;
    decision.origin_url = download.href;
    co_await serve_from_cache(context_);
}

}  // namespace hawker::proxy
