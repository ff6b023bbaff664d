#include "certificates/authority.h"

#include <cstdlib>

#include <unistd.h>

namespace hawker::certificates {

std::filesystem::path default_authority_directory(
    const std::function<const char*(const char*)>& environment, bool is_root) {
    // Several are separated by colons; the first is ours.
    if (const char* const given = environment("STATE_DIRECTORY"); given && *given) {
        const std::string_view directories = given;
        return std::filesystem::path(directories.substr(0, directories.find(':'))) / "ca";
    }
    if (is_root) return "/var/lib/hawker/ca";
    // The XDG specification says that a relative path there is to be ignored.
    if (const char* const xdg = environment("XDG_STATE_HOME"); xdg && *xdg == '/')
        return std::filesystem::path(xdg) / "hawker" / "ca";
    const char* const home = environment("HOME");
    if (!home || *home != '/') return "/var/lib/hawker/ca";
    return std::filesystem::path(home) / ".local" / "state" / "hawker" / "ca";
}

std::filesystem::path default_authority_directory() {
    return default_authority_directory([](const char* name) { return std::getenv(name); },
                                       ::geteuid() == 0);
}

}  // namespace hawker::certificates
