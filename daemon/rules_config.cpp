#include "daemon/rules_config.h"

#include "base/nearest_word.h"
#include "base/units.h"
#include "daemon/yaml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

namespace hawker::daemon {

namespace {

using filters::RuleSpec;

// Sets one field of a rule from its value.
using Setter = Expected<void> (*)(RuleSpec& spec, const YAML::Node& value);
struct Key {
    std::string_view name;
    Setter set;
};

// A word that one of filters/'s own parsers knows.
template <typename T>
Expected<void> set_word(T& field, const YAML::Node& value, Expected<T> (*parse)(std::string_view)) {
    const auto text = yaml::scalar(value);
    if (!text) return fail(text.error());
    const auto parsed = parse(*text);
    if (!parsed) return fail(parsed.error());
    field = *parsed;
    return {};
}

Expected<void> set_scheme(RuleSpec& spec, const YAML::Node& value) {
    const std::string text = value.IsScalar() ? value.Scalar() : "";
    if (text == "http")
        spec.origin_scheme = filters::Scheme::http;
    else if (text == "https")
        spec.origin_scheme = filters::Scheme::https;
    else
        return fail(Errc::invalid, fmt::format("'{}' is neither http nor https", text));
    return {};
}

Expected<void> set_piece_size(RuleSpec& spec, const YAML::Node& value) {
    std::uint64_t size = 0;
    if (const auto ok = set_word(size, value, parse_size); !ok) return ok;
    spec.piece_size = size;
    return {};
}

Expected<void> set_connections(RuleSpec& spec, const YAML::Node& value) {
    const std::string text = value.IsScalar() ? value.Scalar() : "";
    unsigned number = 0;
    const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc() || rest != text.data() + text.size() || number < 1 || number > 64)
        return fail(Errc::invalid,
                    fmt::format("'{}' is not a number of connections from 1 to 64", text));
    spec.connections = number;
    return {};
}

Expected<void> set_bandwidth(RuleSpec& spec, const YAML::Node& value) {
    const auto text = yaml::scalar(value);
    if (!text) return fail(text.error());
    const auto size = parse_size(*text);
    if (!size) return fail(size.error());
    spec.bandwidth = *size;
    return {};
}

constexpr std::array kKeyKeys = {
    Key{"strip",
        [](RuleSpec& spec, const YAML::Node& value) { return yaml::set(spec.strip, value); }},
    Key{"keep",
        [](RuleSpec& spec, const YAML::Node& value) { return yaml::set(spec.keep, value); }},
    Key{"sort",
        [](RuleSpec& spec, const YAML::Node& value) { return yaml::set(spec.sort, value); }},
    Key{"range",
        [](RuleSpec& spec, const YAML::Node& value) { return yaml::set(spec.range, value); }},
};

constexpr std::array kRuleKeys = {
    Key{"name",
        [](RuleSpec& spec, const YAML::Node& value) { return yaml::set(spec.name, value); }},
    Key{"match",
        [](RuleSpec& spec, const YAML::Node& value) { return yaml::set(spec.match, value); }},
    Key{"key", nullptr},  // a mapping of its own: kKeyKeys
    Key{"digest",
        [](RuleSpec& spec, const YAML::Node& value) { return yaml::set(spec.digest, value); }},
    Key{"learn_digest",
        [](RuleSpec& spec, const YAML::Node& value) {
            return yaml::set(spec.learn_digest, value);
        }},
    Key{"trust_origin",
        [](RuleSpec& spec, const YAML::Node& value) {
            return yaml::set(spec.trust_origin, value);
        }},
    Key{"policy",
        [](RuleSpec& spec, const YAML::Node& value) {
            return set_word(spec.policy, value, filters::parse_policy);
        }},
    Key{"origin_scheme", set_scheme},
    Key{"access",
        [](RuleSpec& spec, const YAML::Node& value) {
            return set_word(spec.access, value, filters::parse_access);
        }},
    Key{"on_unverifiable",
        [](RuleSpec& spec, const YAML::Node& value) {
            return set_word(spec.on_unverifiable, value, filters::parse_on_unverifiable);
        }},
    Key{"piece_size", set_piece_size},
    Key{"connections", set_connections},
    Key{"bandwidth", set_bandwidth},
    Key{"prefetch",
        [](RuleSpec& spec, const YAML::Node& value) { return yaml::set(spec.prefetch, value); }},
    Key{"follow_redirects",
        [](RuleSpec& spec, const YAML::Node& value) {
            return yaml::set(spec.follow_redirects, value);
        }},
    Key{"ignore_credentials",
        [](RuleSpec& spec, const YAML::Node& value) {
            return yaml::set(spec.ignore_credentials, value);
        }},
    Key{"store_cookies",
        [](RuleSpec& spec, const YAML::Node& value) {
            return yaml::set(spec.store_cookies, value);
        }},
    Key{"content_types",
        [](RuleSpec& spec, const YAML::Node& value) {
            return yaml::set(spec.content_types, value);
        }},
};

// Reads a mapping whose keys are `keys`, into `spec`. `prefix` stands before the keys in messages.
Expected<void> read_mapping(RuleSpec& spec, const YAML::Node& node, std::span<const Key> keys,
                            std::string_view prefix, const std::string& file) {
    if (!node.IsMap())
        return yaml::wrong(file, node,
                           fmt::format("expected a mapping, found {}", yaml::kind_of(node)));
    std::set<std::string> seen;
    for (const auto& member : node) {
        const std::string name = member.first.Scalar();
        const auto key = std::ranges::find(keys, name, &Key::name);
        if (key == keys.end()) {
            std::vector<std::string> known;
            for (const Key& each : keys) known.emplace_back(each.name);
            return yaml::wrong(file, member.first,
                               fmt::format("unknown key '{}{}' in a rule{}", prefix, name,
                                           did_you_mean(name, known)));
        }
        if (!seen.insert(name).second)
            return yaml::wrong(file, member.first,
                               fmt::format("'{}{}' stands in this rule twice", prefix, name));
        const auto ok = key->set ? key->set(spec, member.second)
                                 : read_mapping(spec, member.second, kKeyKeys, "key.", file);
        if (ok) continue;
        if (!key->set) return ok;  // it names its own line
        return yaml::wrong(file, member.first,
                           fmt::format("{}{}: {}", prefix, name, ok.error().what));
    }
    return {};
}

}  // namespace

Expected<std::vector<RuleSpec>> read_rules(const YAML::Node& node, const std::string& file) {
    std::vector<RuleSpec> specs;
    if (node.IsNull()) return specs;
    if (!node.IsSequence())
        return yaml::wrong(file, node, "rules: expected a list, each member beginning with '- '");
    std::set<std::string> names;
    for (const YAML::Node& member : node) {
        RuleSpec spec;
        spec.line = yaml::line_of(member);
        if (const auto ok = read_mapping(spec, member, kRuleKeys, "", file); !ok)
            return fail(ok.error());
        if (spec.match.empty())
            return yaml::wrong(file, member,
                               "this rule has no 'match': the pattern of the URLs it is for");
        if (spec.name.empty()) spec.name = fmt::format("rule {}", specs.size() + 1);
        if (!names.insert(spec.name).second)
            return yaml::wrong(file, member,
                               fmt::format("there are two rules of the name '{}'", spec.name));
        specs.push_back(std::move(spec));
    }
    return specs;
}

}  // namespace hawker::daemon
