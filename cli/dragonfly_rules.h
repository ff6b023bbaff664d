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

// `rules` is proxy.rules or proxy.proxies; `filter` the Go era's proxy.defaultFilter.
std::vector<ImportedRule> import_rules(Era era, const YAML::Node& rules,
                                       const std::optional<std::string>& filter);

// One scalar for a YAML file, whatever it holds.
std::string yaml_scalar(std::string_view text);

}  // namespace hawker::cli
