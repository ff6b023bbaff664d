#include "daemon/origins_config.h"

#include "base/nearest_word.h"
#include "daemon/yaml.h"

#include <algorithm>
#include <array>
#include <set>

namespace hawker::daemon {

namespace {

using Setter = Expected<void> (*)(OriginSpec& spec, const YAML::Node& value);
struct Key {
    std::string_view name;
    Setter set;
};

constexpr std::array kKeys = {
    Key{"hosts",
        [](OriginSpec& spec, const YAML::Node& value) { return yaml::set(spec.hosts, value); }},
    Key{"ca_file",
        [](OriginSpec& spec, const YAML::Node& value) {
            return yaml::set(spec.ca_file.emplace(), value);
        }},
    Key{"insecure",
        [](OriginSpec& spec, const YAML::Node& value) { return yaml::set(spec.insecure, value); }},
    Key{"client_certificate",
        [](OriginSpec& spec, const YAML::Node& value) {
            return yaml::set(spec.client_certificate, value);
        }},
    Key{"client_key", [](OriginSpec& spec,
                         const YAML::Node& value) { return yaml::set(spec.client_key, value); }},
    Key{"proxy", [](OriginSpec& spec,
                    const YAML::Node& value) { return yaml::set(spec.proxy.emplace(), value); }},
    Key{"connect_to", [](OriginSpec& spec,
                         const YAML::Node& value) { return yaml::set(spec.connect_to, value); }},
    Key{"source_address",
        [](OriginSpec& spec, const YAML::Node& value) {
            return yaml::set(spec.source_address, value);
        }},
};

Expected<void> read_member(OriginSpec& spec, const YAML::Node& node, const std::string& file) {
    if (!node.IsMap())
        return yaml::wrong(file, node,
                           fmt::format("expected a mapping, found {}", yaml::kind_of(node)));
    std::set<std::string> seen;
    for (const auto& member : node) {
        const std::string name = member.first.Scalar();
        const auto* const key = std::ranges::find(kKeys, name, &Key::name);
        if (key == kKeys.end()) {
            std::vector<std::string> known;
            for (const Key& each : kKeys) known.emplace_back(each.name);
            return yaml::wrong(
                file, member.first,
                fmt::format("unknown key '{}' in origins{}", name, did_you_mean(name, known)));
        }
        if (!seen.insert(name).second)
            return yaml::wrong(file, member.first,
                               fmt::format("'{}' stands in this member of origins twice", name));
        if (const auto ok = key->set(spec, member.second); !ok)
            return yaml::wrong(file, member.first, fmt::format("{}: {}", name, ok.error().what));
    }
    return {};
}

}  // namespace

Expected<std::vector<OriginSpec>> read_origins(const YAML::Node& node, const std::string& file) {
    std::vector<OriginSpec> specs;
    if (node.IsNull()) return specs;
    if (!node.IsSequence())
        return yaml::wrong(file, node, "origins: expected a list, each member beginning with '- '");
    for (const YAML::Node& member : node) {
        OriginSpec spec;
        spec.line = yaml::line_of(member);
        if (const auto ok = read_member(spec, member, file); !ok) return fail(ok.error());
        if (spec.hosts.empty())
            return yaml::wrong(file, member,
                               "this member of origins has no 'hosts': the hosts it is for");
        specs.push_back(std::move(spec));
    }
    return specs;
}

}  // namespace hawker::daemon
