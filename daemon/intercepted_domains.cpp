#include "daemon/intercepted_domains.h"

#include "daemon/interceptions.h"

#include <algorithm>

#include <fmt/format.h>

namespace hawker::daemon {

Expected<std::vector<std::string>> intercepted_domains(const Configuration& configuration) {
    const proxy::InterceptedHosts hosts = intercepted_hosts(configuration.options);
    std::vector<std::string> domains;
    if (hosts.of_rules) {
        auto of_rules = configuration.rules->domains();
        if (!of_rules) return of_rules;
        domains = std::move(*of_rules);
    }
    for (const HostPattern& pattern : hosts.patterns) {
        const auto literal = net::literal_address(pattern.name(), 0);
        const bool is_address = literal && literal->has_value();
        if (pattern.name().empty() || is_address)
            return fail(Errc::unsupported,
                        fmt::format("intercept: '{}' is no domain, and a constraint can only name "
                                    "domains",
                                    pattern.name().empty() ? "*" : pattern.name()));
        domains.push_back(pattern.name());
    }
    std::ranges::sort(domains);
    domains.erase(std::ranges::unique(domains).begin(), domains.end());
    return domains;
}

}  // namespace hawker::daemon
