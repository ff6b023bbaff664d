// Many patterns, of which the first that matches counts. The only file that knows RE2, together
// with its source.
#pragma once

#include "base/error.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::filters {

// Thread:  immutable after compile(); any number of threads may match at once.
// Failure: matching has none. When the common automaton has no memory left, the patterns are tried
// one after another.
class PatternSet {
public:
    struct Problem {
        std::size_t index;  // of the pattern, in the order given
        std::string what;
    };

    // `memory` bounds each pattern's automaton and, once more, the common one.
    static std::expected<PatternSet, Problem> compile(const std::vector<std::string>& patterns,
                                                      std::int64_t memory);
    PatternSet(PatternSet&&) noexcept;
    PatternSet& operator=(PatternSet&&) noexcept;
    ~PatternSet();

    // The first pattern, in the order given, that is found anywhere in `text`.
    std::optional<std::size_t> first_match(std::string_view text) const;

    // The number of a named capture group; 0 when `index` has none of that name.
    int group(std::size_t index, const std::string& name) const;
    // Appends what the named `groups` of pattern `index` capture in `text`, which it matches.
    void captures(std::pmr::string& out, std::size_t index, std::string_view text,
                  const std::vector<int>& groups) const;

private:
    struct Compiled;
    explicit PatternSet(std::unique_ptr<Compiled> compiled);
    std::unique_ptr<Compiled> compiled_;
};

// The parts of a pattern that speak of hosts, port included, as far as its text tells: one that
// does not begin with a scheme and a host, or takes any host at all, does not.
//
// Thread: immutable once made.
class HostExpressions {
public:
    // Of a pattern that compiles.
    explicit HostExpressions(std::string_view pattern);
    HostExpressions(HostExpressions&&) noexcept;
    HostExpressions& operator=(HostExpressions&&) noexcept;
    ~HostExpressions();

    // Could a URL that the pattern matches be of this host?
    bool match(std::string_view host) const;
    const std::vector<std::string>& texts() const { return texts_; }

private:
    struct Compiled;
    std::vector<std::string> texts_;
    std::vector<Compiled> compiled_;
};

}  // namespace hawker::filters
