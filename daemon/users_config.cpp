#include "daemon/users_config.h"

#include "base/nearest_word.h"
#include "base/units.h"
#include "daemon/yaml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

namespace hawker::daemon {

namespace {

using admission::UserTerms;
using Setter = Expected<void> (*)(UserTerms& terms, const YAML::Node& value);
struct Key {
    std::string_view name;
    Setter set;
};

Expected<void> set_connections(UserTerms& terms, const YAML::Node& value) {
    const auto text = yaml::scalar(value);
    if (!text) return fail(text.error());
    const char* const end = text->data() + text->size();
    const auto [stop, problem] = std::from_chars(text->data(), end, terms.connections);
    if (problem != std::errc() || stop != end || text->empty())
        return fail(Errc::invalid, fmt::format("'{}' is no number of connections", *text));
    return {};
}

Expected<void> set_bandwidth(UserTerms& terms, const YAML::Node& value) {
    const auto text = yaml::scalar(value);
    if (!text) return fail(text.error());
    const auto size = parse_size(*text);
    if (!size) return fail(size.error());
    terms.bandwidth = *size;
    return {};
}

constexpr std::array kKeys = {
    Key{"connections", set_connections},
    Key{"bandwidth", set_bandwidth},
    Key{"shared",
        [](UserTerms& terms, const YAML::Node& value) { return yaml::set(terms.shared, value); }},
};

Expected<UserTerms> read_terms(const YAML::Node& node, const std::string& file) {
    UserTerms terms;
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
                fmt::format("unknown key '{}' in users{}", name, did_you_mean(name, known)));
        }
        if (!seen.insert(name).second)
            return yaml::wrong(file, member.first,
                               fmt::format("'{}' stands for this user twice", name));
        if (const auto ok = key->set(terms, member.second); !ok)
            return yaml::wrong(file, member.first, fmt::format("{}: {}", name, ok.error().what));
    }
    return terms;
}

}  // namespace

Expected<admission::Users::Terms> read_users(const YAML::Node& node, const std::string& file) {
    admission::Users::Terms users;
    if (node.IsNull()) return users;
    if (!node.IsMap())
        return yaml::wrong(file, node, "users: expected a mapping of names, as in 'alice: {...}'");
    for (const auto& member : node) {
        auto terms = read_terms(member.second, file);
        if (!terms) return fail(std::move(terms).error());
        if (!admission::is_user_name(member.first.Scalar()))
            return yaml::wrong(file, member.first,
                               "users: expected a name of 1 to 128 bytes, as in 'alice: {...}'");
        if (!users.emplace(member.first.Scalar(), *terms).second)
            return yaml::wrong(file, member.first,
                               fmt::format("user '{}' stands here twice", member.first.Scalar()));
    }
    return users;
}

}  // namespace hawker::daemon
