// `hawker ca trust`: the lines that make clients trust the authority, to be pasted into a shell.
//
// Pure, but for this_system().
#pragma once

#include "cli/ca.h"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::cli {

// Where one family of systems keeps the authorities that it trusts.
struct TrustStore {
    std::string family;  // "Debian and Ubuntu"
    // `{ca}` stands for the certificate; without sudo.
    std::vector<std::string> lines;
    std::string bundle;  // all of them in one file
};

// From the text of /etc/os-release and what `uname -s` says. Without lines when it is unknown.
TrustStore trust_store(std::string_view os_release, std::string_view kernel);
TrustStore this_system();

struct TrustQuestion {
    FoundAuthority authority;
    TrustStore store;
    std::filesystem::path bundle;      // the system's authorities and ours
    std::vector<std::string> clients;  // empty: all
    bool is_root = false;
};

// Each group begins with one sentence why. Errc::invalid for a client that is not known.
Expected<std::string> trust_lines(const TrustQuestion& question);
// "system", "git", ...
std::vector<std::string> known_clients();

// Where the bundle lies when nothing else was said: for root where everybody can read it, for
// everybody else in their own state folder.
std::filesystem::path default_bundle(bool is_root);

}  // namespace hawker::cli
