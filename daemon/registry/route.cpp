#include "daemon/registry/route.h"

#include "filters/query.h"

#include <algorithm>

#include <fmt/format.h>

namespace hawker::registry {

namespace {

constexpr std::string_view kAlgorithm = "sha256:";
constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestTag = 128;

bool is_lower(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_word(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z') || c == '_'; }

// Runs of letters and digits, with '.', '_', '__' or any number of '-' between two of them.
bool is_component(std::string_view text) {
    if (text.empty() || !is_lower(text.front()) || !is_lower(text.back())) return false;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t begin = i;
        while (!is_lower(text[i])) ++i;
        const std::string_view separator = text.substr(begin, i - begin);
        const bool is_good = separator.empty() || separator == "." || separator == "_" ||
                             separator == "__" ||
                             separator.find_first_not_of('-') == std::string_view::npos;
        if (!is_good) return false;
        while (i < text.size() && is_lower(text[i])) ++i;
    }
    return true;
}

bool is_name(std::string_view text) {
    if (text.empty() || text.size() > kLongestName) return false;
    for (;;) {
        const std::size_t slash = std::min(text.find('/'), text.size());
        if (!is_component(text.substr(0, slash))) return false;
        if (slash == text.size()) return true;
        text.remove_prefix(slash + 1);
    }
}

bool is_tag(std::string_view text) {
    const auto fits = [](char c) { return is_word(c) || c == '.' || c == '-'; };
    return !text.empty() && text.size() <= kLongestTag && is_word(text.front()) &&
           std::ranges::all_of(text, fits);
}

// Takes the last segment off `path`.
std::string_view take_last(std::string_view& path) {
    const std::size_t slash = path.rfind('/');
    const std::string_view last = slash == std::string_view::npos ? path : path.substr(slash + 1);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
    return last;
}

Subject subject_of(std::string_view word, std::string_view last, bool has_digest) {
    if (word == "manifests" && (has_digest || is_tag(last))) return Subject::manifest;
    if (word == "blobs" && has_digest) return Subject::blob;
    if (word == "referrers" && has_digest) return Subject::referrers;
    if (word == "tags" && last == "list") return Subject::tags;
    return Subject::other;
}

}  // namespace

std::optional<Digest> parse_digest(std::string_view text) {
    if (!text.starts_with(kAlgorithm)) return std::nullopt;
    text.remove_prefix(kAlgorithm.size());
    const bool is_lower_case =
        std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
    return is_lower_case ? Digest::from_hex(text) : std::nullopt;
}

std::string digest_text(const Digest& digest) {
    return fmt::format("{}{}", kAlgorithm, digest.hex());
}

bool is_registry_target(std::string_view target) {
    return target == "/v2" || target.starts_with("/v2/") || target.starts_with("/v2?");
}

Route route_of(std::string_view target) {
    Route route;
    std::string path = filters::percent_normal_form(target.substr(0, target.find('?')));
    // The one escape that clients write there without need.
    if (const std::size_t colon = path.rfind("%3A"); colon != std::string::npos)
        path.replace(colon, 3, ":");
    std::string_view rest = path;
    if (!rest.starts_with("/v2/")) return route;
    rest.remove_prefix(4);
    if (rest.empty()) route.subject = Subject::base;
    if (rest == "_catalog") route.subject = Subject::catalog;
    if (route.subject != Subject::other) return route;
    const std::string_view last = take_last(rest);
    const std::string_view word = take_last(rest);
    const auto digest = parse_digest(last);
    const Subject subject = subject_of(word, last, digest.has_value());
    if (subject == Subject::other || !is_name(rest)) return route;
    route.subject = subject;
    route.name = rest;
    route.reference = last;
    route.digest = digest;
    return route;
}

}  // namespace hawker::registry
