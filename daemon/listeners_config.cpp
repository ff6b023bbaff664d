#include "daemon/listeners_config.h"

#include "base/nearest_word.h"
#include "base/units.h"
#include "daemon/yaml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

namespace hawker::daemon {

namespace {

using Setter = Expected<void> (*)(ListenerSpec& spec, const YAML::Node& value);
struct Key {
    std::string_view name;
    Setter set;
};

std::string text_of(const YAML::Node& value) { return value.IsScalar() ? value.Scalar() : ""; }

Expected<void> set_text(std::string& field, const YAML::Node& value) {
    field = text_of(value);
    if (!field.empty()) return {};
    return fail(Errc::invalid, fmt::format("expected one value, found {}", yaml::kind_of(value)));
}

// A list, or one value that stands for a list of one.
Expected<std::vector<std::string>> words_of(const YAML::Node& value) {
    std::vector<std::string> words;
    if (value.IsScalar()) words.push_back(value.Scalar());
    if (value.IsSequence())
        for (const YAML::Node& member : value) words.push_back(text_of(member));
    if (!words.empty() && std::ranges::find(words, "") == words.end()) return words;
    return fail(Errc::invalid, fmt::format("expected a list, found {}", yaml::kind_of(value)));
}

Expected<void> set_address(ListenerSpec& spec, const YAML::Node& value) {
    if (const auto ok = set_text(spec.address, value); !ok) return ok;
    return check_listener_address(spec.address);
}

// chmod's digits.
Expected<void> set_mode(ListenerSpec& spec, const YAML::Node& value) {
    const std::string text = text_of(value);
    const char* const end = text.data() + text.size();
    unsigned mode = 0;
    const auto [rest, problem] = std::from_chars(text.data(), end, mode, 8);
    if (text.empty() || problem != std::errc() || rest != end || mode > 0777)
        return fail(Errc::invalid, fmt::format("'{}' is not a file mode like 0660", text));
    spec.mode = mode;
    return {};
}

Expected<void> set_offers(ListenerSpec& spec, const YAML::Node& value) {
    const auto words = words_of(value);
    if (!words) return fail(words.error());
    for (const std::string& word : *words) {
        if (word == "mirror")
            return fail(Errc::invalid,
                        "write it below `mirrors:`, at the file's left edge: a mirror has a "
                        "listener of its own (- listen: 127.0.0.1:8090)");
        if (word == "peer")
            return fail(
                Errc::invalid,
                fmt::format("this hawkerd has no '{}' to offer; there are proxy and admin", word));
        if (word != "proxy" && word != "admin")
            return fail(Errc::invalid, fmt::format("'{}' is neither proxy nor admin", word));
    }
    if (words->size() > 1)
        return fail(Errc::invalid,
                    "a listener offers one thing: make a second one, with an address of its own, "
                    "for the other");
    spec.offer = words->front() == "admin" ? Offer::admin : Offer::proxy;
    return {};
}

Expected<void> set_clients(ListenerSpec& spec, const YAML::Node& value) {
    const auto words = words_of(value);
    if (!words) return fail(words.error());
    for (const std::string& word : *words) {
        const auto network = net::Cidr::parse(word);
        if (!network) return fail(network.error());
        spec.clients.push_back(*network);
    }
    return {};
}

Expected<void> set_authentication(ListenerSpec& spec, const YAML::Node& value) {
    if (value.IsMap())
        return fail(Errc::invalid,
                    "here it is required, optional or none; auth: {htpasswd: FILE} stands at the "
                    "file's left edge, once for all listeners");
    const std::string text = text_of(value);
    for (const auto& [word, meaning] :
         {std::pair{"none", proxy::ProxyAuthentication::none},
          std::pair{"optional", proxy::ProxyAuthentication::optional},
          std::pair{"required", proxy::ProxyAuthentication::required}})
        if (text == word) spec.authentication = meaning;
    if (spec.authentication) return {};
    return fail(Errc::invalid, fmt::format("'{}' is not required, optional or none", text));
}

Expected<void> set_bandwidth(ListenerSpec& spec, const YAML::Node& value) {
    const auto size = parse_size(text_of(value));
    if (!size) return fail(size.error());
    spec.bandwidth = *size;
    return {};
}

Expected<void> set_client_certificates(ListenerSpec& spec, const YAML::Node& value) {
    const std::string text = text_of(value);
    if (text != "required" && text != "wanted")
        return fail(Errc::invalid, fmt::format("'{}' is neither required nor wanted", text));
    spec.tls->client_certificates =
        text == "required" ? net::ClientCertificates::required : net::ClientCertificates::wanted;
    return {};
}

constexpr std::array kTlsKeys = {
    Key{"certificate",
        [](ListenerSpec& spec, const YAML::Node& value) {
            return set_text(spec.tls->certificate, value);
        }},
    Key{"key",
        [](ListenerSpec& spec, const YAML::Node& value) { return set_text(spec.tls->key, value); }},
    Key{"client_ca", [](ListenerSpec& spec,
                        const YAML::Node& value) { return set_text(spec.tls->client_ca, value); }},
    Key{"client_certificates", set_client_certificates},
};

constexpr std::array kListenerKeys = {
    Key{"address", set_address},
    Key{"mode", set_mode},
    Key{"tls", nullptr},  // a mapping of its own: kTlsKeys
    Key{"offers", set_offers},
    Key{"clients", set_clients},
    Key{"auth", set_authentication},
    Key{"bandwidth", set_bandwidth},
};

Expected<void> read_mapping(ListenerSpec& spec, const YAML::Node& node, std::span<const Key> keys,
                            std::string_view prefix, const std::string& file) {
    if (!node.IsMap())
        return yaml::wrong(file, node,
                           fmt::format("expected a mapping like 'address: 127.0.0.1:65001', "
                                       "found {}",
                                       yaml::kind_of(node)));
    std::set<std::string> seen;
    for (const auto& member : node) {
        const std::string name = text_of(member.first);
        const auto key = std::ranges::find(keys, name, &Key::name);
        if (key == keys.end()) {
            std::vector<std::string> known;
            for (const Key& each : keys) known.emplace_back(each.name);
            return yaml::wrong(file, member.first,
                               fmt::format("unknown key '{}{}' in a listener{}", prefix, name,
                                           did_you_mean(name, known)));
        }
        if (!seen.insert(name).second)
            return yaml::wrong(file, member.first,
                               fmt::format("'{}{}' stands in this listener twice", prefix, name));
        if (!key->set) {
            spec.tls.emplace();
            if (const auto ok = read_mapping(spec, member.second, kTlsKeys, "tls.", file); !ok)
                return ok;
        } else if (const auto ok = key->set(spec, member.second); !ok) {
            return yaml::wrong(file, member.first,
                               fmt::format("{}{}: {}", prefix, name, ok.error().what));
        }
    }
    return {};
}

// What a listener's keys say together. Empty when they agree.
std::string contradiction(const ListenerSpec& spec) {
    if (spec.address.empty()) return "this listener has no 'address'";
    if (spec.mode && !spec.address.starts_with("unix:"))
        return "mode: is for the file of a Unix socket (address: unix:/run/hawker/proxy.sock)";
    if (spec.offer == Offer::admin && (spec.authentication || spec.bandwidth > 0))
        return "auth: and bandwidth: are for listeners that offer proxy; the admin API knows "
               "clients: and tls: {client_ca: FILE}";
    if (!spec.tls) return {};
    if (spec.tls->certificate.empty() || spec.tls->key.empty())
        return "tls: needs certificate: FILE and key: FILE (both PEM)";
    if (spec.tls->client_certificates != net::ClientCertificates::ignored &&
        spec.tls->client_ca.empty())
        return "tls: client_certificates: needs client_ca: FILE (PEM; whose signatures count)";
    return {};
}

}  // namespace

Expected<bool> read_listener_term(ListenerSpec& spec, const YAML::Node& key,
                                  const YAML::Node& value, const std::string& file) {
    const std::string name = text_of(key);
    if (name == "tls") {
        spec.tls.emplace();
        const auto ok = read_mapping(spec, value, kTlsKeys, "tls.", file);
        return ok ? Expected<bool>(true) : Expected<bool>(fail(ok.error()));
    }
    if (name != "mode" && name != "clients" && name != "bandwidth") return false;
    if (const auto ok = std::ranges::find(kListenerKeys, name, &Key::name)->set(spec, value); !ok)
        return yaml::wrong(file, key, fmt::format("{}: {}", name, ok.error().what));
    return true;
}

Expected<void> settle_listener(ListenerSpec& spec, const YAML::Node& node,
                               const std::string& file) {
    if (const std::string wrong = contradiction(spec); !wrong.empty())
        return yaml::wrong(file, node, wrong);
    // Who names an authority means it, unless the file says otherwise.
    if (spec.tls && !spec.tls->client_ca.empty() &&
        spec.tls->client_certificates == net::ClientCertificates::ignored)
        spec.tls->client_certificates = net::ClientCertificates::required;
    return {};
}

Expected<std::vector<ListenerSpec>> read_listeners(const YAML::Node& node,
                                                   const std::string& file) {
    std::vector<ListenerSpec> specs;
    if (node.IsNull()) return specs;
    if (!node.IsSequence())
        return yaml::wrong(file, node,
                           "listeners: expected a list, each member beginning with '- address:'");
    for (const YAML::Node& member : node) {
        ListenerSpec spec;
        spec.where = fmt::format("{}:{}", file, yaml::line_of(member));
        if (const auto ok = read_mapping(spec, member, kListenerKeys, "", file); !ok)
            return fail(ok.error());
        if (const auto ok = settle_listener(spec, member, file); !ok) return fail(ok.error());
        specs.push_back(std::move(spec));
    }
    return specs;
}

}  // namespace hawker::daemon
