// Whom a request is for that names no host: a client takes the forward proxy for a server.
//
// Thread: any.
#pragma once

#include "base/error.h"
#include "daemon/http/message.h"
#include "daemon/proxy/mirror.h"

#include <memory>
#include <string>

namespace hawker::proxy {

struct Settings;

// One upstream, as a registry and as any other origin.
struct Registry {
    std::string upstream;  // registry::upstream_url()
    std::shared_ptr<const Mirror> registry;
    std::shared_ptr<const Mirror> generic;
};

// X-Dragonfly-Registry, else `?ns=` of a registry's target, else the configured one. Errc::denied:
// it names one that the configuration does not list; Errc::invalid: it names none, or nothing that
// is one. The sentence names the cure.
Expected<std::shared_ptr<const Mirror>> mirror_without_host(const Settings& settings,
                                                            const http::RequestHead& request);

}  // namespace hawker::proxy
