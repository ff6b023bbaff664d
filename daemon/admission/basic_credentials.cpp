#include "daemon/admission/basic_credentials.h"

#include "base/base64.h"

#include <algorithm>

namespace hawker::admission {

std::optional<BasicCredentials> parse_basic(std::string_view field) {
    constexpr std::string_view kScheme = "basic ";
    const auto is_same = [](char left, char right) { return (left | 0x20) == (right | 0x20); };
    if (field.size() < kScheme.size() ||
        !std::ranges::equal(field.substr(0, kScheme.size()), kScheme, is_same))
        return std::nullopt;
    field.remove_prefix(kScheme.size());
    while (field.starts_with(' ')) field.remove_prefix(1);
    const auto text = from_base64(field);
    if (!text) return std::nullopt;
    const std::size_t colon = text->find(':');
    if (colon == std::string::npos) return std::nullopt;
    BasicCredentials credentials;
    credentials.user = text->substr(0, colon);
    credentials.password = text->substr(colon + 1);
    return credentials;
}

}  // namespace hawker::admission
