#include "daemon/proxy/interception.h"

#include "filters/url.h"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

// As the client wrote it when it asked for the tunnel: nearly always.
bool is_written_alike(const Intercepted& tunnel, std::string_view authority) {
    if (!authority.starts_with(tunnel.host)) return false;
    const std::string_view port = authority.substr(tunnel.host.size());
    if (port.empty()) return tunnel.port == 443;
    std::array<char, 5> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), tunnel.port).ptr;
    return port.front() == ':' && port.substr(1) == std::string_view(digits.begin(), end);
}

// "host[:port]" of a Host field or an absolute target.
bool is_for(const Intercepted& tunnel, std::string_view authority) {
    if (is_written_alike(tunnel, authority)) return true;
    const std::string written(authority);
    auto named = filters::parse_authority(written);
    const std::string with_port = written + ":443";
    if (!named) named = filters::parse_authority(with_port);
    return named && named->port == tunnel.port &&
           plain_host(named->host) == plain_host(tunnel.host);
}

std::string authority_of(const Intercepted& tunnel) {
    return tunnel.port == 443 ? tunnel.host : fmt::format("{}:{}", tunnel.host, tunnel.port);
}

std::unexpected<Error> for_another(const Intercepted& tunnel) {
    return fail(Errc::refused, fmt::format("This tunnel leads to {}: open another one for another "
                                           "host or port.",
                                           authority_of(tunnel)));
}

}  // namespace

Interception::Interception(InterceptedHosts hosts, std::shared_ptr<const filters::RuleSet> rules,
                           std::shared_ptr<certificates::LeafStore> leaves,
                           std::shared_ptr<const net::TlsServer> server)
    : hosts_(std::move(hosts)),
      rules_(std::move(rules)),
      leaves_(std::move(leaves)),
      server_(std::move(server)) {}

bool Interception::wants(std::string_view host) const {
    const std::string plain = plain_host(host);
    const bool is_named =
        any_matches(hosts_.patterns, plain) || (hosts_.of_rules && rules_->may_match_host(plain));
    return is_named && leaves_->authority().permits(plain);
}

Expected<std::string_view> url_inside(const Intercepted& tunnel, const http::RequestHead& request,
                                      std::string& room) {
    switch (request.form) {
        case http::TargetForm::authority:
            return fail(Errc::invalid,
                        "CONNECT inside an intercepted tunnel: ask the proxy itself for another "
                        "tunnel.");
        case http::TargetForm::absolute: {
            const auto url = filters::parse_url(request.target);
            if (!url) return fail(url.error());
            const bool same = url->scheme == filters::Scheme::https && url->port == tunnel.port &&
                              plain_host(url->host) == plain_host(tunnel.host);
            if (!same) return for_another(tunnel);
            return std::string_view(request.target);
        }
        default:
            break;
    }
    // The client's own spelling of the host: signatures cover it.
    const std::string_view authority = request.fields.get("Host").value_or("");
    room = "https://";
    if (authority.empty())
        room += authority_of(tunnel);
    else if (is_for(tunnel, authority))
        room += authority;
    else
        return for_another(tunnel);
    if (request.form != http::TargetForm::asterisk) room += request.target;
    return std::string_view(room);
}

}  // namespace hawker::proxy
