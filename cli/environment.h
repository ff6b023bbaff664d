// `hawker env`: the proxy, and what to trust behind it, as settings for a shell, git and pip.
//
// Pure, but for find_bundle().
#pragma once

#include "base/error.h"
#include "cli/ca.h"
#include "cli/shell.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace hawker::cli {

struct EnvironmentQuestion {
    std::string proxy = "http://127.0.0.1:65001";  // "HOST:PORT" is http
    std::string no_proxy;                          // what the environment has already
    Shell shell = Shell::sh;
    std::optional<std::filesystem::path> bundle;  // nullopt: nothing to trust
    std::vector<std::string> clients;             // "git", "pip"; empty: the shell
};

// Errc::invalid for a proxy that is no URL, and for a client that is not known.
Expected<std::string> environment_lines(const EnvironmentQuestion& question);

// The bundle that `hawker ca trust` has made, and the sentence to print when there is an authority
// but no bundle that holds it.
struct FoundBundle {
    std::optional<std::filesystem::path> bundle;
    std::string remark;
};
FoundBundle find_bundle(const Place& place, const std::filesystem::path& given);

}  // namespace hawker::cli
