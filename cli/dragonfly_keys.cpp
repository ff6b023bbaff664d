#include "cli/dragonfly_keys.h"

#include <algorithm>
#include <array>
#include <span>

namespace hawker::cli {

namespace {

struct Row {
    std::string_view key;  // itself, and everything below it
    Weight weight;
    std::string_view why;
};

constexpr auto kTranslated = Weight::translated;
constexpr auto kMoot = Weight::moot;
constexpr auto kLost = Weight::lost;

constexpr std::string_view kNoPeers =
    "hawker has no scheduler, manager or peers to register with: nothing to configure";
constexpr std::string_view kNoSocket =
    "hawker has no dfget socket: clients use the proxy, people `hawker` and the admin API";
constexpr std::string_view kOwnTracing = "no tracing: metrics are at /metrics of admin.listen";
constexpr std::string_view kKept =
    "its files stay its own: hawker keeps its cache in cache.directory and keeps it over restarts";
constexpr std::string_view kRate =
    "only the way to clients is limited: limits.bandwidth, and `bandwidth` of a rule, a listener "
    "or a user";
constexpr std::string_view kVerified =
    "TLS to origins is always verified: name the authority in origin.ca_file, or one host's in "
    "origins: - {hosts: [HOST], ca_file: FILE}";
constexpr std::string_view kForever =
    "objects leave by size, not by age: cache.max_size, cache.evict";
constexpr std::string_view kOwnTimeouts =
    "waiting has its own bounds: origin.connect_timeout, first_byte_timeout, stall_timeout";
constexpr std::string_view kMirror =
    "clients name these registries themselves, in X-Dragonfly-Registry or ?ns=: list them in "
    "allow_registry_header: [HOST], or give each a listener of its own, mirrors: - {listen: "
    "ADDRESS, kind: registry, upstreams: [URL]} (docs/mirrors.md)";
constexpr std::string_view kAnyRegistry =
    "a header that sends requests anywhere is an open door: list the registries that clients may "
    "name in allow_registry_header: [HOST]";
constexpr std::string_view kOwnAuthority =
    "opening HTTPS needs an authority that hawker holds: `hawker ca init`, or put certificate and "
    "key into ca.directory as ca.pem and ca.key (docs/https.md)";
constexpr std::string_view kPassword =
    "passwords stand in a file, as hashes: `htpasswd -cB /etc/hawker/htpasswd USER`, then auth: "
    "{htpasswd: /etc/hawker/htpasswd}, and listen where the machines are (docs/users.md)";
constexpr std::string_view kMetricsPort = "metrics, health and tasks are at admin.listen";
constexpr std::string_view kLogs = "the log goes to log.file, or to standard error";
constexpr std::string_view kRequestRate =
    "requests are not counted by the second: limits.client_transfers bounds what runs at once";
constexpr std::string_view kStorage = "there is no object storage to keep tasks in";
// Of what is translated, when nothing could be made of its value.
constexpr std::string_view kNoAddress =
    "write the machine's own into `listen`, like 10.0.0.5:4001: this is no IP address, and until "
    "then the proxy listens on 127.0.0.1";
constexpr std::string_view kNoPort =
    "write it into `listen`, like 10.0.0.5:4001: this is no port from 1 to 65535";
constexpr std::string_view kNoUpstream =
    "write a URL like https://registry.example into registry_mirror: this is none, or has a query, "
    "a user or a password";
constexpr std::string_view kNoSize = "write it into cache.max_size, like 500GiB: this is no size";
constexpr std::string_view kNoPercent =
    "write it into cache.max_used_percent, like 80: this is no percentage from 1 to "
    "100";
constexpr std::string_view kNoLowPercent =
    "write it into cache.low_watermark, as a share of cache.max_used_percent: this is no "
    "percentage "
    "below the upper one";
constexpr std::string_view kNoConnections =
    "write a number from 1 to 64 into fetch.connections: this is none";
constexpr std::string_view kNoLevel = "write debug, info, warn or error into log.level";
constexpr std::string_view kNoFlag =
    "write `prefetch: true` into the rules that need it: this is "
    "neither true nor false";
constexpr std::string_view kNoList =
    "write them anew, each as a member of a list: this is none, or none that can be read";
constexpr std::string_view kProcess = "the service manager's business (systemd/hawkerd.service)";

constexpr std::array kRustRows = {
    Row{"proxy.server.ip", kTranslated, kNoAddress},
    Row{"proxy.server.port", kTranslated, kNoPort},
    Row{"proxy.server.requestRateLimit", kLost, kRequestRate},
    Row{"proxy.server.caCert", kLost, kOwnAuthority},
    Row{"proxy.server.caKey", kLost, kOwnAuthority},
    Row{"proxy.server.basicAuth", kLost, kPassword},
    Row{"proxy.rules.regex", kTranslated, kNoList},
    Row{"proxy.rules.useTLS", kTranslated, kNoList},
    Row{"proxy.rules.redirect", kTranslated, kNoList},
    Row{"proxy.rules.filteredQueryParams", kTranslated, kNoList},
    Row{"proxy.registryMirror.addr", kTranslated, kNoUpstream},
    Row{"proxy.registryMirror.cert", kLost, kVerified},
    Row{"proxy.registryMirror.enableTaskIDBasedBlobDigest", kMoot,
        "a rule's `digest` names objects by what they hold, under any URL"},
    Row{"proxy.disableBackToSource", kLost, "what is not in the cache is fetched from its origin"},
    Row{"proxy.prefetch", kTranslated, kNoFlag},
    Row{"proxy.prefetchBandwidthLimit", kMoot, kRate},
    Row{"proxy.prefetchRateLimit", kMoot, kRate},
    Row{"proxy.readBufferSize", kMoot, "no buffer to choose: bytes go from file to socket"},
    Row{"storage.dir", kLost, kKept},
    Row{"storage", kMoot, kKept},
    Row{"gc.policy.diskThreshold", kTranslated, kNoSize},
    Row{"gc.policy.diskHighThresholdPercent", kTranslated, kNoPercent},
    Row{"gc.policy.diskLowThresholdPercent", kTranslated, kNoLowPercent},
    Row{"gc.policy.distHighThresholdPercent", kTranslated, kNoPercent},
    Row{"gc.policy.distLowThresholdPercent", kTranslated, kNoLowPercent},
    Row{"gc.policy.taskTTL", kLost, kForever},
    Row{"gc", kMoot, kForever},
    Row{"log.level", kTranslated, kNoLevel},
    Row{"log", kMoot, kLogs},
    Row{"verbose", kMoot, kLogs},
    Row{"console", kMoot, kLogs},
    Row{"download.concurrentPieceCount", kTranslated, kNoConnections},
    Row{"download.server", kMoot, kNoSocket},
    Row{"download.rateLimit", kLost, kRate},
    Row{"download.bandwidthLimit", kLost, kRate},
    Row{"download.backToSourceBandwidthLimit", kLost, kRate},
    Row{"download", kMoot, kOwnTimeouts},
    Row{"backend.requestHeader", kLost, "no fields are added to requests to origins"},
    Row{"backend", kMoot, kOwnTimeouts},
    Row{"upload", kMoot, kNoPeers},
    Row{"manager", kMoot, kNoPeers},
    Row{"scheduler", kMoot, kNoPeers},
    Row{"seedPeer", kMoot, kNoPeers},
    Row{"dynconfig", kMoot, kNoPeers},
    Row{"host", kMoot, kNoPeers},
    Row{"server", kMoot, kNoPeers},
    Row{"network", kMoot, "addresses are chosen by `listen` and origin.source_address"},
    Row{"security", kMoot, kNoPeers},
    Row{"metrics", kMoot, kMetricsPort},
    Row{"health", kMoot, kMetricsPort},
    Row{"stats", kMoot, kMetricsPort},
    Row{"tracing", kMoot, kOwnTracing},
};

constexpr std::array kGoRows = {
    Row{"proxy.tcpListen.listen", kTranslated, kNoAddress},
    Row{"proxy.tcpListen.port.end", kMoot, "the first port of the range is the proxy's"},
    Row{"proxy.tcpListen.port", kTranslated, kNoPort},
    Row{"proxy.tcpListen.namespace", kLost, "start hawkerd in that network namespace"},
    Row{"proxy.defaultFilter", kTranslated, kNoList},
    Row{"proxy.defaultTag", kMoot,
        "without another cache to tell them from, tasks need no tag of their own"},
    Row{"proxy.security", kMoot, "a listener with TLS is listeners: - {address, tls}"},
    Row{"proxy.proxies.regx", kTranslated, kNoList},
    Row{"proxy.proxies.useHTTPS", kTranslated, kNoList},
    Row{"proxy.proxies.direct", kTranslated, kNoList},
    Row{"proxy.proxies.redirect", kTranslated, kNoList},
    Row{"proxy.registryMirror.url", kTranslated, kNoUpstream},
    Row{"proxy.registryMirror.dynamic", kLost, kAnyRegistry},
    Row{"proxy.registryMirror.insecure", kLost, kVerified},
    Row{"proxy.registryMirror.certs", kLost, kVerified},
    Row{"proxy.registryMirror", kMoot, "the rules decide what is cached, for a mirror too"},
    Row{"proxy.hijackHTTPS.hosts.regx", kTranslated, kNoList},
    Row{"proxy.hijackHTTPS.hosts", kLost, kVerified},
    Row{"proxy.hijackHTTPS", kLost, kOwnAuthority},
    Row{"proxy.whiteList.host", kTranslated, kNoList},
    Row{"proxy.whiteList.regx", kTranslated, kNoList},
    Row{"proxy.whiteList.ports", kLost,
        "ports hold for all hosts together: destinations.ports, destinations.connect_ports"},
    Row{"proxy.maxConcurrency", kLost, kRequestRate},
    Row{"proxy.basicAuth", kLost, kPassword},
    Row{"proxy.dumpHTTPContent", kMoot, kLogs},
    Row{"proxy.extraRegistryMirrors", kLost, kMirror},
    Row{"storage.diskGCThreshold", kTranslated, kNoSize},
    Row{"storage.diskGCThresholdPercent", kTranslated, kNoPercent},
    Row{"storage.taskExpireTime", kLost, kForever},
    Row{"storage", kMoot, kKept},
    Row{"dataDir", kLost, kKept},
    Row{"workHome", kMoot, kKept},
    Row{"cacheDir", kMoot, kKept},
    Row{"pluginDir", kMoot, "hawker has no plugins"},
    Row{"keepStorage", kMoot, kKept},
    Row{"logDir", kMoot, kLogs},
    Row{"console", kMoot, kLogs},
    Row{"verbose", kMoot, kLogs},
    Row{"pprof-port", kMoot, kMetricsPort},
    Row{"pprofPort", kMoot, kMetricsPort},
    Row{"metrics", kMoot, kMetricsPort},
    Row{"health", kMoot, kMetricsPort},
    Row{"jaeger", kMoot, kOwnTracing},
    Row{"telemetry", kMoot, kOwnTracing},
    Row{"download.prefetch", kTranslated, kNoFlag},
    Row{"download.concurrent.goroutineCount", kTranslated, kNoConnections},
    Row{"download.totalRateLimit", kLost, kRate},
    Row{"download.perPeerRateLimit", kMoot, kNoPeers},
    Row{"download.resourceClients", kLost,
        "how origins are reached is origin.* and origins: - {hosts, proxy, ca_file, insecure}"},
    Row{"download.downloadGRPC", kMoot, kNoSocket},
    Row{"download.peerGRPC", kMoot, kNoPeers},
    Row{"download", kMoot, kOwnTimeouts},
    Row{"upload", kMoot, kNoPeers},
    Row{"scheduler", kMoot, kNoPeers},
    Row{"host", kMoot, kNoPeers},
    Row{"network", kMoot, "addresses are chosen by `listen` and origin.source_address"},
    Row{"objectStorage", kLost, kStorage},
    Row{"security.certSpec", kMoot, "what is shown to clients is made by `hawker ca`"},
    Row{"security", kMoot, kNoPeers},
    Row{"announcer", kMoot, kNoPeers},
    Row{"networkTopology", kMoot, kNoPeers},
    Row{"reload", kMoot, "rules are taken over by `systemctl reload hawkerd`"},
    Row{"aliveTime", kMoot, kProcess},
    Row{"gcInterval", kMoot, kForever},
    Row{"workHomeMode", kMoot, kProcess},
    Row{"cacheDirMode", kMoot, kProcess},
    Row{"dataDirMode", kMoot, kProcess},
};

bool is_of(std::string_view key, std::string_view row) {
    return key.starts_with(row) && (key.size() == row.size() || key[row.size()] == '.');
}

}  // namespace

KeyFate fate_of(Era era, std::string_view key) {
    const std::span<const Row> rows =
        era == Era::go ? std::span<const Row>(kGoRows) : std::span<const Row>(kRustRows);
    const auto row =
        std::ranges::find_if(rows, [key](const Row& each) { return is_of(key, each.key); });
    if (row != rows.end()) return {row->weight, row->why};
    // It may be of another version than those that are known here.
    return {Weight::lost, era == Era::go
                              ? "not a key of the Go dfdaemon, which ignores those it does not know"
                              : "not a key of the Rust dfdaemon, which ignores those it does not "
                                "know"};
}

}  // namespace hawker::cli
