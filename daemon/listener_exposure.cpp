// Which listeners hold, and who may reach them: nobody opens a proxy to the world by mistake.
#include "daemon/listeners_config.h"

#include <algorithm>

#include <fmt/format.h>

namespace hawker::daemon {

namespace {

constexpr std::string_view kPassed = "systemd:";

bool wants_certificates(const ListenerSpec& spec) {
    return spec.tls && spec.tls->client_certificates == net::ClientCertificates::required;
}

// Users and their passwords; empty when there are none.
std::string users_file(const Options& options) { return options.text("auth.htpasswd"); }

bool is_local(const net::Address& address) {
    return address.is_loopback() || address.family() == AF_UNIX;
}

// `clients` speaks of other machines: it does not lock this one out of its own listeners.
void fill_in(ListenerSpec& spec, const Options& options) {
    const auto address = net::Address::parse(spec.address);
    if (spec.clients.empty() && !(address && is_local(*address))) {
        spec.clients_are_for_all = true;
        for (const std::string& text : options.list("clients"))
            spec.clients.push_back(*net::Cidr::parse(text));  // checked by the option's row
    }
    if (!spec.authentication && spec.offer == Offer::proxy)
        spec.authentication = users_file(options).empty() ? proxy::ProxyAuthentication::none
                                                          : proxy::ProxyAuthentication::required;
}

// Who asks for users must know some.
Expected<void> check_users(const ListenerSpec& spec, const Options& options) {
    const bool asks =
        spec.authentication && *spec.authentication != proxy::ProxyAuthentication::none;
    if (!asks || wants_certificates(spec) || !users_file(options).empty()) return {};
    return fail(Errc::invalid,
                fmt::format("{}: auth: nothing says who the users are. Add\n"
                            "  auth: {{htpasswd: /etc/hawker/users}}\n"
                            "or, to this listener,\n"
                            "  tls: {{certificate: FILE, key: FILE, client_ca: FILE}}",
                            spec.where));
}

std::vector<ListenerSpec> short_forms(std::string_view key, Offer offer, const Options& options) {
    std::vector<ListenerSpec> specs;
    for (const std::string& address : options.list(key)) {
        ListenerSpec spec;
        spec.where = fmt::format("{}: {}", options.where(key), key);
        spec.address = address;
        spec.offer = offer;
        specs.push_back(std::move(spec));
    }
    return specs;
}

Expected<void> check_exposure(const ListenerSpec& spec, const net::Address& address) {
    if (is_local(address)) return {};
    if (!spec.clients.empty() || wants_certificates(spec)) return {};
    if (spec.authentication == proxy::ProxyAuthentication::required) return {};
    const bool admin = spec.offer == Offer::admin;
    return fail(
        Errc::denied,
        fmt::format("{}: {} can be reached from other machines, and nothing says who may use it. "
                    "Add one of these two lines:\n"
                    "  clients: [10.0.0.0/8]    # the networks that your clients are in\n"
                    "  {}\n"
                    "or listen on a loopback address. Without one of them {}.",
                    spec.where, address.to_string(),
                    spec.offer != Offer::proxy
                        ? "tls: {certificate: FILE, key: FILE, client_ca: FILE}    # of this "
                          "listener"
                        : "auth: {htpasswd: /etc/hawker/users}    # who has a password there",
                    admin ? "everybody sees what is cached and for which URLs"
                          : "everybody could use this machine to reach what it reaches"));
}

}  // namespace

std::string_view ListenerSpec::passed_name() const {
    const std::string_view text = address;
    return text.starts_with(kPassed) ? text.substr(kPassed.size()) : std::string_view();
}

Expected<void> check_listener_address(const std::string& text) {
    if (text.starts_with(kPassed) && text.size() > kPassed.size()) return {};
    if (const auto address = net::Address::parse(text); !address) return fail(address.error());
    return {};
}

Expected<ListenerSpec> at_address(ListenerSpec spec, const net::Address& address) {
    if (spec.clients_are_for_all && is_local(address)) spec.clients.clear();
    if (const auto ok = check_exposure(spec, address); !ok) return fail(ok.error());
    return spec;
}

Expected<std::vector<ListenerSpec>> resolve_listeners(std::vector<ListenerSpec> section,
                                                      const Options& options) {
    std::vector<ListenerSpec> all;
    for (const auto& [key, offer] :
         {std::pair{"listen", Offer::proxy}, std::pair{"admin.listen", Offer::admin}}) {
        const bool covered =
            std::ranges::find(section, offer, &ListenerSpec::offer) != section.end();
        for (ListenerSpec& spec : section)
            if (spec.offer == offer) all.push_back(spec);
        if (covered && options.where(key) == "default") continue;
        for (ListenerSpec& spec : short_forms(key, offer, options)) all.push_back(std::move(spec));
    }
    if (all.empty() || all.front().offer != Offer::proxy)
        return fail(Errc::invalid,
                    fmt::format("{}: listen: there is no address to listen on; leave it out for "
                                "127.0.0.1:65001",
                                options.where("listen")));
    for (ListenerSpec& spec : all)
        if (const auto ok = complete_listener(spec, options); !ok) return fail(ok.error());
    return all;
}

Expected<void> complete_listener(ListenerSpec& spec, const Options& options) {
    fill_in(spec, options);
    if (const auto ok = check_users(spec, options); !ok) return ok;
    if (!spec.passed_name().empty()) return {};  // asked again when it is known
    const auto address = net::Address::parse(spec.address);
    if (!address) return fail(Error(address.error()).within(spec.where));
    return check_exposure(spec, *address);
}

}  // namespace hawker::daemon
