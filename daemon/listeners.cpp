#include "daemon/listeners.h"

#include "certificates/identity.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>

namespace hawker::daemon {

namespace {

// All copies of a descriptor share the queue of connections; each loop takes from it what it can.
Expected<std::unique_ptr<net::Listener>> adopt_copy(net::Loop& loop, int fd) {
    UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!copy) return fail(system_error(errno, "copy a socket from systemd"));
    return net::Listener::adopt(loop, std::move(copy));
}

// The same socket, whatever the terms.
bool is_same(const ListenerSpec& one, const ListenerSpec& other) {
    return one.address == other.address && one.offer == other.offer;
}

// Null for a plain listener. `before`: the one whose clients it takes over, or null.
Expected<std::shared_ptr<const net::TlsServer>> tls_server(
    const ListenerSpec& spec, std::shared_ptr<const net::TlsServer> before = nullptr) {
    if (!spec.tls) return nullptr;
    const TlsFiles& files = *spec.tls;
    auto identity = certificates::Identity::load(files.certificate, files.key);
    if (!identity) return fail(std::move(identity).error().within(spec.where));
    net::TlsServerOptions options;
    options.identity = std::move(*identity);
    options.client_ca_file = files.client_ca;
    options.client_certificates = files.client_certificates;
    options.before = std::move(before);
    auto server = net::TlsServer::create(options);
    if (!server) return fail(std::move(server).error().within(spec.where));
    return server;
}

// Clients of a socket that nobody takes would wait for ever: systemd holds it open.
Expected<void> check_all_are_taken(std::span<const systemd::PassedSocket> sockets,
                                   std::span<const ListenerSpec> specs) {
    for (const systemd::PassedSocket& socket : sockets)
        if (std::ranges::find(specs, socket.name, &ListenerSpec::passed_name) == specs.end())
            return fail(Errc::invalid,
                        fmt::format("systemd passed a socket '{0}' that no listener takes. Add\n"
                                    "  listen: [systemd:{0}]\n"
                                    "to the configuration, or stop its socket unit",
                                    socket.name));
    return {};
}

}  // namespace

Expected<void> check_certificates(std::span<const ListenerSpec> specs) {
    for (const ListenerSpec& spec : specs)
        if (auto server = tls_server(spec); !server) return fail(std::move(server).error());
    return {};
}

// A Unix socket has no URL.
std::string Listeners::Bound::name() const {
    const std::string text = address.to_string();
    return tls && address.family() != AF_UNIX ? "https://" + text : text;
}

Expected<void> Listeners::open(std::span<const ListenerSpec> specs, Workers workers,
                               net::Loop& control) {
    passed_ = systemd::passed_sockets();
    // Before addresses are bound: it explains why one of them is in use.
    if (const auto ok = check_all_are_taken(passed_, specs); !ok) return ok;
    for (const ListenerSpec& spec : specs) {
        const auto ok = spec.passed_name().empty() ? open_own(spec, workers, control)
                                                   : adopt_passed(spec, workers, control);
        if (!ok) return fail(ok.error());
    }
    return {};
}

// Unix sockets cannot be bound twice: the first worker has them alone.
Expected<void> Listeners::open_own(const ListenerSpec& spec, Workers workers, net::Loop& control) {
    const auto wanted = net::Address::parse(spec.address);
    if (!wanted) return fail(Error(wanted.error()).within(spec.where));
    auto tls = tls_server(spec);
    if (!tls) return fail(std::move(tls).error());
    // Of another program, or of another listener of ours: the kernel would give each of them some
    // of the connections.
    if (const auto ok = net::Listener::check_is_free(*wanted); !ok)
        return fail(Error(ok.error()).within(spec.where));
    const bool admin = spec.offer == Offer::admin;
    net::Loop& first = admin ? control : workers.front()->loop();
    auto listener = net::Listener::open(first, *wanted, spec.mode);
    if (!listener) return fail(std::move(listener).error().within(spec.where));
    const net::Address bound = (*listener)->address();
    if (admin) {
        admins_.emplace_back(spec, bound, *tls);
        admin_listeners_.push_back(std::move(*listener));
        return {};
    }
    const std::size_t place = proxies_.size();
    proxies_.emplace_back(spec, bound, *tls);
    workers.front()->accept_at(std::move(*listener), place);
    if (bound.family() == AF_UNIX) return {};
    for (const auto& worker : workers.subspan(1)) {
        auto another = net::Listener::open(worker->loop(), bound);
        if (!another) return fail(std::move(another).error().within(spec.where));
        worker->accept_at(std::move(*another), place);
    }
    return {};
}

Expected<void> Listeners::adopt_passed(const ListenerSpec& spec, Workers workers,
                                       net::Loop& control) {
    auto tls = tls_server(spec);
    if (!tls) return fail(std::move(tls).error());
    bool found = false;
    for (systemd::PassedSocket& socket : passed_) {
        if (socket.name != spec.passed_name() || !socket.fd) continue;
        found = true;
        const bool admin = spec.offer == Offer::admin;
        const UniqueFd fd = std::move(socket.fd);
        auto listener = adopt_copy(admin ? control : workers.front()->loop(), fd.get());
        if (!listener) return fail(std::move(listener).error().within(spec.where));
        const net::Address bound = (*listener)->address();
        auto here = at_address(spec, bound);
        if (!here) return fail(std::move(here).error());
        if (admin) {
            admins_.emplace_back(std::move(*here), bound, *tls);
            admin_listeners_.push_back(std::move(*listener));
            continue;
        }
        const std::size_t place = proxies_.size();
        proxies_.emplace_back(std::move(*here), bound, *tls);
        workers.front()->accept_at(std::move(*listener), place);
        for (const auto& worker : workers.subspan(1)) {
            auto another = adopt_copy(worker->loop(), fd.get());
            if (!another) return fail(std::move(another).error().within(spec.where));
            worker->accept_at(std::move(*another), place);
        }
    }
    if (found) return {};
    return fail(Errc::invalid,
                fmt::format("{}: systemd passed no socket of the name '{}'. Start the socket unit "
                            "(systemctl enable --now hawkerd.socket), with FileDescriptorName={}",
                            spec.where, spec.passed_name(), spec.passed_name()));
}

const Listeners::Bound* Listeners::running_as(const ListenerSpec& spec) const {
    for (const auto* const running : {&proxies_, &admins_})
        for (const Bound& bound : *running)
            if (is_same(bound.spec, spec)) return &bound;
    return nullptr;
}

Expected<std::vector<std::string>> Listeners::take_over(std::span<const ListenerSpec> specs) {
    std::vector<Bound> next;  // not bound: their addresses stay empty
    for (const ListenerSpec& spec : specs) {
        const Bound* const before = running_as(spec);
        auto tls = tls_server(spec, before ? before->tls : nullptr);
        if (!tls) return fail(std::move(tls).error());
        next.emplace_back(spec, net::Address(), std::move(*tls));
        for (const auto* const running : {&proxies_, &admins_})
            for (const Bound& bound : *running)
                if (is_same(bound.spec, spec))
                    if (const auto ok = at_address(spec, bound.address); !ok)
                        return fail(ok.error());
    }
    std::vector<std::string> waiting;
    for (std::vector<Bound>* const running : {&proxies_, &admins_}) {
        for (Bound& bound : *running) {
            const auto same = std::ranges::find_if(
                next, [&](const Bound& each) { return is_same(each.spec, bound.spec); });
            if (same == next.end()) {
                waiting.push_back(bound.spec.address);
                continue;
            }
            bound.spec = *at_address(same->spec, bound.address);  // asked above
            bound.tls = same->tls;
            // One entry may stand for several passed sockets; of other addresses each has its own.
            if (bound.spec.passed_name().empty()) next.erase(same);
        }
    }
    for (const Bound& each : next)
        if (each.spec.passed_name().empty()) waiting.push_back(each.spec.address);
    return waiting;
}

std::vector<proxy::ListenerTerms> Listeners::proxy_terms() const {
    std::vector<proxy::ListenerTerms> all;
    for (const Bound& bound : proxies_) {
        proxy::ListenerTerms terms;
        terms.address = bound.address;
        terms.name = bound.name();
        terms.tls = bound.tls;
        terms.clients = bound.spec.clients;
        terms.authentication = bound.spec.authentication.value_or(proxy::ProxyAuthentication::none);
        terms.bandwidth = bound.spec.bandwidth;
        terms.mirror = bound.spec.mirror;
        all.push_back(std::move(terms));
    }
    return all;
}

std::vector<admin::Terms> Listeners::admin_terms() const {
    std::vector<admin::Terms> all;
    for (const Bound& bound : admins_) {
        admin::Terms terms;
        terms.tls = bound.tls;
        terms.clients = bound.spec.clients;
        all.push_back(std::move(terms));
    }
    return all;
}

std::vector<net::Address> Listeners::addresses() const {
    std::vector<net::Address> all;
    for (const auto* const some : {&proxies_, &admins_})
        for (const Bound& bound : *some) all.push_back(bound.address);
    return all;
}

std::vector<std::string> Listeners::names(Offer offer) const {
    std::vector<std::string> all;
    for (const Bound& bound : offer == Offer::admin ? admins_ : proxies_)
        if (bound.spec.offer == offer) all.push_back(bound.name());
    return all;
}

}  // namespace hawker::daemon
