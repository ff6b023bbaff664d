// The rules of a dfdaemon, each as one of ours.
#pragma once

#include "base/error.h"
#include "cli/dragonfly_keys.h"

#include <optional>
#include <string>
#include <vector>

namespace YAML {
class Node;
}

namespace hawker::cli {

struct ImportedRule {
    int line = 0;
    std::string pattern;               // as it was
    std::string lost;                  // why there is no rule of ours; empty: there is one
    std::vector<std::string> remarks;  // what of it is otherwise
    std::string yaml;                  // the rule, as a member of `rules:`
};

// What holds for all rules of a file.
struct RuleDefaults {
    std::optional<std::string> filter;  // the Go era's proxy.defaultFilter
    bool prefetch = false;
};

// `rules` is proxy.rules or proxy.proxies.
std::vector<ImportedRule> import_rules(Era era, const YAML::Node& rules,
                                       const RuleDefaults& defaults);

// One scalar for a YAML file, whatever it holds.
std::string yaml_scalar(std::string_view text);

}  // namespace hawker::cli
