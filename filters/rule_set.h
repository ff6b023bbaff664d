// All rules of one configuration: compiled once, asked for every request.
//
// Thread:  immutable after compile(); any number of threads may decide() at once.
// Failure: decide() has none. What cannot be understood is passed through.
#pragma once

#include "filters/decision.h"

#include <memory>
#include <span>
#include <vector>

namespace hawker::filters {

class RuleSet {
public:
    // Errc::invalid names the rule, its line, and what is wrong with its pattern, its group or its
    // parameter set.
    static Expected<std::shared_ptr<const RuleSet>> compile(std::vector<RuleSpec> specs);
    ~RuleSet();

    // The first rule in file order that matches; only that one is matched again, for its captures.
    Decision decide(const Question& question) const;
    // The same into what an earlier question left behind; what it asks about lies elsewhere.
    void decide(const Question& question, Decision& decision) const;

    // True when some caching rule could match a URL of this host; for the "interception would have
    // cached this" hint. A rule that takes any host, or does not begin with a scheme and a host,
    // does not count: it would put the hint on every tunnel.
    bool may_match_host(std::string_view host) const;
    // Under these lies every host for which may_match_host() is true. Errc::unsupported, naming the
    // rule, when the text of a pattern does not say it: "cdn.example" needs its dot as "\\.".
    Expected<std::vector<std::string>> domains() const;

    std::span<const std::shared_ptr<const Rule>> rules() const;

private:
    struct Compiled;
    explicit RuleSet(std::unique_ptr<Compiled> compiled);
    std::unique_ptr<Compiled> compiled_;
};

}  // namespace hawker::filters
