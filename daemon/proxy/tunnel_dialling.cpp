#include "daemon/proxy/tunnel_dialling.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

// Of one name, each for as long as timeouts.connect.
constexpr std::size_t kMostDialled = 4;
constexpr std::size_t kMostOfAHead = 16UL * 1024;  // of an upstream proxy's answer

bool is_own(const net::Address& address, const Settings& settings) {
    const auto has_its_port = [&address](const net::Address& own) {
        return own.port() == address.port();
    };
    if (std::ranges::none_of(settings.own_addresses, has_its_port)) return false;
    const std::string text = address.to_string();
    return std::ranges::any_of(settings.own_addresses, [&text](const net::Address& own) {
        return own.to_string() == text;
    });
}

Task<Expected<std::vector<net::Address>>> addresses_of(Context& context, std::string host,
                                                       std::uint16_t port,
                                                       std::vector<std::string> instead) {
    if (instead.empty()) {
        auto resolved =
            co_await net::resolve(context.services.resolving, context.loop, std::move(host), port);
        co_return resolved;
    }
    std::vector<net::Address> addresses;
    for (const std::string& text : instead)
        addresses.push_back(**net::literal_address(text, port));  // checked by the configuration
    co_return addresses;
}

// Those that policy lets us dial; the last refusal when there are none.
Expected<std::vector<net::Address>> allowed(const std::vector<net::Address>& addresses,
                                            const Settings& settings) {
    Error refusal;
    std::vector<net::Address> kept;
    for (const net::Address& address : addresses) {
        if (kept.size() == kMostDialled) break;
        auto verdict = settings.destinations->check(address);
        if (verdict && is_own(address, settings))
            verdict = fail(Errc::denied, "This proxy does not tunnel to itself.");
        if (verdict)
            kept.push_back(address);
        else
            refusal = std::move(verdict.error());
    }
    if (kept.empty()) return fail(std::move(refusal));
    return kept;
}

std::string_view connect_error(Errc code) {
    return code == Errc::timed_out ? "connection_timeout" : "connection_refused";
}

Task<Expected<FarEnd>> dial_directly(Context& context, filters::Authority authority,
                                     origin::Route route, std::string_view& proxy_error) {
    proxy_error = "dns_error";
    auto resolved = co_await addresses_of(context, std::string(authority.host), authority.port,
                                          std::move(route.addresses));
    if (!resolved) co_return fail(std::move(resolved.error()));
    proxy_error = "destination_ip_prohibited";
    const auto addresses = allowed(*resolved, *context.settings);
    if (!addresses) co_return fail(addresses.error());
    auto socket = co_await net::connect(context.loop, *addresses, context.settings->connect_timeout,
                                        route.sources);
    if (!socket) {
        proxy_error = connect_error(socket.error().code);
        co_return fail(std::move(socket.error()));
    }
    FarEnd end;
    end.socket = std::move(*socket);
    co_return end;
}

// The status of "HTTP/1.1 200 Connection established"; 0 for anything else.
int status_of(std::string_view head) {
    int status = 0;
    if (!head.starts_with("HTTP/1.") || head.size() < 12 || head[8] != ' ') return 0;
    const auto [end, problem] = std::from_chars(head.data() + 9, head.data() + 12, status);
    return problem == std::errc() && end == head.data() + 12 ? status : 0;
}

std::string connect_request(filters::Authority authority, const origin::UpstreamProxy& proxy) {
    const std::string target = fmt::format("{}:{}", authority.host, authority.port);
    const std::string credentials = proxy.authorization();
    const std::string field =
        credentials.empty() ? "" : fmt::format("Proxy-Authorization: {}\r\n", credentials);
    return fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n{1}\r\n", target, field);
}

// Reads up to the end of the final head; what follows it stays in `input`.
Task<Expected<int>> read_answer(net::Socket& socket, net::Deadline deadline, std::string& input) {
    std::array<std::byte, 4096> buffer{};
    for (;;) {
        if (const std::size_t end = input.find("\r\n\r\n"); end != std::string::npos) {
            const int status = status_of(input);
            input.erase(0, end + 4);
            if (status < 100 || status >= 200) co_return status;
            continue;  // an interim answer
        }
        if (input.size() > kMostOfAHead) co_return 0;
        auto got = co_await socket.read(buffer, deadline, "an upstream proxy's answer");
        if (!got) co_return fail(std::move(got.error()));
        if (*got == 0) co_return fail(Errc::closed, "it closed the connection without an answer");
        input.append(reinterpret_cast<const char*>(buffer.data()), *got);
    }
}

Task<Expected<void>> ask(Context& context, FarEnd& end, filters::Authority authority,
                         origin::Via proxy) {
    const net::Deadline deadline = context.settings->connect_timeout;
    const std::string request = connect_request(authority, *proxy);
    auto sent = co_await end.socket->write(request, deadline);
    if (!sent) co_return fail(std::move(sent.error()));
    auto status = co_await read_answer(*end.socket, deadline, end.early);
    if (!status) co_return fail(std::move(status.error()));
    if (*status >= 200 && *status < 300) co_return Expected<void>();
    if (*status != 0) co_return fail(Errc::refused, proxy->refusal(*status));
    co_return fail(Errc::invalid, "its answer to CONNECT is no HTTP");
}

Task<Expected<FarEnd>> dial_through(Context& context, filters::Authority authority,
                                    origin::Route route, std::string_view& proxy_error) {
    const origin::Via proxy = route.proxy;
    const std::string whom = "upstream proxy " + proxy->name();
    proxy_error = "dns_error";
    auto addresses =
        co_await addresses_of(context, proxy->host, proxy->port, std::vector<std::string>());
    if (!addresses) {
        Error error = std::move(addresses.error()).within(whom);
        error.code = Errc::unavailable;
        co_return fail(std::move(error));
    }
    auto socket = co_await net::connect(context.loop, *addresses, context.settings->connect_timeout,
                                        route.sources);
    if (!socket) {
        proxy_error = connect_error(socket.error().code);
        co_return fail(std::move(socket.error()).within(whom));
    }
    FarEnd end;
    end.socket = std::move(*socket);
    proxy_error = "destination_unavailable";
    net::Socket& upstream = *end.socket;
    context.cancel = [&upstream] { upstream.close(); };
    auto opened = co_await ask(context, end, authority, proxy);
    context.cancel = nullptr;
    if (opened) co_return end;
    Error error = std::move(opened.error());
    if (error.code != Errc::refused) error = std::move(error).within(whom);
    // Whatever it was, it was not the client's doing.
    if (error.code != Errc::timed_out) error.code = Errc::unavailable;
    co_return fail(std::move(error));
}

}  // namespace

Task<Expected<FarEnd>> dial(Context& context, filters::Authority authority,
                            std::string_view& proxy_error) {
    const origin::Route route = context.settings->routes->find(authority.host);
    const net::DestinationPolicy& policy = *context.settings->destinations;
    proxy_error = "http_request_denied";
    auto allowed = route.proxy ? policy.check_unresolved(authority.host, authority.port)
                               : policy.check_host(authority.host);
    if (!allowed) co_return fail(std::move(allowed.error()));
    if (route.proxy) {
        auto through = co_await dial_through(context, authority, route, proxy_error);
        co_return through;
    }
    auto directly = co_await dial_directly(context, authority, route, proxy_error);
    co_return directly;
}

}  // namespace hawker::proxy
