// Base64 with the standard alphabet and padding (RFC 4648 section 4).
//
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hawker {

std::string to_base64(std::string_view bytes);
// nullopt for anything else than the one spelling: a foreign character, missing padding, a blank.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace hawker
