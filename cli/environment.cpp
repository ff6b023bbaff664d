#include "cli/environment.h"

#include "cli/trust.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

namespace hawker::cli {

namespace {

// What no proxy can reach for us, or refuses to: names and networks of this place alone.
constexpr std::string_view kNoProxy =
    "localhost,127.0.0.1,::1,.localhost,.local,.internal,.lan,.home.arpa,10.0.0.0/8,172.16.0.0/12,"
    "192.168.0.0/16";
constexpr std::array<std::string_view, 4> kProxyVariables = {"http_proxy", "https_proxy",
                                                             "HTTP_PROXY", "HTTPS_PROXY"};
constexpr std::array<std::string_view, 6> kBundleVariables = {
    "SSL_CERT_FILE",  "REQUESTS_CA_BUNDLE",  "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS", "PIP_CERT"};

std::vector<std::string> entries(std::string_view list) {
    std::vector<std::string> found;
    std::istringstream parts{std::string(list)};
    for (std::string part; std::getline(parts, part, ',');) {
        std::erase(part, ' ');
        if (!part.empty()) found.push_back(std::move(part));
    }
    return found;
}

// Of http://[user@]HOST[:PORT][/...]: its mirrors are asked directly.
std::string_view host_of(std::string_view proxy) {
    std::string_view authority = proxy.substr(proxy.find("://") + 3);
    authority = authority.substr(0, authority.find('/'));
    authority.remove_prefix(authority.rfind('@') + 1);
    if (authority.starts_with('[')) return authority.substr(1, authority.find(']') - 1);
    return authority.substr(0, authority.find(':'));
}

// What was there stays, and comes first.
std::string joined_no_proxy(std::string_view before, std::string_view proxy) {
    std::vector<std::string> all = entries(before);
    std::vector<std::string> own = entries(kNoProxy);
    own.emplace_back(host_of(proxy));
    for (std::string& entry : own)
        if (std::ranges::find(all, entry) == all.end()) all.push_back(std::move(entry));
    return fmt::format("{}", fmt::join(all, ","));
}

Expected<std::string> proxy_url(std::string_view given) {
    std::string url(given);
    if (!url.contains("://")) url = "http://" + url;
    const std::string_view rest = std::string_view(url).substr(url.find("://") + 3);
    const bool is_printable = std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f; });
    const bool is_known = url.starts_with("http://") || url.starts_with("https://");
    if (!is_printable || !is_known || rest.empty() || rest.starts_with('/'))
        return fail(Errc::invalid, "--proxy http://HOST:PORT: what was given is no URL of a proxy");
    return url;
}

std::string for_shell(const EnvironmentQuestion& question, const std::string& proxy) {
    std::string text;
    for (const std::string_view name : kProxyVariables)
        text += exported(name, proxy, question.shell);
    const std::string no_proxy = joined_no_proxy(question.no_proxy, proxy);
    for (const std::string_view name : {"no_proxy", "NO_PROXY"})
        text += exported(name, no_proxy, question.shell);
    if (question.bundle)
        for (const std::string_view name : kBundleVariables)
            text += exported(name, question.bundle->native(), question.shell);
    return text;
}

std::string for_git(const EnvironmentQuestion& question, const std::string& proxy) {
    std::string text = fmt::format("git config --global http.proxy {}\n", shell_word(proxy));
    if (question.bundle)
        text += fmt::format("git config --global http.sslCAInfo {}\n",
                            shell_word(question.bundle->native()));
    return text;
}

std::string for_pip(const EnvironmentQuestion& question, const std::string& proxy) {
    std::string text = fmt::format("pip config set global.proxy {}\n", shell_word(proxy));
    if (question.bundle)
        text +=
            fmt::format("pip config set global.cert {}\n", shell_word(question.bundle->native()));
    return text;
}

bool holds(const std::filesystem::path& bundle, const std::string& pem) {
    std::ostringstream text;
    text << std::ifstream(bundle).rdbuf();
    return text.view().contains(pem);
}

}  // namespace

Expected<std::string> environment_lines(const EnvironmentQuestion& question) {
    const auto proxy = proxy_url(question.proxy);
    if (!proxy) return fail(proxy.error());
    std::string text;
    for (const std::string& client : question.clients) {
        if (client != "git" && client != "pip")
            return fail(Errc::invalid, fmt::format("--for {}: not known; there are git and pip, "
                                                   "and without --for the shell",
                                                   client));
        text += client == "git" ? for_git(question, *proxy) : for_pip(question, *proxy);
    }
    if (question.clients.empty()) text = for_shell(question, *proxy);
    return text;
}

FoundBundle find_bundle(const Place& place, const std::filesystem::path& given) {
    FoundBundle found;
    const auto authority = find_authority(place);
    std::vector<std::filesystem::path> candidates = {default_bundle(::geteuid() == 0),
                                                     default_bundle(true)};
    if (!given.empty()) candidates = {std::filesystem::absolute(given)};
    for (const std::filesystem::path& bundle : candidates) {
        std::error_code problem;
        if (!std::filesystem::exists(bundle, problem)) continue;
        // Another authority's bundle would only make everything fail.
        if (authority && !holds(bundle, authority->description.pem)) continue;
        found.bundle = bundle;
        return found;
    }
    if (authority)
        found.remark =
            "paste what `hawker ca trust` prints first, to trust the certificate authority: there "
            "is no bundle that holds it";
    return found;
}

}  // namespace hawker::cli
