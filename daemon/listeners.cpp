#include "daemon/listeners.h"

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
    const bool admin = spec.offer == Offer::admin;
    net::Loop& first = admin ? control : workers.front()->loop();
    auto listener = net::Listener::open(first, *wanted, spec.mode);
    if (!listener) return fail(std::move(listener).error().within(spec.where));
    const net::Address bound = (*listener)->address();
    if (admin) {
        admins_.emplace_back(spec, bound);
        admin_listeners_.push_back(std::move(*listener));
        return {};
    }
    const std::size_t place = proxies_.size();
    proxies_.emplace_back(spec, bound);
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
    bool found = false;
    for (systemd::PassedSocket& socket : passed_) {
        if (socket.name != spec.passed_name() || !socket.fd) continue;
        found = true;
        const bool admin = spec.offer == Offer::admin;
        const UniqueFd fd = std::move(socket.fd);
        auto listener = adopt_copy(admin ? control : workers.front()->loop(), fd.get());
        if (!listener) return fail(std::move(listener).error().within(spec.where));
        const net::Address bound = (*listener)->address();
        if (const auto ok = check_exposure(spec, bound); !ok) return ok;
        if (admin) {
            admins_.emplace_back(spec, bound);
            admin_listeners_.push_back(std::move(*listener));
            continue;
        }
        const std::size_t place = proxies_.size();
        proxies_.emplace_back(spec, bound);
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

std::vector<std::string> Listeners::take_over(std::span<const ListenerSpec> specs) {
    std::vector<std::string> waiting;
    std::vector<ListenerSpec> next(specs.begin(), specs.end());
    for (std::vector<Bound>* const running : {&proxies_, &admins_}) {
        for (Bound& bound : *running) {
            const auto same = std::ranges::find_if(next, [&](const ListenerSpec& spec) {
                return spec.address == bound.spec.address && spec.offer == bound.spec.offer;
            });
            if (same == next.end()) {
                waiting.push_back(bound.spec.address);
                continue;
            }
            bound.spec = *same;
            // One entry may stand for several passed sockets; of other addresses each has its own.
            if (bound.spec.passed_name().empty()) next.erase(same);
        }
    }
    for (const ListenerSpec& spec : next)
        if (spec.passed_name().empty()) waiting.push_back(spec.address);
    return waiting;
}

std::vector<proxy::ListenerTerms> Listeners::proxy_terms() const {
    std::vector<proxy::ListenerTerms> all;
    for (const Bound& bound : proxies_) {
        proxy::ListenerTerms terms;
        terms.address = bound.address;
        terms.name = bound.address.to_string();
        terms.clients = bound.spec.clients;
        terms.authentication = bound.spec.authentication.value_or(proxy::ProxyAuthentication::none);
        terms.bandwidth = bound.spec.bandwidth;
        all.push_back(std::move(terms));
    }
    return all;
}

std::vector<std::vector<net::Cidr>> Listeners::admin_clients() const {
    std::vector<std::vector<net::Cidr>> all;
    for (const Bound& bound : admins_) all.push_back(bound.spec.clients);
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
    for (const Bound& bound : offer == Offer::proxy ? proxies_ : admins_)
        all.push_back(bound.address.to_string());
    return all;
}

}  // namespace hawker::daemon
