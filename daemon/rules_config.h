// The `rules:` list of the configuration file.
#pragma once

#include "base/error.h"
#include "filters/rule.h"

#include <string>
#include <vector>

namespace YAML {
class Node;
}

namespace hawker::daemon {

// Errc::invalid with file and line: a key that no rule knows (with the nearest one), a missing
// `match`, a value of the wrong kind. What only the compiled rule can tell (a bad pattern, a
// missing group) is RuleSet::compile()'s to say.
Expected<std::vector<filters::RuleSpec>> read_rules(const YAML::Node& node,
                                                    const std::string& file);

}  // namespace hawker::daemon
