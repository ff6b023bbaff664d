#include "daemon/route_config.h"

#include "certificates/identity.h"
#include "daemon/option_checks.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

namespace hawker::daemon {

namespace {

Expected<std::string> contents(const std::string& path) {
    std::error_code unknown;
    if (std::filesystem::is_directory(path, unknown))
        return fail(Errc::invalid, fmt::format("{}: this is a directory, not a file", path));
    std::ifstream in(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    if (in.is_open() && !in.bad()) return text;
    const int problem = errno;
    std::string why = system_error(problem, fmt::format("{}: read", path)).what;
    if (problem == EACCES)
        why += "; under systemd hand it over: LoadCredential=, as hawkerd.service says";
    return fail(Errc::invalid, std::move(why));
}

}  // namespace

Expected<std::string> secret_contents(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRWXO | S_IWGRP)) != 0)
        return fail(Errc::invalid,
                    fmt::format("chmod 600 {}: others can read or change this secret", path));
    return contents(path);
}

namespace {

Expected<void> check_authorities(const std::string& path) {
    const auto text = contents(path);
    if (!text) return fail(text.error());
    if (text->contains("-----BEGIN CERTIFICATE-----") && text->contains("-----END CERTIFICATE"))
        return {};
    return fail(Errc::invalid, fmt::format("{}: there is no certificate in PEM form in it", path));
}

Expected<std::vector<net::Address>> addresses(const std::vector<std::string>& texts) {
    std::vector<net::Address> parsed;
    for (const std::string& text : texts) {
        if (const auto ok = check_ip_address(text); !ok) return fail(ok.error());
        parsed.push_back(**net::literal_address(text, 0));
    }
    return parsed;
}

Expected<void> add_credentials(origin::UpstreamProxy& proxy, const std::string& path) {
    const auto text = secret_contents(path);
    if (!text) return fail(text.error());
    const std::string line = text->substr(0, text->find_first_of("\r\n"));
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || colon == 0)
        return fail(Errc::invalid, fmt::format("{}: the first line must be user:password", path));
    proxy.user = line.substr(0, colon);
    proxy.password = line.substr(colon + 1);
    return {};
}

Expected<origin::Via> usual_proxy(const Options& options) {
    const std::string& url = options.text("origin.proxy");
    const std::string& file = options.text("origin.proxy_credentials_file");
    if (url.empty() && !file.empty())
        return fail(Errc::invalid,
                    "origin.proxy_credentials_file: there is no origin.proxy that it is for");
    if (url.empty()) return origin::Via();
    auto proxy = std::make_shared<origin::UpstreamProxy>(*origin::UpstreamProxy::parse(url));
    if (!file.empty())
        if (const auto ok = add_credentials(*proxy, file); !ok)
            return fail(Error(ok.error()).within("origin.proxy_credentials_file"));
    return proxy;
}

Expected<void> set_certificates(origin::RouteException& exception, const OriginSpec& spec) {
    exception.insecure = spec.insecure;
    exception.ca_file = spec.ca_file;
    if (spec.ca_file)
        if (const auto ok = check_authorities(*spec.ca_file); !ok)
            return fail(Error(ok.error()).within("ca_file"));
    if (spec.client_certificate.empty()) {
        if (spec.client_key.empty()) return {};
        return fail(Errc::invalid, "client_key: there is no client_certificate that it is for");
    }
    exception.client_certificate = spec.client_certificate;
    exception.client_key = spec.client_key.empty() ? spec.client_certificate : spec.client_key;
    const auto identity =
        certificates::Identity::load(exception.client_certificate, exception.client_key);
    if (!identity) return fail(Error(identity.error()).within("client_certificate"));
    return {};
}

Expected<origin::RouteException> exception_of(const OriginSpec& spec) {
    origin::RouteException exception;
    for (const std::string& text : spec.hosts) {
        auto host = HostPattern::parse(text);
        if (!host) return fail(std::move(host.error()).within("hosts"));
        exception.hosts.push_back(std::move(*host));
    }
    if (const auto ok = set_certificates(exception, spec); !ok) return fail(ok.error());
    if (spec.proxy == "none") {
        exception.proxy = origin::Via();
    } else if (spec.proxy) {
        auto proxy = origin::UpstreamProxy::parse(*spec.proxy);
        if (!proxy) return fail(std::move(proxy.error()).within("proxy"));
        exception.proxy = std::make_shared<const origin::UpstreamProxy>(std::move(*proxy));
    }
    if (const auto ok = addresses(spec.connect_to); !ok)
        return fail(Error(ok.error()).within("connect_to"));
    exception.connect_to = spec.connect_to;
    auto sources = addresses(spec.source_address);
    if (!sources) return fail(std::move(sources.error()).within("source_address"));
    exception.sources = std::move(*sources);
    return exception;
}

}  // namespace

Expected<ConfiguredRoutes> routes_of(const Options& options, std::span<const OriginSpec> origins,
                                     const std::string& name) {
    ConfiguredRoutes configured;
    origin::RouteOptions routes;
    routes.ca_file = options.text("origin.ca_file");
    if (!routes.ca_file.empty())
        if (const auto ok = check_authorities(routes.ca_file); !ok)
            return fail(Error(ok.error()).within("origin.ca_file"));
    auto proxy = usual_proxy(options);
    if (!proxy) return fail(std::move(proxy.error()));
    routes.proxy = std::move(*proxy);
    // The rest was checked by the options' rows.
    for (const std::string& text : options.list("origin.no_proxy")) (void)routes.no_proxy.add(text);
    routes.sources = *addresses(options.list("origin.source_address"));
    for (const std::string& text : options.list("origin.hosts")) {
        const HostOverride known = *parse_host_override(text);
        routes.hosts[known.name].push_back(known.address);
    }
    for (const OriginSpec& spec : origins) {
        auto exception = exception_of(spec);
        if (!exception)
            return fail(std::move(exception.error()).within(fmt::format("{}:{}", name, spec.line)));
        if (exception->insecure)
            configured.remarks.push_back(
                fmt::format("origins: insecure: whoever is on the way can pretend to be {}; "
                            "ca_file with its authority is the better cure",
                            fmt::join(spec.hosts, ", ")));
        routes.exceptions.push_back(std::move(*exception));
    }
    configured.routes = std::make_shared<const origin::Routes>(std::move(routes));
    return configured;
}

}  // namespace hawker::daemon
