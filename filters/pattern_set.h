// Many patterns, one pass. The only file that knows RE2, together with its source.
#pragma once

#include "base/error.h"

#include <cstddef>
#include <cstdint>
#include <memory>
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
    // What the groups of pattern `index` capture in `text`, joined. Empty when it does not match.
    std::string captures(std::size_t index, std::string_view text,
                         const std::vector<int>& groups) const;

private:
    struct Compiled;
    explicit PatternSet(std::unique_ptr<Compiled> compiled);
    std::unique_ptr<Compiled> compiled_;
};

// Whether a URL that `pattern` matches could be of this host, as far as the text of the pattern
// tells: one that does not begin with a scheme and a host, or takes any host at all, does not speak
// of hosts and gives false.
bool speaks_of_host(std::string_view pattern, std::string_view host);
// What it compares hosts with, port included: the parts of `pattern` that speak of hosts.
std::vector<std::string_view> host_expressions(std::string_view pattern);

}  // namespace hawker::filters
