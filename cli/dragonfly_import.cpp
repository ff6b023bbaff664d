#include "cli/dragonfly_import.h"

#include "base/host_pattern.h"
#include "base/units.h"
#include "cli/dragonfly_keys.h"
#include "cli/dragonfly_remarks.h"
#include "cli/dragonfly_rules.h"
#include "cli/dragonfly_values.h"
#include "daemon/net/address.h"
#include "filters/query.h"
#include "filters/url.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

namespace hawker::cli {

namespace {

// Networks of one place alone; dfdaemon asked nobody where they come from.
constexpr std::string_view kPrivateNetworks =
    "[10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, fc00::/7]";
constexpr std::uint64_t kMostConnections = 64;  // of fetch.connections
// A file that says more than this is no configuration.
constexpr std::size_t kMostKeys = 10'000;
constexpr int kDeepest = 32;

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
        constexpr std::array kOfGo = {"proxies",        "tcpListen", "defaultFilter", "hijackHTTPS",
                                      "maxConcurrency", "whiteList", "basicAuth"};
        const bool has_go_keys = !at("proxy.registryMirror.url").IsNull() ||
                                 std::ranges::any_of(kOfGo, [&](const char* key) {
                                     return !child(proxy, key).IsNull();
                                 });
        const bool has_rust_keys =
            !child(proxy, "rules").IsNull() || !child(proxy, "server").IsNull();
        era_ = has_go_keys && !has_rust_keys ? Era::go : Era::rust;
        listen(proxy);
        limits();
        log();
        interception(proxy);
        rules(proxy);
        if (auto ok = visit(root_, "", 0); !ok) return fail(std::move(ok).error());
        return Imported{.text = page(), .lost = remarks_.lost_from(name_)};
    }

private:
    // Of a key like "proxy.server.ip".
    YAML::Node at(std::string_view path) const {
        YAML::Node node(root_);
        for (;;) {
            const std::size_t dot = std::min(path.find('.'), path.size());
            node.reset(child(node, std::string(path.substr(0, dot)).c_str()));
            if (dot == path.size()) return node;
            path.remove_prefix(dot + 1);
        }
    }

    std::string text_at(std::string_view path) const {
        const YAML::Node node = at(path);
        return node.IsScalar() && node.Scalar() != "null" ? node.Scalar() : std::string();
    }

    // Something was made of what stands there and below it; what else is translated gets a remark.
    void understood(std::string_view key) { understood_.emplace(key); }

    bool is_understood(std::string_view key) const {
        for (;;) {
            if (understood_.contains(key)) return true;
            const std::size_t dot = key.rfind('.');
            if (dot == std::string_view::npos) return false;
            key = key.substr(0, dot);
        }
    }

    void remark_at(std::string_view key, std::string_view why) {
        remarks_.add(at(key).Mark().line + 1, std::string(key), std::string(why));
    }

    // dfdaemon's default where there is none, this machine alone where it is no address.
    std::string host_to_listen_on(std::string_view key) {
        std::string host = text_at(key);
        if (host.empty()) return "0.0.0.0";
        const auto address = net::literal_address(host, 0);
        if (!address || !*address) return "127.0.0.1";
        understood(key);
        return host;
    }

    std::uint64_t port_to_listen_on(std::string_view key) {
        std::string text = text_at(key);
        if (text.empty()) text = text_at(fmt::format("{}.start", key));
        const auto port = count_of(text);
        if (!port || *port == 0 || *port > 65535) return era_ == Era::go ? 65001 : 4001;
        understood(key);
        return *port;
    }

    void listen(const YAML::Node& proxy) {
        const bool is_go = era_ == Era::go;
        std::string host = host_to_listen_on(is_go ? "proxy.tcpListen.listen" : "proxy.server.ip");
        const std::uint64_t port =
            port_to_listen_on(is_go ? "proxy.tcpListen.port" : "proxy.server.port");
        const YAML::Node password = child(is_go ? proxy : child(proxy, "server"), "basicAuth");
        const bool asks = password.IsMap() && password.size() > 0;
        if (asks) host = "127.0.0.1";
        if (host.contains(':') && !host.starts_with('[')) host = fmt::format("[{}]", host);
        const bool is_local = host == "127.0.0.1" || host == "[::1]";
        if (asks)
            settings_ += "# Here only, until there are passwords: see proxy.basicAuth above.\n";
        settings_ += fmt::format("listen: [{}]\n", yaml_scalar(fmt::format("{}:{}", host, port)));
        registry(is_go ? "proxy.registryMirror.url" : "proxy.registryMirror.addr");
        if (!is_local)
            settings_ += fmt::format(
                "# dfdaemon let everybody in. These are the private networks; name yours.\n"
                "clients: {}\n",
                kPrivateNetworks);
    }

    void registry(std::string_view key) {
        const std::string text = text_at(key);
        if (text.empty() || !filters::check_upstream(text)) return;  // it may hold a password
        understood(key);
        settings_ += fmt::format(
            "registry_mirror: {}\n"
            "# Whom else X-Dragonfly-Registry and ?ns= may name: [ghcr.io, quay.io]. dfdaemon "
            "let them name any.\n"
            "allow_registry_header: []\n",
            yaml_scalar(text));
        const auto url = filters::parse_url(text);
        if (url && !net::DestinationPolicy().check_unresolved(url->host, url->port))
            remark_at(key,
                      "put its address into destinations.allow: loopback and private ones are not "
                      "dialled until they are listed there");
    }

    void limits() {
        const bool is_go = era_ == Era::go;
        std::string cache;
        const std::string_view quota =
            is_go ? "storage.diskGCThreshold" : "gc.policy.diskThreshold";
        const auto size = size_of(era_, text_at(quota));
        if (size) understood(quota);
        const bool has_quota = size && *size != "0";
        const auto high = is_go ? percent_at("storage.diskGCThresholdPercent")
                                // They were called so for some years.
                                : percent_at("gc.policy.diskHighThresholdPercent",
                                             "gc.policy.distHighThresholdPercent");
        // With a quota the Rust era's percentages are parts of that, not of the file system.
        const bool is_of_quota = has_quota && high && !is_go;
        if (is_of_quota) {
            const double most = static_cast<double>(*parse_size(*size)) * high->percent / 100;
            cache += fmt::format("  max_size: {}\n", format_size(static_cast<std::uint64_t>(most)));
        } else if (has_quota) {
            cache += fmt::format("  max_size: {}\n", *size);
        }
        if (high && !is_of_quota) cache += fmt::format("  max_used_percent: {}\n", high->percent);
        const auto low = is_go ? std::nullopt
                               : percent_at("gc.policy.diskLowThresholdPercent",
                                            "gc.policy.distLowThresholdPercent");
        if (low && high && low->percent < high->percent)
            cache += fmt::format("  low_watermark: {:.2f}\n", low->percent / high->percent);
        else if (low)
            understood_.erase(low->key);
        if (!cache.empty()) settings_ += "cache:\n" + cache;
        connections(is_go ? "download.concurrent.goroutineCount" : "download.concurrentPieceCount");
    }

    struct Percentage {
        std::string key;
        double percent = 0;
    };

    // Of the first of the two that is there. 0 is none, and understood.
    std::optional<Percentage> percent_at(std::string_view key, std::string_view older = "") {
        if (!older.empty() && text_at(key).empty()) key = older;
        const std::string text = text_at(key);
        const auto percent = percent_of(text);
        if (percent || count_of(text) == 0U) understood(key);
        if (!percent) return std::nullopt;
        return Percentage{.key = std::string(key), .percent = *percent};
    }

    void connections(std::string_view key) {
        const auto count = count_of(text_at(key));
        if (!count || *count == 0) return;
        understood(key);
        if (*count > kMostConnections)
            remark_at(key, "fetch.connections is 64: there are no more for one object");
        settings_ += fmt::format("fetch:\n  connections: {}\n", std::min(*count, kMostConnections));
    }

    void log() {
        const std::string level = filters::lower_case(text_at("log.level"));
        constexpr std::array<std::string_view, 5> kKnown = {"trace", "debug", "info", "warn",
                                                            "error"};
        if (std::ranges::find(kKnown, level) == kKnown.end()) return;
        understood("log.level");
        if (level != "info")
            settings_ += fmt::format("log:\n  level: {}\n", level == "trace" ? "debug" : level);
    }

    // The hosts in a list of {host, regx}, and a remark about each member that is more, or none.
    std::vector<std::string> hosts_in(std::string_view key) {
        std::vector<std::string> hosts;
        const YAML::Node list = at(key);
        if (!list.IsSequence()) return hosts;
        understood(key);
        for (const YAML::Node& each : list) {
            const YAML::Node named = child(each, "host");
            const YAML::Node expression = child(each, "regx");
            const bool is_named = named.IsScalar() && HostPattern::parse(named.Scalar());
            if (is_named) hosts.push_back(yaml_scalar(named.Scalar()));
            const auto matched =
                expression.IsScalar() ? hosts_of(expression.Scalar()) : std::vector<std::string>();
            for (const std::string& one : matched) hosts.push_back(yaml_scalar(one));
            const bool is_nothing = !is_named && matched.empty();
            const bool is_all_said =
                (is_named || named.IsNull()) && (!matched.empty() || expression.IsNull());
            if (is_nothing || !is_all_said)
                remarks_.add(
                    each.Mark().line + 1, std::string(key),
                    "hosts are named here, not matched: git.example, *.example for what is "
                    "below it, * for all");
        }
        return hosts;
    }

    // Who listed hosts closed the rest: that stays so where none of the list can be said here.
    void white_list() {
        const YAML::Node list = at("proxy.whiteList");
        if (list.IsNull() || (list.IsSequence() && list.size() == 0)) return;
        const auto hosts = hosts_in("proxy.whiteList");
        if (!hosts.empty()) {
            settings_ +=
                fmt::format("destinations:\n  allow_hosts: [{}]\n", fmt::join(hosts, ", "));
            return;
        }
        remark_at("proxy.whiteList",
                  "list the hosts in destinations.allow_hosts, and take '*' out of deny_hosts: no "
                  "host is reached until then");
        settings_ += "destinations:\n  allow_hosts: []\n  deny_hosts: ['*']\n";
    }

    void interception(const YAML::Node& proxy) {
        if (era_ == Era::rust) {
            if (!child(child(proxy, "server"), "caCert").IsNull())
                settings_ +=
                    "# dfdaemon opened every tunnel; so does this, once there is an authority.\n"
                    "intercept: ['*']\n";
            return;
        }
        if (const auto hosts = hosts_in("proxy.hijackHTTPS.hosts"); !hosts.empty())
            settings_ += fmt::format("intercept: [{}]\n", fmt::join(hosts, ", "));
        white_list();
    }

    void rules(const YAML::Node& proxy) {
        RuleDefaults defaults;
        if (const YAML::Node given = child(proxy, "defaultFilter"); given.IsScalar()) {
            defaults.filter = given.Scalar();
            understood("proxy.defaultFilter");
        }
        const std::string_view prefetch = era_ == Era::go ? "download.prefetch" : "proxy.prefetch";
        if (const auto flag = flag_of(text_at(prefetch))) {
            defaults.prefetch = *flag;
            understood(prefetch);
        }
        const std::string key = era_ == Era::go ? "proxy.proxies" : "proxy.rules";
        const YAML::Node list = at(key);
        if (list.IsSequence())
            understood(key);
        else if (!list.IsNull())
            remark_at(key, fate_of(era_, key + (era_ == Era::go ? ".regx" : ".regex")).why);
        for (const ImportedRule& rule : import_rules(era_, list, defaults)) {
            const std::string was =
                fmt::format("  # {}:{}: {}\n", name_, rule.line, printable(rule.pattern));
            for (const std::string& each : rule.remarks) remarks_.add(rule.line, key, each);
            if (!rule.lost.empty()) remarks_.add(rule.line, key, rule.lost);
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
            remarks_.add(node.Mark().line + 1, key, std::string(fate.why), fate.weight);
        else if (!is_understood(key))
            remarks_.add(node.Mark().line + 1, key, std::string(fate.why));
        return {};
    }

    std::string page() const {
        std::string text = fmt::format(
            "# hawker's configuration, made of {} (a dfdaemon's of the {} era) by `hawker config "
            "import`.\n# `hawkerd --check --config FILE` says whether it is good; "
            "docs/from-dragonfly.md has the whole story.\n",
            printable(name_), era_ == Era::go ? "Go" : "Rust");
        if (const std::string list = remarks_.list_of(Weight::lost); !list.empty())
            text += "#\n# Not as it was:\n" + list;
        if (const std::string list = remarks_.list_of(Weight::moot); !list.empty())
            text += "#\n# Nothing to do for:\n" + list;
        text += "\n" + settings_ +
                "\n# Everybody needs the origin's yes, also for what is cached; `access: shared` "
                "does as dfdaemon did,\n# and gives what is cached to whoever knows the URL. "
                "Nothing is asked for again once it is here, as there.\n";
        return text + (rules_.empty() ? "rules: []\n" : "rules:\n" + rules_);
    }

    const YAML::Node root_;
    std::string_view name_;
    Era era_ = Era::rust;
    std::string settings_, rules_;
    Remarks remarks_;
    std::set<std::string, std::less<>> understood_;
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
