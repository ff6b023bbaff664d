#include "daemon/proxy/admittance.h"

namespace hawker::proxy {

namespace {

Task<void> ask_for_user(Context& context, Admittance why) {
    context.services.observer.asked_for_user(why);
    std::string sentence = why == Admittance::missing
                               ? "This proxy asks for a user and a password: they stand in the "
                                 "proxy's address, before its host (docs/users.md shows how)."
                               : "This proxy does not know this user with this password.";
    co_await answer(context, 407, "http_request_denied", std::move(sentence));
}

// One password at a time, and what is remembered needs no wait.
Task<Expected<bool>> verify(Context& context, admission::BasicCredentials credentials) {
    const std::shared_ptr<const admission::Htpasswd> passwords =
        context.settings->users->passwords();
    if (!passwords) co_return false;
    admission::Authenticator& authenticator = context.services.authenticator;
    if (const auto known = authenticator.recall(*passwords, credentials)) co_return *known;
    auto verdict = co_await authenticator.check(passwords, std::move(credentials),
                                                std::string(context.client_name),
                                                context.settings->remember_passwords, context.loop);
    co_return verdict;
}

}  // namespace

bool is_admitted_at_once(Context& context) {
    // A certificate, or the CONNECT that this request came through, has said it already.
    if (!context.known_user.empty()) {
        context.record.user = context.known_user;
        return true;
    }
    return context.listener().authentication == ProxyAuthentication::none || context.inside;
}

Task<bool> admit(Context& context) {
    if (is_admitted_at_once(context)) co_return true;
    const ProxyAuthentication asked = context.listener().authentication;
    const auto field = context.request.fields.get("Proxy-Authorization");
    if (!field) {
        if (asked == ProxyAuthentication::optional) co_return true;
        co_await ask_for_user(context, Admittance::missing);
        co_return false;
    }
    auto credentials = admission::parse_basic(*field);
    if (!credentials) {
        co_await ask_for_user(context, Admittance::wrong);
        co_return false;
    }
    const std::string user = credentials->user;
    auto verdict = co_await verify(context, std::move(*credentials));
    if (!verdict) {
        context.services.observer.asked_for_user(Admittance::busy);
        co_await answer(context, verdict.error(), "connection_limit_reached");
        co_return false;
    }
    if (!*verdict) {
        co_await ask_for_user(context, Admittance::wrong);
        co_return false;
    }
    context.services.observer.asked_for_user(Admittance::admitted);
    context.record.user = user;
    co_return true;
}

}  // namespace hawker::proxy
