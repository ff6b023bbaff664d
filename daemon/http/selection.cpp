#include "daemon/http/selection.h"

#include "daemon/http/grammar.h"

#include <algorithm>

namespace hawker::http {

namespace {

constexpr std::size_t kMostNames = 16;

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

// Content codings, charsets and language tags (RFC 9110 sections 8.4.1, 8.3.2, 8.5.1).
bool ignores_case(std::string_view name) {
    return name == "accept-charset" || name == "accept-encoding" || name == "accept-language";
}

bool has_content_coding(const Fields& response) {
    const std::string codings = response.joined("Content-Encoding");
    return !std::ranges::all_of(list_members(codings), [](std::string_view coding) {
        return equals_ignoring_case(coding, "identity");
    });
}

}  // namespace

std::optional<std::vector<std::string>> selecting_fields(const Fields& response) {
    std::vector<std::string> names;
    const std::string vary = response.joined("Vary");
    for (const std::string_view member : list_members(vary)) {
        if (member == "*" || !is_token(member)) return std::nullopt;
        names.push_back(lower_case(member));
    }
    if (has_content_coding(response)) names.emplace_back("accept-encoding");
    std::ranges::sort(names);
    const auto doubles = std::ranges::unique(names);
    names.erase(doubles.begin(), doubles.end());
    if (names.size() > kMostNames) return std::nullopt;
    return names;
}

std::string selection_of(const Fields& request, std::span<const std::string> names) {
    std::string text;
    for (const std::string& name : names) {
        // A field that is not there and one that is empty are two things.
        text += name;
        text += request.has(name) ? ":" : "-";
        const std::string joined = request.joined(name);
        for (const std::string_view member : list_members(joined)) {
            text += ignores_case(name) ? lower_case(member) : std::string(member);
            text += ',';
        }
        text += '\n';
    }
    return text;
}

}  // namespace hawker::http
