#include "daemon/configuration.h"

#include "daemon/config_file.h"
#include "daemon/host_memory.h"
#include "daemon/mirrors_config.h"
#include "daemon/option_checks.h"
#include "daemon/proxy/registry_choice.h"
#include "daemon/registry/namespaces.h"
#include "daemon/route_config.h"
#include "daemon/shipped_rules.h"

#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace hawker::daemon {

namespace {

constexpr std::string_view kShippedName = "the shipped configuration";

std::vector<HostPattern> hosts(const std::vector<std::string>& texts) {
    std::vector<HostPattern> patterns;
    for (const std::string& text : texts)
        patterns.push_back(*HostPattern::parse(text));  // checked by the option's row
    return patterns;
}

std::vector<std::uint16_t> ports(const std::vector<std::string>& texts) {
    std::vector<std::uint16_t> numbers;
    for (const std::string& text : texts) numbers.push_back(*parse_port(text));
    return numbers;
}

std::vector<net::Cidr> ranges(const std::vector<std::string>& texts) {
    std::vector<net::Cidr> cidrs;
    for (const std::string& text : texts)
        cidrs.push_back(*net::Cidr::parse(text));  // checked by the option's row
    return cidrs;
}

Expected<std::shared_ptr<const admission::Users>> users_of(const Options& options,
                                                           admission::Users::Terms terms) {
    std::shared_ptr<const admission::Htpasswd> passwords;
    if (const std::string& file = options.text("auth.htpasswd"); !file.empty()) {
        auto loaded = admission::Htpasswd::load(file);
        if (!loaded) return fail(std::move(loaded).error().within(options.where("auth.htpasswd")));
        passwords = std::move(*loaded);
    }
    return std::make_shared<const admission::Users>(std::move(passwords), std::move(terms));
}

}  // namespace

Expected<Configuration> load(const CommandLine& line, const char* const* environment) {
    Configuration configuration;
    configuration.name = line.config.empty() ? std::string(kShippedName) : line.config;
    ConfigFile file;
    if (!line.config.empty()) {
        auto read = read_config_file(line.config);
        if (!read) return fail(std::move(read).error());
        file = std::move(*read);
    }
    std::string rules_name = configuration.name;
    if (!file.rules) {
        rules_name = "the shipped rules";
        auto shipped = parse_config(std::string(shipped_rules()), rules_name);
        if (!shipped) return fail(std::move(shipped).error());
        file.rules = std::move(shipped->rules).value_or(std::vector<filters::RuleSpec>());
    }
    std::vector<Assignment> assignments = std::move(file.assignments);
    for (Assignment& each : read_environment(environment, configuration.remarks))
        assignments.push_back(std::move(each));
    for (const Assignment& each : line.assignments) assignments.push_back(each);
    auto options = Options::resolve(assignments);
    if (!options) return fail(std::move(options).error());
    configuration.options = std::move(*options);
    auto users = users_of(configuration.options, std::move(file.users));
    if (!users) return fail(std::move(users).error());
    configuration.users = std::move(*users);
    auto listeners = resolve_listeners(std::move(file.listeners), configuration.options);
    if (!listeners) return fail(std::move(listeners).error());
    configuration.listeners = std::move(*listeners);
    auto mirrors = resolve_mirrors(file.mirrors, configuration.options);
    if (!mirrors) return fail(std::move(mirrors).error());
    for (ListenerSpec& each : *mirrors) configuration.listeners.push_back(std::move(each));
    auto rules = filters::RuleSet::compile(std::move(*file.rules));
    if (!rules) return fail(std::move(rules).error().within(rules_name));
    configuration.rules = std::move(*rules);
    auto routes = routes_of(configuration.options, file.origins, configuration.name);
    if (!routes) return fail(std::move(routes).error());
    configuration.routes = std::move(routes->routes);
    for (std::string& remark : routes->remarks) configuration.remarks.push_back(std::move(remark));
    return configuration;
}

LogLevel log_level(const Options& options) {
    const std::string& word = options.text("log.level");
    for (const auto& [name, level] :
         {std::pair{"debug", LogLevel::debug}, std::pair{"warn", LogLevel::warn},
          std::pair{"error", LogLevel::error}, std::pair{"off", LogLevel::off}})
        if (word == name) return level;
    return LogLevel::info;
}

LogOptions log_options(const Options& options) {
    LogOptions log;
    log.level = log_level(options);
    log.format = options.text("log.format") == "json" ? LogFormat::json : LogFormat::text;
    log.file = options.text("log.file");
    return log;
}

cache::CacheLimits cache_limits(const Options& options) {
    cache::CacheLimits limits;
    limits.max_size = options.size("cache.max_size");
    limits.max_used_percent = options.number("cache.max_used_percent");
    limits.min_free = options.size("cache.min_free");
    limits.low_watermark = options.number("cache.low_watermark");
    const std::string& evict = options.text("cache.evict");
    if (evict == "fifo") limits.evict = cache::Evict::fifo;
    if (evict == "large-first") limits.evict = cache::Evict::large_first;
    return limits;
}

cache::CacheOptions cache_options(const Options& options) {
    cache::CacheOptions cache;
    cache.directory = options.text("cache.directory");
    if (cache.directory.empty())
        cache.directory = default_cache_directory(::getenv, ::geteuid() == 0);
    cache.inline_limit = options.size("cache.inline_limit");
    cache.map_size = options.size("cache.map_size");
    cache.memory = options.size("cache.memory");
    if (cache.memory == 0)
        cache.memory = memory_for_the_hot(memory_within_groups(memory_of_host()),
                                          options.size("limits.memory"));
    cache.commit_interval = options.duration("cache.commit_interval");
    cache.limits = cache_limits(options);
    return cache;
}

net::DestinationPolicy destination_policy(const Options& options) {
    net::DestinationPolicy policy;
    policy.allow = ranges(options.list("destinations.allow"));
    policy.deny = ranges(options.list("destinations.deny"));
    policy.allow_hosts = hosts(options.list("destinations.allow_hosts"));
    policy.deny_hosts = hosts(options.list("destinations.deny_hosts"));
    policy.ports = ports(options.list("destinations.ports"));
    policy.connect_ports = ports(options.list("destinations.connect_ports"));
    return policy;
}

origin::ClientOptions client_options(const Configuration& configuration) {
    const Options& options = configuration.options;
    origin::ClientOptions client;
    client.destinations =
        std::make_shared<const net::DestinationPolicy>(destination_policy(options));
    client.routes = configuration.routes;
    client.connect_timeout = options.duration("origin.connect_timeout");
    client.first_byte_timeout = options.duration("origin.first_byte_timeout");
    client.stall_timeout = options.duration("origin.stall_timeout");
    client.connections_per_host = options.count("origin.connections_per_host");
    client.queue_per_host = options.count("origin.queue_per_host");
    client.queue_timeout = options.duration("origin.queue_timeout");
    return client;
}

namespace {

// Null where `text` names none.
std::shared_ptr<const proxy::Registry> registry_of(const std::string& text) {
    const auto url = registry::upstream_url(text);
    if (text.empty() || !url) return nullptr;
    auto found = std::make_shared<proxy::Registry>();
    const auto health = std::make_shared<origin::Upstreams>(1);
    const auto as = [&](std::string_view kind) {
        proxy::Mirror mirror;
        mirror.upstreams = {*url};
        mirror.health = health;
        furnish(mirror, kind);
        return std::make_shared<const proxy::Mirror>(std::move(mirror));
    };
    found->upstream = *url;
    found->registry = as("registry");
    found->generic = as("generic");
    return found;
}

}  // namespace

std::shared_ptr<const proxy::Settings> proxy_settings(
    const Configuration& configuration, const Identity& identity,
    std::shared_ptr<const proxy::Interception> interception) {
    const Options& options = configuration.options;
    auto settings = std::make_shared<proxy::Settings>();
    settings->rules = configuration.rules;
    settings->routes = configuration.routes;
    settings->users = configuration.users;
    settings->registry = registry_of(options.text("registry_mirror"));
    for (const std::string& text : options.list("allow_registry_header"))
        settings->named_registries.push_back(registry_of(text));
    settings->bandwidth = options.size("limits.bandwidth");
    settings->client_transfers = options.count("limits.client_transfers");
    settings->client_queue = options.count("limits.client_queue");
    settings->remember_passwords = options.duration("auth.remember");
    settings->destinations =
        std::make_shared<const net::DestinationPolicy>(destination_policy(options));
    settings->head_limits.head_bytes = options.size("limits.head_size");
    settings->head_limits.request_line_bytes = options.size("limits.request_line");
    settings->head_limits.field_bytes = options.size("limits.field_size");
    settings->head_limits.field_count = options.count("limits.field_count");
    settings->head_timeout = options.duration("timeouts.head");
    settings->idle_timeout = options.duration("timeouts.idle");
    settings->write_timeout = options.duration("timeouts.write");
    settings->body_timeout = options.duration("timeouts.body");
    settings->handshake_timeout = options.duration("timeouts.handshake");
    settings->tunnel_idle_timeout = options.duration("timeouts.tunnel_idle");
    settings->connect_timeout = options.duration("origin.connect_timeout");
    settings->access_ttl = options.duration("access_ttl");
    settings->fetch.piece_size = options.size("fetch.piece_size");
    settings->fetch.connections = static_cast<unsigned>(options.count("fetch.connections"));
    settings->fetch.attempts = static_cast<unsigned>(options.count("fetch.attempts"));
    const Abandon abandon = *parse_on_abandon(options.text("fetch.on_abandon"));
    settings->fetch.on_abandon = abandon.what;
    settings->fetch.finish_if_percent = abandon.percent;
    settings->pseudonym = identity.pseudonym;
    settings->own_addresses = identity.own_addresses;
    settings->listeners = identity.listeners;
    settings->interception = std::move(interception);
    return settings;
}

std::filesystem::path default_cache_directory(
    const std::function<const char*(const char*)>& environment, bool is_root) {
    // systemd sets CACHE_DIRECTORY from CacheDirectory=; several are separated by colons, the first
    // is ours.
    if (const char* const given = environment("CACHE_DIRECTORY"); given && *given) {
        const std::string_view directories = given;
        return directories.substr(0, directories.find(':'));
    }
    // The XDG specification says that a relative path there is to be ignored.
    if (const char* const xdg = environment("XDG_CACHE_HOME"); xdg && *xdg == '/')
        return std::filesystem::path(xdg) / "hawker";
    const char* const home = environment("HOME");
    if (is_root || !home || *home != '/') return "/var/cache/hawker";
    return std::filesystem::path(home) / ".cache" / "hawker";
}

}  // namespace hawker::daemon
