#include "daemon/proxy/intercept_road.h"

#include "daemon/proxy/interception.h"

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

constexpr auto kHandshakeRecord = std::byte{22};  // RFC 8446 section 5.1

using Leaf = Expected<std::shared_ptr<const certificates::Identity>>;

Task<Leaf> leaf_for(Context& context, const Interception& interception, std::string host) {
    auto kept = interception.leaves().find(host);
    if (kept) co_return kept;
    auto mint = [&leaves = interception.leaves(), &host] { return leaves.mint(host); };
    auto minted = co_await offload(context.services.pool, context.loop, mint);
    co_return minted;
}

void report(Context& context, const Expected<net::TlsSession>& handshake) {
    HandshakeRecord record;
    record.where = HandshakeRecord::Where::intercepted;
    if (handshake)
        record.session = *handshake;
    else
        record.error = handshake.error().code;
    context.services.observer.handshake_done(record);
}

}  // namespace

Task<Opening> open_for_inspection(Context& context, filters::Authority authority) {
    // By value: the snapshot may be replaced, and the target's text is the request's.
    const std::shared_ptr<const Interception> interception = context.settings->interception;
    Intercepted tunnel;
    tunnel.host = authority.host;
    tunnel.port = authority.port;
    tunnel.user = context.record.user;
    const SteadyTime deadline = context.services.clock.now() + context.settings->handshake_timeout;
    auto leaf = co_await leaf_for(context, *interception, plain_host(tunnel.host));
    if (!leaf) {
        co_await answer(context, leaf.error(), "proxy_internal_error");
        co_return Opening::failed;
    }
    auto told = co_await context.client.write(kEstablished, context.settings->write_timeout);
    if (!told) co_return Opening::failed;
    context.record.status = 200;
    if (context.input.buffered().empty()) {
        auto more =
            co_await context.input.fill(context.settings->handshake_timeout, "a TLS handshake");
        if (!more) {
            context.record.error = more.error().what;
            report(context, fail(more.error().code, ""));
            co_return Opening::failed;
        }
    }
    if (context.input.buffered().front() != kHandshakeRecord) co_return Opening::not_tls;
    context.record.source = "intercept";
    net::TlsTerms terms;
    terms.identity = std::move(*leaf);
    terms.expected_name = plain_host(tunnel.host);
    const auto left = std::chrono::ceil<net::Deadline>(deadline - context.services.clock.now());
    auto session = co_await context.client.accept_tls(interception->server(), std::move(terms),
                                                      context.input.buffered(),
                                                      std::max(left, net::Deadline(1)));
    report(context, session);
    if (!session) {
        context.record.error = fmt::format("TLS with the client: {}", session.error().what);
        co_return Opening::failed;
    }
    context.input.consume(context.input.buffered().size());
    context.opened = std::move(tunnel);
    co_return Opening::opened;
}

}  // namespace hawker::proxy
