#include "cli/dragonfly_rules.h"

#include "cli/dragonfly_pattern.h"
#include "cli/dragonfly_values.h"
#include "filters/query.h"
#include "filters/rule_set.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

namespace hawker::cli {

namespace {

// What stands for dfdaemon's own list: the same signatures, and those that it does not know.
constexpr std::array<std::string_view, 11> kUsualFilter = {
    "aws-sigv4",  "gcs",         "aliyun-oss", "huawei-obs", "tencent-cos", "cloudfront",
    "github-lfs", "huggingface", "Expires",    "Signature",  "ns"};

std::string text_of(const YAML::Node& node) {
    return node.IsDefined() && node.IsScalar() ? node.Scalar() : std::string();
}

bool is_on(const YAML::Node& rule, const char* key, std::vector<std::string>& remarks) {
    const YAML::Node value = rule[key];
    if (!value.IsDefined() || value.IsNull()) return false;
    const auto flag = flag_of(text_of(value));
    if (!flag) remarks.push_back(fmt::format("give {} true or false: it is neither", key));
    return flag.value_or(false);
}

std::vector<std::string> split(std::string_view list, char separator) {
    std::vector<std::string> words;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(separator), list.size());
        if (end > 0) words.emplace_back(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return words;
}

std::vector<std::string> filter_of(Era era, const YAML::Node& rule,
                                   const std::optional<std::string>& filter,
                                   std::vector<std::string>& remarks) {
    if (era == Era::go && filter) return split(*filter, '&');
    std::vector<std::string> names;
    const YAML::Node given = rule["filteredQueryParams"];
    const bool is_given = era == Era::rust && given.IsDefined() && !given.IsNull();
    if (is_given && given.IsSequence()) {
        for (const YAML::Node& name : given) names.push_back(text_of(name));
        return names;  // one without members too: it stands for dfdaemon's own
    }
    if (is_given)
        remarks.emplace_back(
            "write filteredQueryParams as a list, [Expires, Signature]: until then it is the usual "
            "one");
    names.assign(kUsualFilter.begin(), kUsualFilter.end());
    return names;
}

Expected<void> compiles(const filters::RuleSpec& spec) {
    if (auto rules = filters::RuleSet::compile({spec}); !rules) return fail(rules.error());
    return {};
}

// Those of `names` that can be left out of a key.
std::vector<std::string> accepted(filters::RuleSpec spec, std::vector<std::string> names,
                                  std::vector<std::string>& remarks) {
    std::erase_if(names, [&](const std::string& name) {
        spec.strip = {name};
        if (compiles(spec)) return false;
        remarks.push_back(
            fmt::format("'{}' stays in the name of objects: it says what the answer is, "
                        "or is no name of a parameter",
                        name));
        return true;
    });
    for (const std::string& name : names)
        if (name.ends_with('*'))
            remarks.push_back(fmt::format(
                "'{}' stands for every name that begins so; dfdaemon took it for a name", name));
    return names;
}

std::string rule_text(const filters::RuleSpec& spec) {
    std::vector<std::string> strip;
    for (const std::string& name : spec.strip) strip.push_back(yaml_scalar(name));
    std::string text =
        fmt::format("  - name: {}\n    match: {}\n", spec.name, yaml_scalar(spec.match));
    const bool is_cached = spec.policy != filters::Policy::bypass;
    if (is_cached) text += fmt::format("    key: {{strip: [{}]}}\n", fmt::join(strip, ", "));
    text += fmt::format("    policy: {}\n", name_of(spec.policy));
    if (spec.origin_scheme) text += "    origin_scheme: https\n";
    if (is_cached && spec.prefetch) text += "    prefetch: true\n";
    if (is_cached)
        text += "    access: verify\n    follow_redirects: true\n    ignore_credentials: true\n";
    return text;
}

// Of what the URL is in normal form, and never has.
void remark_on_ports(ImportedRule& rule) {
    for (const std::string_view port : {":80", ":443"}) {
        const std::size_t at = rule.pattern.find(port);
        if (at == std::string::npos) continue;
        const std::size_t end = at + port.size();
        if (end < rule.pattern.size() && rule.pattern[end] >= '0' && rule.pattern[end] <= '9')
            continue;
        rule.remarks.push_back(fmt::format(
            "take '{}' out of the pattern: URLs are matched without the port that goes with their "
            "scheme",
            port));
    }
}

ImportedRule import_rule(Era era, const YAML::Node& node, std::size_t number,
                         const RuleDefaults& defaults) {
    ImportedRule rule;
    rule.line = node.Mark().line + 1;
    if (!node.IsMap()) {
        rule.lost = "this is no rule";
        return rule;
    }
    const YAML::Node expression = era == Era::go ? node["regx"] : node["regex"];
    rule.pattern = text_of(expression);
    if (rule.pattern.empty()) {
        rule.lost = "this rule has no pattern";
        return rule;
    }
    if (expression.Mark().line >= 0) rule.line = expression.Mark().line + 1;
    if (const std::string redirect = text_of(node["redirect"]); !redirect.empty()) {
        rule.lost =
            "a rule sends nothing to another host: let clients name that host, or make a mirror of "
            "it, mirrors: - {listen: ADDRESS, kind: generic, upstreams: [URL]}";
        return rule;
    }
    auto pattern = era == Era::go ? pattern_of_go(rule.pattern) : pattern_of_rust(rule.pattern);
    filters::RuleSpec spec;
    spec.name = fmt::format("dragonfly-{}", number);
    if (pattern) {
        spec.match = *pattern;
        if (const auto ok = compiles(spec); !ok) pattern = fail(ok.error());
    }
    if (!pattern) {
        rule.lost = fmt::format("RE2 cannot say this pattern: {}", pattern.error().what);
        return rule;
    }
    if (is_on(node, era == Era::go ? "useHTTPS" : "useTLS", rule.remarks))
        spec.origin_scheme = filters::Scheme::https;
    if (era == Era::go && is_on(node, "direct", rule.remarks))
        spec.policy = filters::Policy::bypass;
    spec.prefetch = defaults.prefetch;
    remark_on_ports(rule);
    if (spec.policy != filters::Policy::bypass)
        spec.strip =
            accepted(spec, filter_of(era, node, defaults.filter, rule.remarks), rule.remarks);
    rule.yaml = rule_text(spec);
    return rule;
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
    const bool is_plain = !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    });
    constexpr std::array<std::string_view, 9> kMeaning = {"yes",   "no",   "on", "off", "true",
                                                          "false", "null", "y",  "n"};
    if (is_plain && text.front() != '-' &&
        std::ranges::find(kMeaning, filters::lower_case(text)) == kMeaning.end())
        return std::string(text);
    const bool is_printable =
        std::ranges::all_of(text, [](unsigned char c) { return c >= ' ' && c < 0x7F; });
    if (!is_printable)  // a JSON string is one of YAML
        return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    std::string quoted = "'";
    for (const char c : text) {
        if (c == '\'') quoted += '\'';
        quoted += c;
    }
    return quoted + '\'';
}

std::vector<ImportedRule> import_rules(Era era, const YAML::Node& rules,
                                       const RuleDefaults& defaults) {
    std::vector<ImportedRule> imported;
    if (!rules.IsDefined() || !rules.IsSequence()) return imported;
    for (const YAML::Node& rule : rules)
        imported.push_back(import_rule(era, rule, imported.size() + 1, defaults));
    return imported;
}

}  // namespace hawker::cli
