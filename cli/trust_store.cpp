#include "cli/trust.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include <sys/utsname.h>

namespace hawker::cli {

namespace {

struct Family {
    std::string_view ids;  // as ID and ID_LIKE name them, between spaces
    std::string_view name;
    std::string_view first_line;
    std::string_view second_line;
    std::string_view bundle;
};

constexpr std::array kFamilies = {
    Family{.ids = " debian ubuntu ",
           .name = "Debian and Ubuntu",
           .first_line = "install -m 644 {ca} /usr/local/share/ca-certificates/hawker.crt",
           .second_line = "update-ca-certificates",
           .bundle = "/etc/ssl/certs/ca-certificates.crt"},
    Family{.ids = " fedora rhel centos rocky almalinux amzn ",
           .name = "Fedora and RHEL",
           .first_line = "install -m 644 {ca} /etc/pki/ca-trust/source/anchors/hawker.pem",
           .second_line = "update-ca-trust",
           .bundle = "/etc/pki/tls/certs/ca-bundle.crt"},
    Family{.ids = " alpine ",
           .name = "Alpine with the package ca-certificates",
           .first_line = "install -m 644 {ca} /usr/local/share/ca-certificates/hawker.crt",
           .second_line = "update-ca-certificates",
           .bundle = "/etc/ssl/certs/ca-certificates.crt"},
    Family{.ids = " arch ",
           .name = "Arch",
           .first_line = "trust anchor --store {ca}",
           .second_line = "",
           .bundle = "/etc/ssl/certs/ca-certificates.crt"},
    Family{.ids = " suse opensuse sles ",
           .name = "SUSE",
           .first_line = "install -m 644 {ca} /etc/pki/trust/anchors/hawker.pem",
           .second_line = "update-ca-certificates",
           .bundle = "/etc/ssl/ca-bundle.pem"},
};
constexpr Family kMacos = {.ids = "",
                           .name = "macOS",
                           .first_line =
                               "security add-trusted-cert -d -r trustRoot -k "
                               "/Library/Keychains/System.keychain {ca}",
                           .second_line = "",
                           .bundle = "/etc/ssl/cert.pem"};

TrustStore store_of(const Family& family) {
    TrustStore store;
    store.family = family.name;
    store.lines.emplace_back(family.first_line);
    if (!family.second_line.empty()) store.lines.emplace_back(family.second_line);
    store.bundle = family.bundle;
    return store;
}

// The words of `KEY=value` or `KEY="value ..."`.
std::vector<std::string> words_of(std::string_view os_release, std::string_view key) {
    std::vector<std::string> words;
    std::istringstream lines{std::string(os_release)};
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(key)) continue;
        line.erase(0, key.size());
        std::erase_if(line, [](char c) { return c == '"' || c == '\''; });
        std::istringstream list(line);
        for (std::string word; list >> word;) words.push_back(word);
    }
    return words;
}

}  // namespace

TrustStore trust_store(std::string_view os_release, std::string_view kernel) {
    if (kernel == "Darwin") return store_of(kMacos);
    std::vector<std::string> ids = words_of(os_release, "ID=");
    for (std::string& like : words_of(os_release, "ID_LIKE=")) ids.push_back(std::move(like));
    for (const std::string& id : ids) {
        const std::string word = " " + id.substr(0, id.find('-')) + " ";  // opensuse-leap
        const auto found = std::ranges::find_if(
            kFamilies, [&word](const Family& family) { return family.ids.contains(word); });
        if (found != kFamilies.end()) return store_of(*found);
    }
    TrustStore unknown;
    unknown.family = "unknown";
    unknown.bundle = kFamilies.front().bundle;
    return unknown;
}

TrustStore this_system() {
    std::ostringstream os_release;
    os_release << std::ifstream("/etc/os-release").rdbuf();
    struct utsname kernel{};
    ::uname(&kernel);
    return trust_store(os_release.view(), kernel.sysname);
}

}  // namespace hawker::cli
