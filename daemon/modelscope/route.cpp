#include "daemon/modelscope/route.h"

#include "filters/query.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hawker::modelscope {

namespace {

using Segments = std::vector<std::string_view>;

constexpr std::array<std::string_view, 3> kTypes = {"models", "datasets", "studios"};
constexpr std::string_view kApi = "/api/v1/";

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
    return std::ranges::find(words, word) != words.end();
}

bool is_name(std::string_view word) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    };
    return !word.empty() && word.size() <= 128 && word != "." && word != ".." &&
           std::ranges::all_of(word, fits);
}

bool is_plain(std::string_view text) {
    return !text.empty() &&
           std::ranges::all_of(text, [](unsigned char c) { return c >= ' ' && c != 0x7F; });
}

Segments split(std::string_view path) {
    Segments segments;
    for (;;) {
        const std::size_t slash = path.find('/');
        segments.push_back(path.substr(0, slash));
        if (slash == std::string_view::npos) return segments;
        path.remove_prefix(slash + 1);
    }
}

// A path inside of a repository that every server reads the same way.
bool is_path(std::string_view path) {
    return is_plain(path) && path.size() <= 4096 &&
           std::ranges::none_of(split(path), [](std::string_view segment) {
               return segment.empty() || segment == "." || segment == "..";
           });
}

// In a path a '+' is a plus.
std::string decoded_in_path(std::string_view text) {
    std::string plain;
    for (const char c : text) c == '+' ? plain += "%2B" : plain += c;
    return filters::decode_value(plain);
}

// The value of the one parameter of that name, decoded; nullopt when there are several. Empty when
// there is none.
std::optional<std::string> only(std::span<const filters::Parameter> parameters,
                                std::string_view name) {
    std::optional<std::string> value;
    for (const filters::Parameter& parameter : parameters) {
        // Not in another case either: who knows how a server takes that.
        if (!filters::equals_ignoring_case(parameter.name(), name)) continue;
        if (value || parameter.name() != name) return std::nullopt;
        value = filters::decode_value(parameter.value);
    }
    return value.value_or("");
}

// /{T}/{org}/{name}/resolve/{rev}/{path}
bool read_web_path(Route& route, std::string_view path) {
    const Segments segments = split(path.substr(1));
    if (segments.size() < 6 || segments[3] != "resolve" || !is_one_of(segments[0], kTypes) ||
        !is_name(segments[1]) || !is_name(segments[2]))
        return false;
    route.type = segments[0];
    route.repo = fmt::format("{}/{}", segments[1], segments[2]);
    route.revision = decoded_in_path(segments[4]);
    route.path = decoded_in_path(fmt::format("{}", fmt::join(std::span(segments).subspan(5), "/")));
    route.subject = Subject::file;
    return is_plain(route.revision) && is_path(route.path);
}

// Which region's store is near: every client asks this first, of the place where we are.
bool is_region(std::string_view path) { return path == "/api/v1/repos/internalAccelerationInfo"; }

// /api/v1/{T}/{org}/{name}[/...]; of datasets, /{number}[/...] too.
bool read_api(Route& route, std::string_view path, std::span<const filters::Parameter> query) {
    const Segments segments = split(path.substr(kApi.size()));
    if (segments.size() < 2 || !is_one_of(segments[0], kTypes)) return false;
    const bool has_number = segments[0] == "datasets" &&
                            segments[1].find_first_not_of("0123456789") == std::string_view::npos;
    const std::size_t words = has_number ? 1 : 2;
    if (segments.size() < 1 + words) return false;
    const auto names = std::span(segments).subspan(1, words);
    if (!std::ranges::all_of(names, is_name)) return false;
    route.type = segments[0];
    route.repo = fmt::format("{}", fmt::join(names, "/"));
    const auto revision = only(query, "Revision");
    const auto file = only(query, "FilePath");
    if (!revision || !file || (!revision->empty() && !is_plain(*revision))) return false;
    route.revision = *revision;
    route.path = *file;
    const std::string rest =
        fmt::format("{}", fmt::join(std::span(segments).subspan(1 + words), "/"));
    if (rest == "repo") {
        route.subject = Subject::file;
        return !route.revision.empty() && is_path(route.path);
    }
    route.subject = rest.starts_with("repo/") ? Subject::listing : Subject::info;
    return rest == "repo/files" || rest == "repo/tree" || rest == "revisions" || rest.empty();
}

// As Python's urlencode() writes it.
std::string form_encoded(std::string_view text) {
    std::string encoded;
    for (const char c : text) {
        if (is_name(std::string_view(&c, 1)) || c == '.' || c == '~')
            encoded += c;
        else if (c == ' ')
            encoded += '+';
        else
            encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return encoded;
}

std::string listing_of(const Route& route, bool recursive, std::size_t page) {
    const bool is_dataset = route.type == "datasets";
    std::string target = fmt::format("{}{}/repo/{}?Revision={}&Recursive={}", kApi, route.name(),
                                     is_dataset ? "tree" : "files", form_encoded(route.revision),
                                     recursive ? "True" : "False");
    if (is_dataset) target += fmt::format("&PageNumber={}&PageSize={}", page, kDatasetPage);
    return target;
}

}  // namespace

bool Route::is_immutable() const {
    return revision.size() == 40 && std::ranges::all_of(revision, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

Route route_of(std::string_view method, std::string_view target) {
    if ((method != "GET" && method != "HEAD") || !target.starts_with('/') ||
        !filters::is_percent_encoded(target))
        return {};
    const std::size_t mark = std::min(target.find('?'), target.size());
    const std::string_view path = target.substr(0, mark);
    const auto query =
        filters::split_query(mark < target.size() ? target.substr(mark + 1) : std::string_view());
    if (query.size() > filters::kMostParameters) return {};
    Route route;
    if (is_region(path)) {
        route.subject = Subject::info;
        route.type = "regions";
        return route;
    }
    const bool understood =
        path.starts_with(kApi) ? read_api(route, path, query) : read_web_path(route, path);
    return understood ? route : Route();
}

std::string document_name(std::string_view target) {
    const std::size_t mark = std::min(target.find('?'), target.size());
    std::vector<std::string> parameters;
    if (mark < target.size())
        for (const filters::Parameter& parameter : filters::split_query(target.substr(mark + 1)))
            parameters.push_back(filters::percent_normal_form(parameter.raw));
    std::ranges::sort(parameters);
    return fmt::format("{}?{}", target.substr(0, mark), fmt::join(parameters, "&"));
}

std::string listing_target(const Route& route, std::size_t page) {
    return listing_of(route, true, page);
}

std::string folder_target(const Route& route, std::size_t page) {
    const std::size_t slash = route.path.rfind('/');
    std::string target = listing_of(route, false, page);
    if (slash != std::string::npos)
        target += "&Root=" + form_encoded(std::string_view(route.path).substr(0, slash));
    return target;
}

std::size_t page_size(const Route& route) {
    return route.type == "datasets" ? kDatasetPage : kModelListing;
}

}  // namespace hawker::modelscope
