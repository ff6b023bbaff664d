#include "daemon/proxy/registry_choice.h"

#include "daemon/proxy/proxy.h"
#include "daemon/registry/namespaces.h"
#include "daemon/registry/route.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

constexpr std::size_t kLongestName = 100;  // of what a client wrote, in a sentence

using RegistryPtr = std::shared_ptr<const Registry>;

// The first for which `is_it` holds: the configured one, then those that may be named. Null: none.
RegistryPtr find(const Settings& settings, const std::function<bool(const Registry&)>& is_it) {
    if (settings.registry && is_it(*settings.registry)) return settings.registry;
    const auto found = std::ranges::find_if(settings.named_registries,
                                            [&](const RegistryPtr& each) { return is_it(*each); });
    return found == settings.named_registries.end() ? nullptr : *found;
}

std::unexpected<Error> not_listed(std::string_view how, std::string_view name) {
    return fail(Errc::denied,
                fmt::format("Add '{}' to 'allow_registry_header' of this proxy's configuration: {} "
                            "may name only registries that are listed there.",
                            name.substr(0, kLongestName), how));
}

Expected<RegistryPtr> choose(const Settings& settings, const http::RequestHead& request) {
    if (const auto named = request.fields.get("X-Dragonfly-Registry")) {
        const auto url = registry::upstream_url(*named);
        if (!url)
            return fail(Errc::invalid,
                        "Take X-Dragonfly-Registry away, or give it a URL like https://ghcr.io.");
        auto found = find(settings, [&](const Registry& each) { return each.upstream == *url; });
        if (found) return found;
        return not_listed("X-Dragonfly-Registry", *url);
    }
    const std::string_view target = target_of(request);
    const auto ns =
        registry::is_registry_target(target) ? registry::take_namespace(target).ns : std::nullopt;
    if (!ns && settings.registry) return settings.registry;
    if (!ns)
        return fail(Errc::invalid,
                    "This is a forward proxy: set it as http_proxy / https_proxy (or git's "
                    "http.proxy) instead of opening it as a web site. For clients that take it "
                    "for a server, set 'registry_mirror: https://HOST' in its configuration.");
    auto found = find(settings, [&](const Registry& each) {
        return registry::is_namespace_of(*ns, each.upstream);
    });
    if (found) return found;
    // Not "?ns=": loggable_text() would take that for a query, and hide what it says.
    return not_listed("the ns parameter", *ns);
}

}  // namespace

Expected<std::shared_ptr<const Mirror>> mirror_without_host(const Settings& settings,
                                                            const http::RequestHead& request) {
    const auto chosen = choose(settings, request);
    if (!chosen) return fail(Error(chosen.error()));
    return registry::is_registry_target(target_of(request)) ? (*chosen)->registry
                                                            : (*chosen)->generic;
}

}  // namespace hawker::proxy
