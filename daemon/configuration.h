// One reading of the whole configuration: options and rules, checked, and what the rooms below make
// of them.
//
// Thread: load() reads a file: at start, and on the control thread for a reload. The rest is pure.
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "cache/cache.h"
#include "daemon/command_line.h"
#include "daemon/listeners_config.h"
#include "daemon/options.h"
#include "daemon/origin/client.h"
#include "daemon/proxy/proxy.h"
#include "filters/rule_set.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace hawker::daemon {

struct Configuration {
    Options options;
    std::shared_ptr<const filters::RuleSet> rules;
    std::shared_ptr<const origin::Routes> routes;
    std::shared_ptr<const admission::Users> users;
    std::vector<ListenerSpec> listeners;  // the proxy's, the admin API's, mirrors'
    std::string name;                     // of the file, or "the shipped configuration"
    std::vector<std::string> remarks;     // not wrong, but worth a warning
};

// Errc::invalid or not_found, in words that name file and line.
Expected<Configuration> load(const CommandLine& line, const char* const* environment);

LogLevel log_level(const Options& options);
LogOptions log_options(const Options& options);
cache::CacheLimits cache_limits(const Options& options);
cache::CacheOptions cache_options(const Options& options);
net::DestinationPolicy destination_policy(const Options& options);
origin::ClientOptions client_options(const Configuration& configuration);

// What stays the same over all reloads.
struct Identity {
    std::string pseudonym;
    std::vector<net::Address> own_addresses;
    std::vector<proxy::ListenerTerms> listeners;
};
std::shared_ptr<const proxy::Settings> proxy_settings(
    const Configuration& configuration, const Identity& identity,
    std::shared_ptr<const proxy::Interception> interception);

// `environment` gives a variable's value or null.
std::filesystem::path default_cache_directory(
    const std::function<const char*(const char*)>& environment, bool is_root);

}  // namespace hawker::daemon
