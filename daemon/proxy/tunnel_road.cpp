// CONNECT (RFC 9110 section 9.3.6): an opaque tunnel to an allowed port of an allowed address.
#include "daemon/proxy/exchange.h"

#include <algorithm>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

bool is_own(const net::Address& address, const Settings& settings) {
    const std::string text = address.to_string();
    return std::ranges::any_of(settings.own_addresses, [&text](const net::Address& own) {
        return own.to_string() == text;
    });
}

// The addresses of `authority` that policy lets us dial. What was checked is what is dialled:
// nothing resolves again.
Task<Expected<std::vector<net::Address>>> allowed_addresses(Context& context,
                                                            filters::Authority authority,
                                                            std::string& proxy_error) {
    proxy_error = "dns_error";
    auto resolved = co_await net::resolve(context.services.pool, context.loop,
                                          std::string(authority.host), authority.port);
    if (!resolved) co_return fail(std::move(resolved.error()));
    proxy_error = "destination_ip_prohibited";
    Error refusal;
    std::vector<net::Address> allowed;
    for (const net::Address& address : *resolved) {
        auto verdict = context.settings->destinations->check(address);
        if (verdict && is_own(address, *context.settings))
            verdict = fail(Errc::denied, "This proxy does not tunnel to itself.");
        if (verdict)
            allowed.push_back(address);
        else
            refusal = std::move(verdict.error());
    }
    if (allowed.empty()) co_return fail(std::move(refusal));
    co_return allowed;
}

std::string_view connect_error(Errc code) {
    return code == Errc::timed_out ? "connection_timeout" : "connection_refused";
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

Task<void> run_tunnel(Context& context, net::Socket& upstream) {
    const std::string established = "HTTP/1.1 200 Connection established\r\n\r\n";
    context.out.close_after();
    auto told = co_await context.client.write(established, context.settings->write_timeout);
    if (!told) co_return;
    context.record.status = 200;
    auto early = co_await send_early_bytes(context, upstream);
    if (!early) co_return;
    net::TunnelBytes bytes;
    context.cancel = [&context, &upstream] {
        context.client.close();
        upstream.close();
    };
    auto ended = co_await net::tunnel(context.client, upstream,
                                      context.settings->tunnel_idle_timeout, bytes);
    context.cancel = nullptr;
    context.record.bytes = bytes.to_left;
    context.record.received += bytes.to_right;
    if (!ended && ended.error().code != Errc::closed) context.record.error = ended.error().what;
}

}  // namespace

Task<void> open_tunnel(Context& context) {
    context.record.source = "tunnel";
    context.record.url = context.request.target;
    context.out.close_after();
    const auto authority = filters::parse_authority(context.request.target);
    if (!authority) {
        co_await answer(context, 400, "http_request_error", authority.error().what);
        co_return;
    }
    const std::string host(authority->host);
    if (context.settings->rules->may_match_host(host))
        context.services.observer.tunnel_could_have_been_cached(host);
    auto port_allowed = context.settings->destinations->check_connect_port(authority->port);
    if (!port_allowed) {
        co_await answer(context, 403, "http_request_denied", port_allowed.error().what);
        co_return;
    }
    std::string proxy_error;
    auto addresses = co_await allowed_addresses(context, *authority, proxy_error);
    if (!addresses) {
        co_await answer(context, addresses.error(), proxy_error);
        co_return;
    }
    auto upstream =
        co_await net::connect(context.loop, *addresses, context.settings->connect_timeout);
    if (!upstream) {
        co_await answer(context, upstream.error(), connect_error(upstream.error().code));
        co_return;
    }
    co_await run_tunnel(context, **upstream);
}

}  // namespace hawker::proxy
