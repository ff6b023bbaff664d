#include "daemon/config_file.h"

#include "daemon/rules_config.h"
#include "daemon/yaml.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace hawker::daemon {

namespace {

bool is_section(std::string_view key) {
    for (const Option& option : option_table())
        if (option.key.size() > key.size() && option.key.starts_with(key) &&
            option.key[key.size()] == '.')
            return true;
    return false;
}

class Parser {
public:
    explicit Parser(const std::string& name) : name_(name) {}

    Expected<ConfigFile> parse(const YAML::Node& root) {
        if (root.IsNull()) return std::move(file_);
        if (!root.IsMap())
            return wrong(root, "expected a mapping of options, as in 'listen: 127.0.0.1:65001'");
        // No option of ours is called so, and what matters of theirs stands there, in either era.
        if (const YAML::Node theirs = root["proxy"]; theirs.IsDefined() && theirs.IsMap())
            return wrong(root, fmt::format("run `hawker config import {} > hawker.yaml` first: "
                                           "this is a Dragonfly dfdaemon's configuration",
                                           name_));
        for (const auto& member : root) {
            const auto ok = top_level(member.first, member.second);
            if (!ok) return fail(ok.error());
        }
        return std::move(file_);
    }

private:
    Expected<void> top_level(const YAML::Node& key_node, const YAML::Node& value) {
        const std::string& key = key_node.Scalar();
        if (key != "rules" && key != "origins" && key != "listeners" && key != "users" &&
            key != "mirrors")
            return entry(key_node, "", value);
        if (const auto ok = only_once(key_node, key); !ok) return ok;
        if (key == "listeners") {
            auto listeners = read_listeners(value, name_);
            if (!listeners) return fail(std::move(listeners).error());
            file_.listeners = std::move(*listeners);
            return {};
        }
        if (key == "origins") {
            auto origins = read_origins(value, name_);
            if (!origins) return fail(std::move(origins).error());
            file_.origins = std::move(*origins);
            return {};
        }
        if (key == "mirrors") {
            auto mirrors = read_mirrors(value, name_);
            if (!mirrors) return fail(std::move(mirrors).error());
            file_.mirrors = std::move(*mirrors);
            return {};
        }
        if (key == "users") {
            auto users = read_users(value, name_);
            if (!users) return fail(std::move(users).error());
            file_.users = std::move(*users);
            return {};
        }
        auto rules = read_rules(value, name_);
        if (!rules) return fail(std::move(rules).error());
        file_.rules = std::move(*rules);
        return {};
    }

    Expected<void> entry(const YAML::Node& key_node, const std::string& section,
                         const YAML::Node& value) {
        const std::string key =
            section.empty() ? key_node.Scalar() : fmt::format("{}.{}", section, key_node.Scalar());
        if (const auto ok = only_once(key_node, key); !ok) return ok;
        if (const Option* option = find_option(key)) return assign(*option, key_node, value);
        // Only a key without dots of its own can be a section: `cache.max_size: 1` stays what it
        // is, an option.
        if (section.empty() && is_section(key)) return open_section(key, value);
        return wrong(key_node, unknown_option(key));
    }

    Expected<void> open_section(const std::string& section, const YAML::Node& value) {
        if (value.IsNull()) return {};  // every line below it is commented out
        if (!value.IsMap())
            return wrong(value,
                         fmt::format("{}: expected options of this section below it", section));
        for (const auto& member : value)
            if (const auto ok = entry(member.first, section, member.second); !ok) return ok;
        return {};
    }

    Expected<void> assign(const Option& option, const YAML::Node& key_node,
                          const YAML::Node& value) {
        Assignment assignment;
        assignment.key = option.key;
        assignment.where = fmt::format("{}:{}", name_, yaml::line_of(key_node));
        if (value.IsScalar())
            assignment.parts.push_back(value.Scalar());
        else if (value.IsSequence() && option.type == Type::list) {
            for (const YAML::Node& member : value) {
                if (!member.IsScalar())
                    return wrong(member, fmt::format("{}: expected {}", option.key, option.unit));
                assignment.parts.push_back(member.Scalar());
            }
        } else
            return wrong(value.IsNull() ? key_node : value,
                         fmt::format("{}: expected {}, found {}", option.key, describe_type(option),
                                     yaml::kind_of(value)));
        file_.assignments.push_back(std::move(assignment));
        return {};
    }

    Expected<void> only_once(const YAML::Node& key_node, const std::string& key) {
        if (seen_.insert(key).second) return {};
        return wrong(key_node, fmt::format("'{}' stands in the file twice", key));
    }

    std::unexpected<Error> wrong(const YAML::Node& node, std::string_view what) const {
        return yaml::wrong(name_, node, what);
    }

    const std::string& name_;
    ConfigFile file_;
    std::set<std::string> seen_;
};

}  // namespace

Expected<ConfigFile> parse_config(const std::string& text, const std::string& name) try {
    return Parser(name).parse(YAML::Load(text));
} catch (const YAML::Exception& problem) {
    // The library's own way of saying it: "bad conversion", "end of map not found", ...
    return fail(Errc::invalid, fmt::format("{}:{}: this is not YAML: {}", name,
                                           problem.mark.line + 1, problem.msg));
}

Expected<ConfigFile> read_config_file(const std::string& path) {
    // A directory can be opened, and reads as an empty file: that would pass for a configuration
    // without options.
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored))
        return fail(Errc::invalid, fmt::format("{}: this is a directory", path));
    std::ifstream in(path, std::ios::binary);
    if (!in) return fail(system_error(errno, fmt::format("{}: open", path)));
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (in.bad()) return fail(system_error(EIO, fmt::format("{}: read", path)));
    return parse_config(text, path);
}

}  // namespace hawker::daemon
