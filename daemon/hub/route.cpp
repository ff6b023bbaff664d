#include "daemon/hub/route.h"

#include "daemon/hub/lfs_batch.h"
#include "filters/query.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hawker::hub {

namespace {

using Segments = std::vector<std::string_view>;

constexpr std::array<std::string_view, 4> kTypes = {"models", "datasets", "spaces", "kernels"};
// What a path may begin with that is nobody's name.
constexpr std::array<std::string_view, 3> kReserved = {"api", "v2", "resolve"};

bool is_type(std::string_view word) { return std::ranges::find(kTypes, word) != kTypes.end(); }

// Letters, digits and "-._": the names that the Hub gives.
bool is_name(std::string_view word) {
    const auto fits = [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    };
    return !word.empty() && word.size() <= 128 && word != "." && word != ".." &&
           std::ranges::all_of(word, fits);
}

// nullopt where a server and a cache could disagree on what the path names.
std::optional<Segments> segments_of(std::string_view path) {
    Segments segments;
    while (!path.empty()) {
        path.remove_prefix(1);  // the slash
        const std::string_view segment = path.substr(0, path.find('/'));
        path.remove_prefix(segment.size());
        const std::string plain = filters::percent_normal_form(segment);
        if (plain.empty() || plain == "." || plain == ".." || !filters::is_percent_encoded(segment))
            return std::nullopt;
        segments.push_back(segment);
    }
    return segments;
}

// A '+' in a path is a plus.
std::string decoded(std::string_view segment) {
    std::string text;
    for (std::size_t i = 0; i < segment.size(); ++i) {
        if (segment[i] == '+')
            text += '+';
        else if (segment[i] == '%' && i + 2 < segment.size()) {
            text += filters::decode_value(segment.substr(i, 3));
            i += 2;
        } else
            text += segment[i];
    }
    return text;
}

bool is_plain(std::string_view text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c != 0x7F; });
}

// The first `count` of `segments` are a repository's name.
std::optional<std::string> repo_of(std::span<const std::string_view> segments) {
    if (segments.empty() || segments.size() > 2) return std::nullopt;
    if (!std::ranges::all_of(segments, is_name)) return std::nullopt;
    if (segments.size() == 2 && (is_type(segments.front()) ||
                                 std::ranges::find(kReserved, segments.front()) != kReserved.end()))
        return std::nullopt;
    return fmt::format("{}", fmt::join(segments, "/"));
}

// refs/pr/1, refs/convert/parquet: these alone may be written with their slashes, and only where
// files are asked for.
bool is_ref(std::span<const std::string_view> segments) {
    return segments.size() > 3 && segments[0] == "refs" &&
           (segments[1] == "pr" || segments[1] == "convert");
}

// A revision of so many segments, then a path.
bool take_revision(Route& route, std::span<const std::string_view> segments,
                   std::size_t length = 1) {
    if (segments.empty()) return false;
    route.revision = decoded(fmt::format("{}", fmt::join(segments.first(length), "/")));
    route.path = fmt::format("{}", fmt::join(segments.subspan(length), "/"));
    return is_plain(route.revision);
}

// /[{T}/]{repo}/resolve/{rev}/{path}
bool read_file(Route& route, std::span<const std::string_view> segments) {
    route.type = "models";
    if (is_type(segments.front()) && segments.front() != "models") {
        route.type = segments.front();
        segments = segments.subspan(1);
    }
    const auto word = std::ranges::find(segments, "resolve");
    const auto place = static_cast<std::size_t>(word - segments.begin());
    if (word == segments.end() || place == 0 || place > 2) return false;
    const auto repo = repo_of(segments.first(place));
    const auto rest = segments.subspan(place + 1);
    if (!repo || !take_revision(route, rest, is_ref(rest) ? 3 : 1) || route.path.empty())
        return false;
    route.repo = *repo;
    route.subject = Subject::file;
    return true;
}

// /api/{T}/{repo}[/{word}[/{rev}[/{path}]]]
bool read_api(Route& route, std::string_view method, std::span<const std::string_view> segments) {
    constexpr std::array<std::string_view, 5> kWords = {"revision", "tree", "paths-info", "refs",
                                                        "commits"};
    if (segments.size() < 3 || !is_type(segments[1])) return false;
    route.type = segments[1];
    segments = segments.subspan(2);
    const auto word = std::ranges::find_if(segments, [&](std::string_view each) {
        return std::ranges::find(kWords, each) != kWords.end();
    });
    const auto place = static_cast<std::size_t>(word - segments.begin());
    const auto repo = repo_of(segments.first(place));
    if (!repo) return false;
    route.repo = *repo;
    const bool is_get = method == "GET" || method == "HEAD";
    if (word == segments.end()) {
        route.subject = Subject::info;
        return is_get;
    }
    const auto rest = segments.subspan(place + 1);
    if (*word == "refs") {
        route.subject = Subject::listing;
        return is_get && rest.empty();
    }
    if (!take_revision(route, rest)) return false;
    route.subject = *word == "tree"         ? Subject::tree
                    : *word == "paths-info" ? Subject::paths_info
                    : *word == "commits"    ? Subject::listing
                                            : Subject::info;
    if (*word != "tree" && !route.path.empty()) return false;
    return *word == "paths-info" ? method == "POST" : is_get;
}

}  // namespace

bool is_commit(std::string_view revision) {
    return revision.size() == 40 && std::ranges::all_of(revision, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

bool expands(std::string_view question) {
    constexpr std::string_view kMember = "\"expand\"";
    if (question.starts_with('{')) {
        const std::size_t at = question.find(kMember);
        if (at == std::string_view::npos) return false;
        question.remove_prefix(at + kMember.size());
        question.remove_prefix(std::min(question.find_first_not_of(" \t\r\n:"), question.size()));
        return !question.starts_with("false");
    }
    while (!question.empty()) {
        const std::string_view piece = question.substr(0, question.find('&'));
        question.remove_prefix(std::min(piece.size() + 1, question.size()));
        const std::size_t equals = std::min(piece.find('='), piece.size());
        if (!filters::decode_value(piece.substr(0, equals)).starts_with("expand")) continue;
        const auto value = filters::lower_case(piece.substr(equals));
        if (value != "=false" && value != "=0") return true;
    }
    return false;
}

bool is_for_readers(const Route& route, std::string_view target) {
    constexpr std::array<std::string_view, 4> kReads = {"auth-check", "parquet", "treesize",
                                                        "xet-read-token"};
    if (route.subject == Subject::info && route.repo.ends_with("/jwt")) return false;
    if (route.subject != Subject::other) return true;
    const auto segments = segments_of(target.substr(0, target.find('?')));
    if (!segments || segments->size() < 2) return false;
    if (segments->front() == "v2") return true;
    if (segments->front() != "api") {
        const auto is_content = [](std::string_view segment) {
            return segment == "raw" || segment.ends_with(".git");
        };
        return std::ranges::any_of(*segments, is_content);
    }
    if (segments->size() == 2) return is_type((*segments)[1]);
    if (!is_type((*segments)[1])) return false;
    // A name without an owner is open to all: it needs no token.
    return segments->size() > 4 && std::ranges::find(kReads, (*segments)[4]) != kReads.end();
}

bool Route::is_immutable() const { return is_commit(revision); }

Route route_of(std::string_view method, std::string_view target) {
    Route route;
    const std::size_t mark = std::min(target.find('?'), target.size());
    if (is_lfs_target(target)) {
        route.subject = Subject::lfs_object;
        return route;
    }
    if (method == "POST" && target.ends_with(".git/info/lfs/objects/batch")) {
        route.subject = Subject::lfs_batch;
        return route;
    }
    if (mark < target.size()) route.query = target.substr(mark + 1);
    // A right of its own, which no repository's would be the name of.
    if (route.query.contains("__sign=")) return {};
    std::string_view path = target.substr(0, mark);
    // The API answers the same without it. A file's path that ends with one is no file's.
    if (path.starts_with("/api/") && path.ends_with('/')) path.remove_suffix(1);
    const auto segments = segments_of(path);
    if (!target.starts_with('/') || !segments || segments->empty()) return {};
    const bool is_read = method == "GET" || method == "HEAD";
    const bool understood = segments->front() == "api" ? read_api(route, method, *segments)
                                                       : is_read && read_file(route, *segments);
    return understood ? route : Route();
}

std::string revision_in_words(const Route& route) {
    if (route.revision.empty()) return fmt::format("the repository {}", route.name());
    return fmt::format("the revision '{}' of {}", route.revision, route.name());
}

std::string in_words(const Route& route) {
    switch (route.subject) {
        case Subject::file:
            return fmt::format("'{}' of {} at '{}'", route.path, route.name(), route.revision);
        case Subject::info:
            return revision_in_words(route);
        case Subject::tree:
        case Subject::paths_info:
        case Subject::listing: {
            const std::string below = route.path.empty() ? "" : fmt::format("'{}' in ", route.path);
            return fmt::format("the listing of {}{}", below, revision_in_words(route));
        }
        default:
            return {};
    }
}

std::string file_target(const Route& route, std::string_view commit) {
    const std::string prefix = route.type == "models" ? "" : route.type + "/";
    const std::string query = route.query.empty() ? "" : "?" + route.query;
    return fmt::format("/{}{}/resolve/{}/{}{}", prefix, route.repo, commit, route.path, query);
}

std::string percent_encoded(std::string_view text, std::string_view kept) {
    std::string encoded;
    for (const char c : text) {
        const bool is_unreserved = is_name(std::string_view(&c, 1)) || c == '~' || c == '.';
        if (is_unreserved || kept.contains(c))
            encoded += c;
        else
            encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return encoded;
}

std::string revision_target(const Route& route) {
    return fmt::format("/api/{}/{}/revision/{}", route.type, route.repo,
                       percent_encoded(route.revision));
}

std::string listing_target(const Route& route, std::string_view commit) {
    const std::string_view word = route.subject == Subject::tree ? "tree" : "paths-info";
    const std::string path = route.path.empty() ? "" : "/" + route.path;
    const std::string query = route.query.empty() ? "" : "?" + route.query;
    return fmt::format("/api/{}/{}/{}/{}{}{}", route.type, route.repo, word, commit, path, query);
}

std::string file_name(const Route& route, std::string_view commit) {
    return fmt::format("{}@{}/{}", route.name(), commit, filters::percent_normal_form(route.path));
}

}  // namespace hawker::hub
