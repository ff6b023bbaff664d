// Basic credentials (RFC 7617 section 2). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hawker::admission {

struct BasicCredentials {
    std::string user;
    std::string password;
};

// The value of (Proxy-)Authorization; nullopt for another scheme and for what cannot be read.
std::optional<BasicCredentials> parse_basic(std::string_view field);

}  // namespace hawker::admission
