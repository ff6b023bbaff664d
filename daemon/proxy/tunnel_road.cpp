// CONNECT (RFC 9110 section 9.3.6): to an allowed port of an allowed address an opaque tunnel, or
// one that is opened here.
#include "daemon/proxy/exchange.h"
#include "daemon/proxy/fair_share.h"
#include "daemon/proxy/intercept_road.h"
#include "daemon/proxy/interception.h"
#include "daemon/proxy/tunnel_dialling.h"

#include <array>

namespace hawker::proxy {

namespace {

// An opaque tunnel was promised already when its client turned out to speak something else than
// TLS.
bool is_established(const Context& context) { return context.record.status == 200; }

// Why there is no tunnel: in an answer where one can still be given.
Task<void> refuse(Context& context, const Error& error, std::string_view proxy_error) {
    if (is_established(context)) {
        cut(context, error);
        co_return;
    }
    co_await answer(context, error, proxy_error);
}

// Bytes that came with the head belong to the tunnel; they were held back until the other side was
// there.
Task<Expected<void>> send_early_bytes(Context& context, net::Socket& upstream) {
    const auto early = context.input.buffered();
    const std::array<std::span<const std::byte>, 1> parts = {early};
    if (early.empty()) co_return Expected<void>();
    auto sent = co_await upstream.write(parts, context.settings->write_timeout);
    context.record.received += early.size();
    context.input.consume(early.size());
    co_return sent;
}

Task<void> run_tunnel(Context& context, FarEnd& far) {
    net::Socket& upstream = *far.socket;
    std::string first = std::move(far.early);
    const std::size_t early_bytes = first.size();
    if (!is_established(context)) first.insert(0, kEstablished);
    if (!first.empty()) {
        auto told = co_await context.client.write(first, context.settings->write_timeout);
        if (!told) co_return;
    }
    context.record.status = 200;
    auto early = co_await send_early_bytes(context, upstream);
    if (!early) co_return;
    net::TunnelBytes bytes;
    context.cancel = [&context, &upstream] {
        context.client.close();
        upstream.close();
    };
    pace(context, nullptr);
    net::Pace* const limits = context.pacer.is_limited() ? &context.pacer : nullptr;
    auto ended = co_await net::tunnel(context.client, upstream,
                                      context.settings->tunnel_idle_timeout, bytes, limits);
    context.cancel = nullptr;
    context.record.bytes = early_bytes + bytes.to_left;
    context.record.received += bytes.to_right;
    if (!ended && ended.error().code != Errc::closed)
        context.record.error = filters::loggable_text(ended.error().what);
}

Task<void> run_opaque(Context& context, filters::Authority authority) {
    std::string_view proxy_error;
    auto far = co_await dial(context, authority, proxy_error);
    if (!far) {
        co_await refuse(context, far.error(), proxy_error);
        co_return;
    }
    co_await run_tunnel(context, *far);
}

}  // namespace

Task<void> open_tunnel(Context& context) {
    context.record.source = "tunnel";
    context.record.url = filters::loggable_url(context.request.target);
    context.out.close_after();
    const auto authority = filters::parse_authority(context.request.target);
    if (!authority) {
        co_await answer(context, 400, "http_request_error", authority.error().what);
        co_return;
    }
    auto port_allowed = context.settings->destinations->check_connect_port(authority->port);
    if (!port_allowed) {
        co_await answer(context, 403, "http_request_denied", port_allowed.error().what);
        co_return;
    }
    const std::string host(authority->host);
    const auto& interception = context.settings->interception;
    if (interception && interception->wants(host)) {
        const Opening opening = co_await open_for_inspection(context, *authority);
        if (opening != Opening::not_tls) co_return;
    } else if (context.settings->rules->may_match_host(host)) {
        context.services.observer.tunnel_could_have_been_cached(host);
    }
    co_await run_opaque(context, *authority);
}

}  // namespace hawker::proxy
