#include "daemon/mirrors_config.h"

#include "base/nearest_word.h"
#include "base/units.h"
#include "daemon/yaml.h"
#include "filters/url.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/ranges.h>

namespace hawker::daemon {

namespace {

using Setter = Expected<void> (*)(MirrorSpec& spec, const YAML::Node& value);
struct Key {
    std::string_view name;
    Setter set;
    bool proxy::MirrorTraits::* needs = nullptr;  // only for kinds that have this
};

const proxy::MirrorTraits& traits_of(const MirrorSpec& spec) {
    return *std::ranges::find(proxy::kinds_of_mirrors(), spec.kind, &proxy::MirrorTraits::name);
}

Expected<void> set_kind(MirrorSpec& spec, const YAML::Node& value) {
    if (auto ok = yaml::set(spec.kind, value); !ok) return ok;
    std::vector<std::string> known;
    for (const proxy::MirrorTraits& each : proxy::kinds_of_mirrors()) known.emplace_back(each.name);
    if (std::ranges::find(known, spec.kind) != known.end()) return {};
    return fail(Errc::invalid, fmt::format("'{}' is none of {}{}", spec.kind,
                                           fmt::join(known, ", "), did_you_mean(spec.kind, known)));
}

Expected<void> set_listen(MirrorSpec& spec, const YAML::Node& value) {
    if (auto ok = yaml::set(spec.listen, value); !ok) return ok;
    for (const std::string& address : spec.listen)
        if (auto ok = check_listener_address(address); !ok) return ok;
    return {};
}

Expected<void> set_upstreams(MirrorSpec& spec, const YAML::Node& value) {
    if (auto ok = yaml::set(spec.mirror.upstreams, value); !ok) return ok;
    for (std::string& upstream : spec.mirror.upstreams) {
        const auto url = filters::parse_url(upstream);
        if (!url)
            return fail(Errc::invalid, fmt::format("expected URLs like https://host.example: {}",
                                                   url.error().what));
        if (url->has_query)
            return fail(Errc::invalid, fmt::format("'{}': take the query away", upstream));
        while (upstream.ends_with('/')) upstream.pop_back();
    }
    return {};
}

Expected<void> set_token(MirrorSpec& spec, const YAML::Node& value) {
    if (auto ok = yaml::set(spec.mirror.token, value); !ok) return ok;
    return check_token(spec.mirror.token);
}

Expected<void> set_access(MirrorSpec& spec, const YAML::Node& value) {
    const auto text = yaml::scalar(value);
    if (!text) return fail(text.error());
    const auto access = filters::parse_access(*text);
    if (!access || *access == filters::Access::capability)
        return fail(Errc::invalid, fmt::format("'{}' is neither verify nor shared", *text));
    spec.mirror.access = *access;
    return {};
}

template <std::chrono::milliseconds proxy::Mirror::* Which>
Expected<void> set_duration(MirrorSpec& spec, const YAML::Node& value) {
    const auto text = yaml::scalar(value);
    if (!text) return fail(text.error());
    const auto duration = parse_duration(*text);
    if (!duration) return fail(duration.error());
    spec.mirror.*Which = *duration;
    return {};
}

Expected<void> set_offline_access(MirrorSpec& spec, const YAML::Node& value) {
    std::vector<std::string> words;
    if (auto ok = yaml::set(words, value); !ok) return ok;
    for (const std::string& word : words) {
        const auto network = net::Cidr::parse(word);
        if (!network) return fail(network.error());
        spec.mirror.offline_access.push_back(*network);
    }
    return {};
}

Expected<void> set_xet(MirrorSpec& spec, const YAML::Node& value) {
    const auto text = yaml::scalar(value);
    if (!text) return fail(text.error());
    if (*text != "strip" && *text != "serve")
        return fail(Errc::invalid, fmt::format("'{}' is neither strip nor serve", *text));
    spec.mirror.serves_xet = *text == "serve";
    return {};
}

Expected<void> set_xet_hosts(MirrorSpec& spec, const YAML::Node& value) {
    std::vector<std::string> words;
    if (auto ok = yaml::set(words, value); !ok) return ok;
    for (const std::string& word : words) {
        const auto host = HostPattern::parse(word);
        if (!host) return fail(host.error());
        spec.mirror.xet_servers.push_back(*host);
    }
    return {};
}

Expected<void> set_namespaces(MirrorSpec& spec, const YAML::Node& value) {
    if (auto ok = yaml::set(spec.mirror.namespaces, value); !ok) return ok;
    for (const std::string& name : spec.mirror.namespaces)
        if (name.contains('/') || !filters::parse_url("https://" + name))
            return fail(
                Errc::invalid,
                fmt::format("'{}' is no host, like docker.io or registry.example:5000", name));
    return {};
}

constexpr std::array kKeys = {
    Key{"listen", set_listen},
    Key{"kind", set_kind},
    Key{"upstreams", set_upstreams},
    Key{"token", set_token},
    Key{"token_file", [](MirrorSpec& spec,
                         const YAML::Node& value) { return yaml::set(spec.token_file, value); }},
    Key{"offline", [](MirrorSpec& spec,
                      const YAML::Node& value) { return yaml::set(spec.mirror.offline, value); }},
    Key{"access", set_access, &proxy::MirrorTraits::knows_repositories},
    Key{"patience", set_duration<&proxy::Mirror::patience>},
    Key{"ref_ttl", set_duration<&proxy::Mirror::ref_ttl>, &proxy::MirrorTraits::knows_repositories},
    Key{"offline_access", set_offline_access, &proxy::MirrorTraits::knows_repositories},
    Key{"xet", set_xet, &proxy::MirrorTraits::speaks_xet},
    Key{"xet_hosts", set_xet_hosts, &proxy::MirrorTraits::speaks_xet},
    Key{"namespaces", set_namespaces, &proxy::MirrorTraits::has_namespaces},
};

std::unexpected<Error> unknown_key(const YAML::Node& key, const std::string& file) {
    std::vector<std::string> known = {"mode", "tls", "clients", "bandwidth"};
    for (const Key& each : kKeys) known.emplace_back(each.name);
    const std::string hint = key.Scalar() == "auth"
                                 ? "; a mirror's clients send no proxy password: say who may come "
                                   "with clients: or tls: {client_ca: FILE}"
                                 : did_you_mean(key.Scalar(), known);
    return yaml::wrong(file, key, fmt::format("unknown key '{}' in mirrors{}", key.Scalar(), hint));
}

std::string why_not(const Key& key, const MirrorSpec& spec) {
    std::string_view why = "knows no repositories, and leaves that to the rules";
    if (key.needs == &proxy::MirrorTraits::speaks_xet && traits_of(spec).knows_repositories)
        why = "has no Xet";
    if (key.needs == &proxy::MirrorTraits::has_namespaces) why = "is no registry";
    return fmt::format("take '{}' away: kind '{}' {}", key.name, spec.kind, why);
}

// What the keys say together. Empty when they agree.
std::string contradiction(const MirrorSpec& spec, const std::set<std::string>& seen) {
    if (spec.listen.empty()) return "this mirror has no 'listen': - listen: 127.0.0.1:8090";
    for (const Key& key : kKeys)
        if (key.needs && seen.contains(std::string(key.name)) && !(traits_of(spec).*key.needs))
            return why_not(key, spec);
    if (spec.mirror.upstreams.empty())
        return "this mirror has no 'upstreams': upstreams: [https://host.example]";
    if (spec.mirror.serves_xet && spec.mirror.offline)
        return "take 'offline: true' away, or write xet: strip: Xet needs servers that can be "
               "asked";
    if (!spec.mirror.token.empty() && !spec.token_file.empty())
        return "token: and token_file: are the same thing; keep one of them";
    return {};
}

Expected<void> read_member(MirrorSpec& spec, const YAML::Node& node, const std::string& file) {
    if (!node.IsMap())
        return yaml::wrong(file, node,
                           fmt::format("expected a mapping like 'listen: 127.0.0.1:8090', found {}",
                                       yaml::kind_of(node)));
    std::set<std::string> seen;
    for (const auto& member : node) {
        const std::string& name = member.first.Scalar();
        if (!seen.insert(name).second)
            return yaml::wrong(file, member.first,
                               fmt::format("'{}' stands in this mirror twice", name));
        const auto term = read_listener_term(spec.listener, member.first, member.second, file);
        if (!term) return fail(term.error());
        if (*term) continue;
        const auto* const key = std::ranges::find(kKeys, name, &Key::name);
        if (key == kKeys.end()) return unknown_key(member.first, file);
        if (const auto ok = key->set(spec, member.second); !ok)
            return yaml::wrong(file, member.first, fmt::format("{}: {}", name, ok.error().what));
    }
    if (spec.mirror.upstreams.empty() && !traits_of(spec).usual_upstream.empty())
        spec.mirror.upstreams.emplace_back(traits_of(spec).usual_upstream);
    if (spec.mirror.xet_servers.empty())
        spec.mirror.xet_servers.push_back(*HostPattern::parse("*.hf.co"));
    if (const std::string wrong = contradiction(spec, seen); !wrong.empty())
        return yaml::wrong(file, node, wrong);
    return {};
}

}  // namespace

Expected<void> check_token(std::string_view token) {
    const bool is_good = !token.empty() && std::ranges::all_of(token, [](unsigned char c) {
        return c > ' ' && c < 0x7F;
    });
    if (is_good) return {};
    return fail(Errc::invalid, "expected a token: visible characters without spaces");
}

Expected<std::vector<MirrorSpec>> read_mirrors(const YAML::Node& node, const std::string& file) {
    std::vector<MirrorSpec> specs;
    if (node.IsNull()) return specs;
    if (!node.IsSequence())
        return yaml::wrong(file, node,
                           "mirrors: expected a list, each member beginning with '- listen:'");
    for (const YAML::Node& member : node) {
        MirrorSpec spec;
        spec.listener.where = fmt::format("{}:{}", file, yaml::line_of(member));
        spec.listener.offer = Offer::mirror;
        if (const auto ok = read_member(spec, member, file); !ok) return fail(ok.error());
        for (const std::string& address : spec.listen) {
            spec.listener.address = address;
            if (const auto ok = settle_listener(spec.listener, member, file); !ok)
                return fail(ok.error());
        }
        specs.push_back(std::move(spec));
    }
    return specs;
}

}  // namespace hawker::daemon
