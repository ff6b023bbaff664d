// `hawker ca init` and `hawker ca show`: the certificate authority for interception, made and
// described.
//
// Failure: as certificates/authority.h, in words for the person at the terminal.
#pragma once

#include "base/clock.h"
#include "certificates/description.h"
#include "cli/commands.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace hawker::cli {

struct NewAuthority {
    std::filesystem::path directory;  // empty: certificates::default_authority_directory()
    std::string name;                 // empty: one that names this machine
    std::vector<std::string> permitted_domains;
    unsigned days = 3650;
    std::string why_unconstrained;  // why there are no domains, or empty
};

// Makes it, and says what to do next. Errc::invalid when there is one: it is never replaced.
Expected<std::string> init_authority(NewAuthority order, WallTime now);

// The public half. With nothing given, that of this user, else that of the machine.
struct Place {
    std::filesystem::path directory;
    std::filesystem::path certificate;  // wins
};
struct FoundAuthority {
    std::filesystem::path certificate;
    certificates::Description description;
};
Expected<FoundAuthority> find_authority(const Place& place);

enum class Form : std::uint8_t { people, json, pem };
Expected<std::string> show_authority(const Place& place, Form form);

}  // namespace hawker::cli
