#include "daemon/origin/easy.h"
#include "daemon/origin/easy_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hawker::origin {

namespace {

// Nothing of the environment: what is not configured is not there.
void set_proxy(Options& options, const UpstreamProxy* proxy) {
    options.set(CURLOPT_NOPROXY, proxy ? "" : "*");
    options.set(CURLOPT_PROXY, proxy ? proxy->name() : std::string());
    if (!proxy) return;
    options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    options.set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
    if (proxy->user.empty()) return;
    options.set(CURLOPT_PROXYAUTH, CURLAUTH_BASIC);
    options.set(CURLOPT_PROXYUSERNAME, proxy->user);
    options.set(CURLOPT_PROXYPASSWORD, proxy->password);
}

void set_certificates(Options& options, const Route& route) {
    options.set(CURLOPT_SSL_VERIFYPEER, route.insecure ? 0L : 1L);
    options.set(CURLOPT_SSL_VERIFYHOST, route.insecure ? 0L : 2L);
    if (!route.ca_file.empty()) {
        options.set(CURLOPT_CAINFO, route.ca_file);
        // Else those of the system's directory would still be trusted beside it.
        options.set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    }
    if (route.client_certificate.empty()) return;
    options.set(CURLOPT_SSLCERT, route.client_certificate);
    options.set(CURLOPT_SSLKEY, route.client_key);
}

}  // namespace

Expected<NameList> set_route(CURL* easy, const Target& target, const Route& route) {
    Options options(easy);
    set_proxy(options, route.proxy.get());
    set_certificates(options, route);
    NameList names;
    if (!route.addresses.empty()) {
        const std::string line =
            fmt::format("{}:{}:{}", target.host(), target.port(), fmt::join(route.addresses, ","));
        names.reset(curl_slist_append(nullptr, line.c_str()));
        if (!names) return fail(Errc::exhausted, "no memory for the origin's addresses");
        options.set(CURLOPT_RESOLVE, names.get());
    }
    auto set = options.result();
    if (!set) return fail(std::move(set.error()));
    return names;
}

}  // namespace hawker::origin
