#include "filters/pattern_set.h"

#include <algorithm>
#include <utility>

#include <re2/re2.h>
#include <re2/set.h>

namespace hawker::filters {

namespace {

// So many are asked one after the other: each ends at its first match or at the first byte that
// rules it out, where the set reads the text to its end, and allocates.
constexpr std::size_t kFew = 4;

re2::StringPiece piece(std::string_view text) { return re2::StringPiece(text.data(), text.size()); }

RE2::Options options_for(std::int64_t memory) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(memory);
    return options;
}

}  // namespace

struct PatternSet::Compiled {
    explicit Compiled(const RE2::Options& options) : set(options, RE2::UNANCHORED) {}
    RE2::Set set;
    bool set_is_usable = false;
    std::vector<std::unique_ptr<RE2>> each;
};

PatternSet::PatternSet(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
PatternSet::PatternSet(PatternSet&&) noexcept = default;
PatternSet& PatternSet::operator=(PatternSet&&) noexcept = default;
PatternSet::~PatternSet() = default;

std::expected<PatternSet, PatternSet::Problem> PatternSet::compile(
    const std::vector<std::string>& patterns, std::int64_t memory) {
    const RE2::Options options = options_for(memory);
    auto compiled = std::make_unique<Compiled>(options);
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        auto pattern = std::make_unique<RE2>(patterns[i], options);
        if (!pattern->ok()) return std::unexpected(Problem(i, pattern->error()));
        compiled->set.Add(patterns[i], nullptr);
        compiled->each.push_back(std::move(pattern));
    }
    compiled->set_is_usable = patterns.size() > kFew && compiled->set.Compile();
    return PatternSet(std::move(compiled));
}

std::optional<std::size_t> PatternSet::first_match(std::string_view text) const {
    if (compiled_->set_is_usable) {
        std::vector<int> found;
        RE2::Set::ErrorInfo error{};
        if (compiled_->set.Match(piece(text), &found, &error))
            return static_cast<std::size_t>(*std::ranges::min_element(found));
        if (error.kind == RE2::Set::kNoError) return std::nullopt;
    }
    for (std::size_t i = 0; i < compiled_->each.size(); ++i)
        if (RE2::PartialMatch(piece(text), *compiled_->each[i])) return i;
    return std::nullopt;
}

int PatternSet::group(std::size_t index, const std::string& name) const {
    const auto& groups = compiled_->each[index]->NamedCapturingGroups();
    const auto found = groups.find(name);
    return found == groups.end() ? 0 : found->second;
}

std::string PatternSet::captures(std::size_t index, std::string_view text,
                                 const std::vector<int>& groups) const {
    const RE2& pattern = *compiled_->each[index];
    std::vector<re2::StringPiece> found(
        static_cast<std::size_t>(pattern.NumberOfCapturingGroups()) + 1);
    if (!pattern.Match(piece(text), 0, text.size(), RE2::UNANCHORED, found.data(),
                       static_cast<int>(found.size())))
        return {};
    std::string joined;
    for (const int group : groups) {
        const re2::StringPiece& part = found[static_cast<std::size_t>(group)];
        if (part.data() != nullptr) joined.append(part.data(), part.size());
    }
    return joined;
}

namespace {

// Where a regular expression can be cut without falling into an escape, a class or a group.
struct Cursor {
    std::string_view text;
    std::size_t at = 0;
    int depth = 0;

    bool done() const { return at >= text.size(); }
    std::string_view rest() const { return text.substr(at); }
    // Over one atom's worth of text: an escape, a whole class, or one character.
    void step() {
        const char c = text[at];
        if (c == '\\') {
            at += 2;
        } else if (c == '[') {
            ++at;
            if (!done() && text[at] == '^') ++at;
            if (!done() && text[at] == ']') ++at;  // a first ']' is a member
            while (!done() && text[at] != ']') at += text[at] == '\\' ? 2U : 1U;
            ++at;
        } else {
            if (c == '(') ++depth;
            if (c == ')') --depth;
            ++at;
        }
    }
};

std::vector<std::string_view> alternatives(std::string_view pattern) {
    std::vector<std::string_view> parts;
    std::size_t begin = 0;
    for (Cursor cursor{pattern}; !cursor.done(); cursor.step()) {
        if (cursor.depth != 0 || pattern[cursor.at] != '|') continue;
        parts.push_back(pattern.substr(begin, cursor.at - begin));
        begin = cursor.at + 1;
    }
    parts.push_back(pattern.substr(begin));
    return parts;
}

// The text between "://" and the next '/', both outside of groups.
std::string_view host_part(std::string_view pattern) {
    for (Cursor cursor{pattern}; !cursor.done(); cursor.step()) {
        if (cursor.depth != 0) continue;
        const std::string_view rest = cursor.rest();
        const std::size_t length = rest.starts_with("://")       ? 3
                                   : rest.starts_with(":\\/\\/") ? 5
                                                                 : 0;
        if (length == 0) continue;
        Cursor end{rest.substr(length)};
        while (!end.done() &&
               !(end.depth == 0 && (end.rest().starts_with('/') || end.rest().starts_with("\\/"))))
            end.step();
        return end.text.substr(0, end.at);
    }
    return {};
}

// Every port that a pattern of hosts may have in mind, with its colon; none is one, too.
std::vector<std::string> ports_of(std::string_view part) {
    std::vector<std::string> ports{"", ":443", ":80"};
    for (std::size_t colon = part.find(':'); colon != std::string_view::npos;
         colon = part.find(':', colon + 1)) {
        const std::size_t end =
            std::min(part.find_first_not_of("0123456789", colon + 1), part.size());
        if (end > colon + 1) ports.emplace_back(part.substr(colon, end - colon));
    }
    return ports;
}

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
    RE2::Options options = options_for(1 << 20);
    options.set_case_sensitive(false);
    for (const std::string_view alternative : alternatives(pattern)) {
        const std::string_view part = host_part(alternative);
        if (part.empty()) continue;
        Compiled compiled{std::make_unique<const RE2>(piece(part), options), ports_of(part)};
        if (!compiled.expression->ok() ||
            matches(*compiled.expression, "no-such-host.invalid", compiled.ports))
            continue;
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
