#include "daemon/proxy/mirror.h"

#include "daemon/proxy/exchange.h"
#include "daemon/proxy/forwarding.h"

#include <fmt/format.h>

namespace hawker::proxy {

std::string_view target_of(const http::RequestHead& request) {
    std::string_view target = request.target;
    if (request.form == http::TargetForm::asterisk) return "/";
    if (request.form != http::TargetForm::absolute) return target;
    const std::size_t authority = target.find("//");
    const std::size_t path = target.find_first_of("/?", authority + 2);
    return path == std::string_view::npos ? "/" : target.substr(path);
}

MirrorTurn turn_of(const Context& context, const Mirror& mirror, std::string_view target) {
    MirrorTurn turn;
    for (const std::string& upstream : mirror.upstreams)
        turn.urls.push_back(
            fmt::format("{}{}{}", upstream, target.starts_with('/') ? "" : "/", target));
    turn.upstreams = mirror.health;
    const auto host = context.request.fields.get("Host");
    turn.own_base = fmt::format(
        "{}://{}", context.listener().tls ? "https" : "http",
        host && !host->empty() ? std::string(*host) : context.listener().address.to_string());
    turn.asks_nobody = mirror.offline;
    turn.wanted = fmt::format("'{}'", target.substr(0, target.find('?')));
    if (is_read(context.request) && !context.request.fields.has("Authorization"))
        turn.token = mirror.token;
    return turn;
}

void hide_session(const MirrorTurn& turn, http::ResponseHead& head) {
    if (!turn.token.empty()) head.fields.remove("Set-Cookie");
}

void turn_to_client(const MirrorTurn& turn, http::ResponseHead& head) {
    if (turn.down) turn.down(head);
    hide_session(turn, head);
}

std::string not_here(std::string_view wanted) {
    return fmt::format(
        "Set 'offline: false' for this mirror, or ask for what it has: {} is not in its cache.",
        wanted);
}

std::optional<std::string> in_our_name(std::string_view text, const Mirror& mirror,
                                       std::string_view own_base) {
    for (const std::string& upstream : mirror.upstreams) {
        if (!text.starts_with(upstream)) continue;
        const std::string_view rest = text.substr(upstream.size());
        if (rest.empty() || rest.front() == '/' || rest.front() == '?')
            return fmt::format("{}{}", own_base, rest);
    }
    return std::nullopt;
}

void locations_in_our_name(http::ResponseHead& head, const Mirror& mirror,
                           std::string_view own_base) {
    for (const std::string_view name : {"Location", "Content-Location"}) {
        const auto value = head.fields.get(name);
        const auto ours = value ? in_our_name(*value, mirror, own_base) : std::nullopt;
        if (ours) head.fields.set(name, *ours);
    }
}

Task<void> serve_mirror(Context& context, const Mirror& mirror) {
    if (context.request.form == http::TargetForm::authority) {
        co_await answer(context, 405, "http_request_denied",
                        "Set the address of a forward proxy as https_proxy: this one is a mirror, "
                        "which opens no tunnels.");
        co_return;
    }
    co_await mirror.kind->serve(context, mirror);
}

}  // namespace hawker::proxy
