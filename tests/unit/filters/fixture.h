// The vocabulary of the filters' tests: rules in one line, questions in one word.
#pragma once

#include "filters/rule_set.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace hawker::filters {

inline const std::string kDigest =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

inline RuleSpec rule(std::string match, std::vector<std::string> strip = {}) {
    RuleSpec spec;
    spec.name = "test";
    spec.match = std::move(match);
    spec.strip = std::move(strip);
    return spec;
}

inline std::shared_ptr<const RuleSet> rules(std::vector<RuleSpec> specs) {
    auto compiled = RuleSet::compile(std::move(specs));
    if (!compiled) throw std::runtime_error(compiled.error().what);
    return *std::move(compiled);
}

// Why these rules are refused; empty when they are not.
inline std::string refusal(std::vector<RuleSpec> specs) {
    const auto compiled = RuleSet::compile(std::move(specs));
    return compiled ? "" : compiled.error().what;
}

inline Decision get(const RuleSet& rules, std::string_view url, std::string_view method = "GET") {
    Question question;
    question.method = method;
    question.url = url;
    return rules.decide(question);
}

inline Decision get_range(const RuleSet& rules, std::string_view url, std::string_view range) {
    Question question;
    question.method = "GET";
    question.url = url;
    question.range = range;
    return rules.decide(question);
}

// A rule for every host that strips these.
inline Decision stripped_by(std::vector<std::string> strip, std::string_view url) {
    return get(*rules({rule("^https?://", std::move(strip))}), url);
}

}  // namespace hawker::filters
