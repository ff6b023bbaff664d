// Talking about places in a YAML file; for those who read the configuration.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace hawker::daemon::yaml {

inline int line_of(const YAML::Node& node) { return node.Mark().line + 1; }

inline std::string_view kind_of(const YAML::Node& node) {
    if (node.IsMap()) return "a mapping";
    if (node.IsSequence()) return "a list";
    return node.IsScalar() ? "a single value" : "nothing";
}

// "etc/hawker.yaml:12: what"
inline std::unexpected<Error> wrong(std::string_view file, const YAML::Node& node,
                                    std::string_view what) {
    return fail(Errc::invalid, fmt::format("{}:{}: {}", file, line_of(node), what));
}

}  // namespace hawker::daemon::yaml
