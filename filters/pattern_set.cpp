#include "filters/pattern_set.h"

#include "filters/pattern_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>
#include <re2/set.h>

namespace hawker::filters {

namespace {

// So many whose hurdles a text has passed are asked one after the other: each ends at its first
// match or at the first byte that rules it out, where the set reads the text to its end, and
// allocates.
constexpr std::size_t kFew = 4;
// Texts may be searched for so many others before the set is asked.
constexpr std::size_t kMostSearches = 16;

re2::StringPiece piece(std::string_view text) { return re2::StringPiece(text.data(), text.size()); }

bool matches(const RE2& pattern, std::string_view text) {
    return pattern.Match(piece(text), 0, text.size(), RE2::UNANCHORED, nullptr, 0);
}

RE2::Options options_for(std::int64_t memory) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(memory);
    return options;
}

// The end of a pattern, from the group on that holds its first name.
struct Tail {
    std::unique_ptr<RE2> expression;
    int groups_before = 0;
};

// Where a match ends with its tail.
struct Place {
    std::size_t begin = 0;
    std::size_t end = 0;
};

struct Pattern {
    std::unique_ptr<RE2> whole;
    Hurdles hurdles;
    std::optional<Tail> tail;
};

std::optional<Tail> tail_of(const std::string& text, const RE2& whole) {
    const auto cut = cut_before_names(text);
    if (!cut) return std::nullopt;
    Tail tail;
    tail.expression = std::make_unique<RE2>(text.substr(*cut), whole.options());
    const RE2 before(text.substr(0, *cut), whole.options());
    if (!tail.expression->ok() || !before.ok()) return std::nullopt;
    tail.groups_before = before.NumberOfCapturingGroups();
    return tail;
}

// Whichever way the rest matches, its tail does so here; nullopt: it could do so elsewhere, too.
std::optional<Place> only_place_of_tail(const Pattern& pattern, std::string_view text) {
    const RE2& tail = *pattern.tail->expression;
    re2::StringPiece match;
    if (!pattern.whole->Match(piece(text), 0, text.size(), RE2::UNANCHORED, &match, 1))
        return std::nullopt;
    Place place;
    place.end = static_cast<std::size_t>(match.data() + match.size() - text.data());
    if (!tail.Match(piece(text), 0, place.end, RE2::UNANCHORED, &match, 1)) return std::nullopt;
    place.begin = static_cast<std::size_t>(match.data() - text.data());
    if (tail.Match(piece(text), place.begin + 1, place.end, RE2::UNANCHORED, nullptr, 0))
        return std::nullopt;
    return place;
}

}  // namespace

struct PatternSet::Compiled {
    explicit Compiled(const RE2::Options& options) : set(options, RE2::UNANCHORED) {}
    RE2::Set set;
    bool set_is_usable = false;
    // A look at a text tells most patterns that it is not theirs.
    bool most_have_hurdles = false;
    std::vector<Pattern> each;

    std::optional<std::size_t> first_in_set(std::string_view text) const;
};

std::optional<std::size_t> PatternSet::Compiled::first_in_set(std::string_view text) const {
    std::vector<int> found;
    RE2::Set::ErrorInfo error{};
    if (set.Match(piece(text), &found, &error))
        return static_cast<std::size_t>(std::ranges::min(found));
    if (error.kind == RE2::Set::kNoError) return std::nullopt;
    const auto first = std::ranges::find_if(
        each, [text](const Pattern& pattern) { return matches(*pattern.whole, text); });
    if (first == each.end()) return std::nullopt;
    return static_cast<std::size_t>(first - each.begin());
}

PatternSet::PatternSet(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
PatternSet::PatternSet(PatternSet&&) noexcept = default;
PatternSet& PatternSet::operator=(PatternSet&&) noexcept = default;
PatternSet::~PatternSet() = default;

std::expected<PatternSet, PatternSet::Problem> PatternSet::compile(
    const std::vector<std::string>& patterns, std::int64_t memory) {
    const RE2::Options options = options_for(memory);
    auto compiled = std::make_unique<Compiled>(options);
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        auto whole = std::make_unique<RE2>(patterns[i], options);
        if (!whole->ok()) return std::unexpected(Problem(i, whole->error()));
        compiled->set.Add(patterns[i], nullptr);
        auto tail = tail_of(patterns[i], *whole);
        compiled->each.emplace_back(std::move(whole), hurdles_of(patterns[i]), std::move(tail));
    }
    compiled->set_is_usable = patterns.size() > kFew && compiled->set.Compile();
    const auto low = std::ranges::count_if(
        compiled->each, [](const Pattern& each) { return each.hurdles.empty(); });
    const auto searches = std::ranges::count_if(compiled->each, [](const Pattern& each) {
        return each.hurdles.beginning.empty() && !each.hurdles.part.empty();
    });
    compiled->most_have_hurdles =
        std::cmp_less_equal(low, kFew) && std::cmp_less_equal(searches, kMostSearches);
    return PatternSet(std::move(compiled));
}

std::optional<std::size_t> PatternSet::first_match(std::string_view text) const {
    const std::size_t scheme = text.find("://");
    const std::string_view behind_scheme =
        scheme == std::string_view::npos ? std::string_view() : text.substr(scheme + 3);
    const auto& each = compiled_->each;
    std::size_t most = each.size();
    if (compiled_->set_is_usable) most = compiled_->most_have_hurdles ? kFew : 0;
    for (std::size_t i = 0, asked = 0; i < each.size(); ++i) {
        if (!each[i].hurdles.pass(text, behind_scheme)) continue;
        if (asked++ == most) return compiled_->first_in_set(text);
        if (matches(*each[i].whole, text)) return i;
    }
    return std::nullopt;
}

int PatternSet::group(std::size_t index, const std::string& name) const {
    const auto& groups = compiled_->each[index].whole->NamedCapturingGroups();
    const auto found = groups.find(name);
    return found == groups.end() ? 0 : found->second;
}

// To find groups, RE2 follows all ways through a pattern at once or goes back where it was wrong,
// for which it needs memory and ten times as long as to find that there is a match. A tail that can
// be in one place only is mostly such that each byte says which way: `[0-9a-f]{64}(\?|$)`.
void PatternSet::captures(std::pmr::string& out, std::size_t index, std::string_view text,
                          const std::vector<int>& groups) const {
    if (groups.empty()) return;
    const Pattern& pattern = compiled_->each[index];
    const auto place = pattern.tail ? only_place_of_tail(pattern, text) : std::nullopt;
    const RE2& expression = place ? *pattern.tail->expression : *pattern.whole;
    const int before = place ? pattern.tail->groups_before : 0;
    const auto [begin, end] = place.value_or(Place(0, text.size()));
    const int count = std::ranges::max(groups) - before + 1;
    std::pmr::vector<re2::StringPiece> found(static_cast<std::size_t>(count),
                                             out.get_allocator().resource());
    if (!expression.Match(piece(text), begin, end, place ? RE2::ANCHOR_START : RE2::UNANCHORED,
                          found.data(), count))
        return;
    for (const int group : groups) {
        const re2::StringPiece& part = found[static_cast<std::size_t>(group - before)];
        if (part.data() != nullptr) out.append(part.data(), part.size());
    }
}

namespace {

// The text between "://" and the next '/', both outside of groups.
std::string_view host_part(std::string_view pattern) {
    for (PatternCursor cursor{pattern}; !cursor.done(); cursor.step()) {
        if (cursor.depth != 0) continue;
        const std::string_view rest = cursor.rest();
        const std::size_t length = rest.starts_with("://")       ? 3
                                   : rest.starts_with(":\\/\\/") ? 5
                                                                 : 0;
        if (length == 0) continue;
        PatternCursor end{rest.substr(length)};
        while (!end.done() &&
               !(end.depth == 0 && (end.rest().starts_with('/') || end.rest().starts_with("\\/"))))
            end.step();
        return end.text.substr(0, end.at);
    }
    return {};
}

constexpr std::int64_t kMemoryOfHosts = 64LL << 20U;  // at most, for long lists of names
constexpr std::string_view kDigits = "0123456789";

// Every port that a pattern of hosts may have in mind, with its colon; none is one, too.
std::vector<std::string> ports_of(std::string_view part) {
    std::vector<std::string> ports{"", ":443", ":80"};
    for (std::size_t colon = part.find(':'); colon != std::string_view::npos;
         colon = part.find(':', colon + 1)) {
        // ":8443", ":(8443|9443)"
        for (std::size_t at = colon + 1; at < part.size() && part[at] != ':';) {
            const std::size_t begin = std::min(part.find_first_of(kDigits, at), part.size());
            at = std::min(part.find_first_not_of(kDigits, begin), part.size());
            if (at > begin) ports.push_back(fmt::format(":{}", part.substr(begin, at - begin)));
        }
    }
    // Of those that any number of digits stands for.
    if (part.contains(':')) ports.insert(ports.end(), {":8443", ":65001"});
    return ports;
}

// Of every shape that a class of characters may let through.
constexpr std::array<std::string_view, 5> kHostsOfNobody = {"no-such-host.invalid",
                                                            "nosuchhost.invalid", "nosuchhost.com",
                                                            "a.b.nosuchhost.org", "nosuchhost"};

bool matches(const RE2& expression, std::string_view host, const std::vector<std::string>& ports) {
    return std::ranges::any_of(ports, [&](const std::string& port) {
        return RE2::FullMatch(std::string(host) + port, expression);
    });
}

}  // namespace

struct HostExpressions::Compiled {
    std::unique_ptr<const RE2> expression;
    std::vector<std::string> ports;
};

HostExpressions::HostExpressions(std::string_view pattern) {
    RE2::Options options = options_for(kMemoryOfHosts);
    options.set_case_sensitive(false);
    for (const std::string_view alternative : alternatives_of(pattern)) {
        const std::string_view part = host_part(alternative);
        if (part.empty()) continue;
        Compiled compiled{std::make_unique<const RE2>(piece(part), options), ports_of(part)};
        const auto takes = [&compiled](std::string_view host) {
            return matches(*compiled.expression, host, compiled.ports);
        };
        if (!compiled.expression->ok() || std::ranges::any_of(kHostsOfNobody, takes)) continue;
        texts_.emplace_back(part);
        compiled_.push_back(std::move(compiled));
    }
}

HostExpressions::HostExpressions(HostExpressions&&) noexcept = default;
HostExpressions& HostExpressions::operator=(HostExpressions&&) noexcept = default;
HostExpressions::~HostExpressions() = default;

bool HostExpressions::match(std::string_view host) const {
    return std::ranges::any_of(compiled_, [host](const Compiled& each) {
        return matches(*each.expression, host, each.ports);
    });
}

}  // namespace hawker::filters
