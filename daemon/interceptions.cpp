#include "daemon/interceptions.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace hawker::daemon {

namespace {

constexpr std::size_t kMostLeaves = 4096;  // 2 KiB each
constexpr std::string_view kOfRules = "rules";

bool is_given(const Options& options, std::string_view key) {
    return options.where(key) != "default";
}

bool is_off(const Options& options) {
    const proxy::InterceptedHosts hosts = intercepted_hosts(options);
    return !hosts.of_rules && hosts.patterns.empty();
}

}  // namespace

proxy::InterceptedHosts intercepted_hosts(const Options& options) {
    proxy::InterceptedHosts hosts;
    hosts.of_rules = false;
    for (const std::string& text : options.list("intercept")) {
        if (text == kOfRules)
            hosts.of_rules = true;
        else
            hosts.patterns.push_back(*HostPattern::parse(text));  // checked by the option's row
    }
    return hosts;
}

std::filesystem::path authority_directory(const Options& options) {
    const std::string& given = options.text("ca.directory");
    return given.empty() ? certificates::default_authority_directory()
                         : std::filesystem::path(given);
}

Expected<std::shared_ptr<const certificates::Authority>> read_authority(const Options& options,
                                                                        WallTime now) {
    if (is_off(options)) return nullptr;
    const std::filesystem::path directory = authority_directory(options);
    auto authority = certificates::Authority::load(directory, now);
    if (authority || authority.error().code != Errc::not_found) return authority;
    for (const std::string_view key : {"ca.directory", "intercept"})
        if (is_given(options, key))
            return fail(
                Errc::invalid,
                fmt::format("{}: {} needs a certificate authority, and there is none in {}. "
                            "Make one: hawker ca init --directory {} --config FILE, where FILE is "
                            "this configuration",
                            options.where(key), key, directory.native(), directory.native()));
    return nullptr;
}

Expected<std::shared_ptr<const proxy::Interception>> Interceptions::make(
    const Configuration& configuration) {
    auto authority = read_authority(configuration.options, clock_.wall());
    if (!authority) return fail(std::move(authority).error());
    if (!*authority) {
        description_ = "off";
        return nullptr;
    }
    if (const auto taken = take(*authority); !taken) return fail(taken.error());
    description_ =
        fmt::format("by the authority in {}", authority_directory(configuration.options).native());
    return std::make_shared<const proxy::Interception>(intercepted_hosts(configuration.options),
                                                       configuration.rules, leaves_, server_);
}

Expected<void> Interceptions::take(
    const std::shared_ptr<const certificates::Authority>& authority) {
    if (!server_) {
        auto server = net::TlsServer::create({});
        if (!server) return fail(std::move(server).error());
        server_ = std::move(*server);
    }
    const bool is_known = leaves_ && leaves_->authority().is_same(*authority);
    if (!is_known)
        leaves_ = std::make_shared<certificates::LeafStore>(authority, kMostLeaves, clock_);
    return {};
}

}  // namespace hawker::daemon
