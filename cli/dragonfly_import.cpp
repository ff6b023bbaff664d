#include "cli/dragonfly_import.h"

#include "base/host_pattern.h"
#include "base/units.h"
#include "cli/dragonfly_keys.h"
#include "cli/dragonfly_rules.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

namespace hawker::cli {

namespace {

// Networks of one place alone; dfdaemon asked nobody where they come from.
constexpr std::string_view kPrivateNetworks =
    "[10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, fc00::/7]";
// A file that says more than this is no configuration.
constexpr std::size_t kMostKeys = 10'000;
constexpr int kDeepest = 32;

struct Remark {
    int line = 0;
    std::string key;
    std::string why;
    Weight weight = Weight::lost;
};

// A line of a comment: whatever the file held, it stays on it.
std::string printable(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (c < ' ' || c == 0x7F)
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        else
            out += c;
    return out;
}

// Null where there is none.
YAML::Node child(const YAML::Node& node, const char* key) {
    if (!node.IsMap() || !node[key].IsDefined()) return {};
    return node[key];
}

class Import {
public:
    Import(const YAML::Node& root, std::string_view name) : root_(root), name_(name) {}

    Expected<Imported> run() {
        const YAML::Node proxy = child(root_, "proxy");
        if (!proxy.IsMap())
            return fail(Errc::invalid,
                        fmt::format("{}: there is no `proxy:` in it. Give the file that dfdaemon "
                                    "reads (dfdaemon.yaml, dfget.yaml) or a Helm chart's values",
                                    name_));
        const bool has_go_keys =
            std::ranges::any_of(std::array{"proxies", "tcpListen", "defaultFilter", "hijackHTTPS"},
                                [&](const char* key) { return !child(proxy, key).IsNull(); });
        const bool has_rust_keys =
            !child(proxy, "rules").IsNull() || !child(proxy, "server").IsNull();
        era_ = has_go_keys && !has_rust_keys ? Era::go : Era::rust;
        listen(proxy);
        limits();
        interception(proxy);
        if (const std::string level = text_at({"log", "level"}); !level.empty()) log(level);
        rules(proxy);
        if (auto ok = visit(root_, "", 0); !ok) return fail(std::move(ok).error());
        return Imported{.text = page(), .lost = lost()};
    }

private:
    std::string text_at(std::initializer_list<const char*> path) const {
        YAML::Node node(root_);
        for (const char* key : path) node.reset(child(node, key));
        return node.IsScalar() ? node.Scalar() : std::string();
    }

    void remark(int line, std::string key, std::string why, Weight weight = Weight::lost) {
        remarks_.push_back({line, std::move(key), std::move(why), weight});
    }

    void listen(const YAML::Node& proxy) {
        std::string host = era_ == Era::go ? text_at({"proxy", "tcpListen", "listen"})
                                           : text_at({"proxy", "server", "ip"});
        std::string port = era_ == Era::go ? text_at({"proxy", "tcpListen", "port"})
                                           : text_at({"proxy", "server", "port"});
        if (era_ == Era::go && port.empty())
            port = text_at({"proxy", "tcpListen", "port", "start"});
        if (host.empty()) host = "0.0.0.0";
        if (port.empty()) port = era_ == Era::go ? "65001" : "4001";
        const YAML::Node password =
            child(era_ == Era::go ? proxy : child(proxy, "server"), "basicAuth");
        const bool asks = password.IsMap() && password.size() > 0;
        if (asks) host = "127.0.0.1";
        if (host.contains(':')) host = fmt::format("[{}]", host);
        const bool is_local = host == "127.0.0.1" || host == "[::1]";
        std::string& text = settings_;
        if (asks) text += "# Here only, until there are passwords: see proxy.basicAuth above.\n";
        text += fmt::format("listen: [{}]\n", yaml_scalar(fmt::format("{}:{}", host, port)));
        const char* const key = era_ == Era::go ? "url" : "addr";
        if (const std::string url = text_at({"proxy", "registryMirror", key}); !url.empty())
            text += fmt::format(
                "registry_mirror: {}\n"
                "# Whom else X-Dragonfly-Registry and ?ns= may name: [ghcr.io, quay.io]. dfdaemon "
                "let them name any.\n"
                "allow_registry_header: []\n",
                yaml_scalar(url));
        if (!is_local)
            text += fmt::format(
                "# dfdaemon let everybody in. These are the private networks; name yours.\n"
                "clients: {}\n",
                kPrivateNetworks);
    }

    // "50Gi" is what the Go era wrote.
    static std::string size_of(std::string text) {
        if (text.ends_with('i')) text += 'B';
        const auto size = parse_size(text);
        return size && *size > 0 ? text : std::string();
    }

    static unsigned percent_of(std::string_view text) {
        unsigned number = 0;
        const auto [rest, problem] =
            std::from_chars(text.data(), text.data() + text.size(), number);
        const bool is_whole = problem == std::errc() && rest == text.data() + text.size();
        return is_whole && number <= 100 ? number : 0;
    }

    void limits() {
        const bool is_go = era_ == Era::go;
        const std::string quota = size_of(is_go ? text_at({"storage", "diskGCThreshold"})
                                                : text_at({"gc", "policy", "diskThreshold"}));
        std::string high = is_go ? text_at({"storage", "diskGCThresholdPercent"})
                                 : text_at({"gc", "policy", "diskHighThresholdPercent"});
        std::string low = is_go ? "" : text_at({"gc", "policy", "diskLowThresholdPercent"});
        // They were called so for some years.
        if (high.empty()) high = text_at({"gc", "policy", "distHighThresholdPercent"});
        if (low.empty()) low = text_at({"gc", "policy", "distLowThresholdPercent"});
        std::string cache;
        if (!quota.empty()) cache += fmt::format("  max_size: {}\n", quota);
        if (const unsigned percent = percent_of(high); percent > 0) {
            cache += fmt::format("  max_used_percent: {}\n", percent);
            const unsigned until = percent_of(low);
            if (until > 0 && until < percent)
                cache += fmt::format("  low_watermark: {:.2f}\n", double(until) / percent);
        }
        if (!cache.empty()) settings_ += "cache:\n" + cache;
        const unsigned pieces =
            percent_of(is_go ? text_at({"download", "concurrent", "goroutineCount"})
                             : text_at({"download", "concurrentPieceCount"}));
        if (pieces > 0)
            settings_ += fmt::format("fetch:\n  connections: {}\n", std::min(pieces, 64U));
    }

    void log(const std::string& level) {
        if (level == "trace" || level == "debug" || level == "warn" || level == "error")
            settings_ += fmt::format("log:\n  level: {}\n", level == "trace" ? "debug" : level);
    }

    // Hosts that an expression names without any doubt: "cdn\.example(:443)?".
    static std::string host_of(std::string expression) {
        if (expression.starts_with('^')) expression.erase(0, 1);
        if (expression.ends_with('$')) expression.pop_back();
        for (const std::string_view tail : {"(:443)?", ":443"})
            if (expression.ends_with(tail)) expression.resize(expression.size() - tail.size());
        std::erase(expression, '\\');
        const bool is_host = std::ranges::all_of(expression, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
        });
        return is_host && !expression.empty() && HostPattern::parse(expression) ? expression : "";
    }

    // The hosts in a list of {host, regx}, and a remark about each that is none.
    std::vector<std::string> hosts_in(const YAML::Node& list, std::string_view key) {
        std::vector<std::string> hosts;
        if (!list.IsSequence()) return hosts;
        for (const YAML::Node& each : list) {
            if (!each.IsMap()) continue;
            const YAML::Node named = child(each, "host");
            const YAML::Node expression = child(each, "regx");
            std::string host = named.IsScalar() ? named.Scalar() : std::string();
            if (host.empty() && expression.IsScalar()) host = host_of(expression.Scalar());
            if (!host.empty() && HostPattern::parse(host))
                hosts.push_back(yaml_scalar(host));
            else
                remark(each.Mark().line + 1, std::string(key),
                       "hosts are named here, not matched: git.example, *.example for what is "
                       "below it, * for all");
        }
        return hosts;
    }

    void interception(const YAML::Node& proxy) {
        if (era_ == Era::rust) {
            if (!child(child(proxy, "server"), "caCert").IsNull())
                settings_ +=
                    "# dfdaemon opened every tunnel; so does this, once there is an authority.\n"
                    "intercept: ['*']\n";
            return;
        }
        const YAML::Node hijacked = child(child(proxy, "hijackHTTPS"), "hosts");
        if (const auto hosts = hosts_in(hijacked, "proxy.hijackHTTPS.hosts.regx"); !hosts.empty())
            settings_ += fmt::format("intercept: [{}]\n", fmt::join(hosts, ", "));
        if (const auto hosts = hosts_in(child(proxy, "whiteList"), "proxy.whiteList");
            !hosts.empty())
            settings_ +=
                fmt::format("destinations:\n  allow_hosts: [{}]\n", fmt::join(hosts, ", "));
    }

    void rules(const YAML::Node& proxy) {
        RuleDefaults defaults;
        if (const YAML::Node given = child(proxy, "defaultFilter"); given.IsScalar())
            defaults.filter = given.Scalar();
        defaults.prefetch = (era_ == Era::go ? text_at({"download", "prefetch"})
                                             : text_at({"proxy", "prefetch"})) == "true";
        const std::string key = era_ == Era::go ? "proxy.proxies" : "proxy.rules";
        for (const ImportedRule& rule :
             import_rules(era_, child(proxy, era_ == Era::go ? "proxies" : "rules"), defaults)) {
            const std::string was =
                fmt::format("  # {}:{}: {}\n", name_, rule.line, printable(rule.pattern));
            for (const std::string& each : rule.remarks) remark(rule.line, key, each);
            if (!rule.lost.empty()) remark(rule.line, key, rule.lost);
            rules_ += was + (rule.lost.empty() ? rule.yaml : "  # Left out; see above.\n");
        }
    }

    // Every key once, down to what holds a value.
    Expected<void> visit(const YAML::Node& node, const std::string& key, int depth) {
        if (++visited_ > kMostKeys || depth > kDeepest)
            return fail(Errc::invalid, fmt::format("{}: too large for a configuration", name_));
        if (node.IsMap()) {
            for (const auto& member : node) {
                const std::string name =
                    member.first.IsScalar() ? member.first.Scalar() : std::string("?");
                const std::string full = key.empty() ? name : fmt::format("{}.{}", key, name);
                auto ok = visit(member.second, full, depth + 1);
                if (!ok) return ok;
            }
            return {};
        }
        if (node.IsSequence()) {
            for (const YAML::Node& member : node)
                if (auto ok = visit(member, key, depth + 1); !ok) return ok;
            return {};
        }
        const std::string text = node.IsScalar() ? node.Scalar() : std::string();
        if (text.empty() || text == "false" || text == "~" || text == "null") return {};
        const KeyFate fate = fate_of(era_, key);
        if (fate.weight != Weight::translated)
            remark(node.Mark().line + 1, key, std::string(fate.why), fate.weight);
        return {};
    }

    // One line for each sentence and each place; a sentence that fits ten keys is said once.
    std::string list_of(Weight weight) const {
        std::string text;
        std::vector<std::string_view> said;
        for (const Remark& each : remarks_) {
            if (each.weight != weight || std::ranges::find(said, each.why) != said.end()) continue;
            said.push_back(each.why);
            std::vector<std::string> keys;
            for (const Remark& other : remarks_)
                if (other.weight == weight && other.why == each.why) {
                    std::string key = fmt::format("{} (line {})", printable(other.key), other.line);
                    if (std::ranges::find(keys, key) == keys.end()) keys.push_back(std::move(key));
                }
            text += fmt::format("#   {}:\n#     {}\n", fmt::join(keys, ", "), printable(each.why));
        }
        return text;
    }

    std::string page() const {
        std::string text = fmt::format(
            "# hawker's configuration, made of {} (a dfdaemon's of the {} era) by `hawker config "
            "import`.\n# `hawkerd --check --config FILE` says whether it is good; "
            "docs/from-dragonfly.md has the whole story.\n",
            printable(name_), era_ == Era::go ? "Go" : "Rust");
        if (const std::string list = list_of(Weight::lost); !list.empty())
            text += "#\n# Not as it was:\n" + list;
        if (const std::string list = list_of(Weight::moot); !list.empty())
            text += "#\n# Nothing to do for:\n" + list;
        text += "\n" + settings_ +
                "\n# Everybody needs the origin's yes, also for what is cached; `access: shared` "
                "does as dfdaemon did,\n# and gives what is cached to whoever knows the URL. "
                "Nothing is asked for again once it is here, as there.\n";
        return text + (rules_.empty() ? "rules: []\n" : "rules:\n" + rules_);
    }

    std::vector<std::string> lost() const {
        std::vector<std::string> lines;
        for (const Remark& each : remarks_)
            if (each.weight == Weight::lost)
                lines.push_back(fmt::format("{}:{}: {}: {}", name_, each.line, printable(each.key),
                                            printable(each.why)));
        return lines;
    }

    const YAML::Node root_;
    std::string_view name_;
    Era era_ = Era::rust;
    std::string settings_, rules_;
    std::vector<Remark> remarks_;
    std::size_t visited_ = 0;
};

// The part of a Helm chart's values that a dfdaemon would read; the file itself when it is none.
YAML::Node daemon_part(const YAML::Node& root) {
    if (!child(root, "proxy").IsNull()) return root;
    for (const char* const part : {"client", "dfdaemon", "seedClient", "seedPeer"}) {
        const YAML::Node config = child(child(root, part), "config");
        if (!child(config, "proxy").IsNull()) return config;
    }
    return root;
}

}  // namespace

Expected<Imported> import_dfdaemon(const std::string& text, std::string_view name) try {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsMap())
        return fail(Errc::invalid, fmt::format("{}: expected a mapping like `proxy:`", name));
    return Import(daemon_part(root), name).run();
} catch (const YAML::Exception& problem) {
    return fail(Errc::invalid, fmt::format("{}:{}: {}", name, problem.mark.line + 1, problem.msg));
}

}  // namespace hawker::cli
