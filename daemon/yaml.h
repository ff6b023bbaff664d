// Talking about places in a YAML file; for those who read the configuration.
#pragma once

#include "base/error.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

inline Expected<std::string> scalar(const YAML::Node& value) {
    if (value.IsScalar()) return value.Scalar();
    return fail(Errc::invalid, fmt::format("expected one value, found {}", kind_of(value)));
}

inline Expected<void> set(std::string& field, const YAML::Node& value) {
    auto text = scalar(value);
    if (!text) return fail(std::move(text).error());
    field = std::move(*text);
    return {};
}

inline Expected<void> set(bool& field, const YAML::Node& value) {
    const std::string text = value.IsScalar() ? value.Scalar() : "";
    field = text == "true" || text == "on" || text == "yes";
    if (field || text == "false" || text == "off" || text == "no") return {};
    return fail(Errc::invalid, "expected on or off");
}

// A list, or one value that stands for a list of one.
inline Expected<void> set(std::vector<std::string>& field, const YAML::Node& value) {
    if (value.IsScalar()) {
        field = {value.Scalar()};
        return {};
    }
    if (!value.IsSequence())
        return fail(Errc::invalid, fmt::format("expected a list, found {}", kind_of(value)));
    for (const YAML::Node& member : value) {
        auto text = scalar(member);
        if (!text) return fail(std::move(text).error());
        field.push_back(std::move(*text));
    }
    return {};
}

}  // namespace hawker::daemon::yaml
