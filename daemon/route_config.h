// What `origin.*` and `origins:` come to: the routes to origins, with every file they name looked
// at once.
//
// Thread: reads files: at start, and on the control thread for a reload.
#pragma once

#include "daemon/options.h"
#include "daemon/origin/routes.h"
#include "daemon/origins_config.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace hawker::daemon {

struct ConfiguredRoutes {
    std::shared_ptr<const origin::Routes> routes;
    std::vector<std::string> remarks;  // certificates that are not checked
};

// `name` is the file's. Errc::invalid names the line or the option, and never a credential: a file
// that is missing, holds no PEM, or holds a secret that everybody can read.
Expected<ConfiguredRoutes> routes_of(const Options& options, std::span<const OriginSpec> origins,
                                     const std::string& name);

// The contents of a file whose bytes open doors. Errc::invalid, with the cure, when others can read
// it.
Expected<std::string> secret_contents(const std::string& path);

}  // namespace hawker::daemon
