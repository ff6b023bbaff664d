// The `mirrors:` list of the configuration file: listeners whose clients take us for the origin.
// docs/mirrors.md is the manual.
//
// Thread: any. token_file is read.
#pragma once

#include "base/error.h"
#include "daemon/listeners_config.h"
#include "daemon/options.h"
#include "daemon/proxy/mirror.h"

#include <string>
#include <string_view>
#include <vector>

namespace YAML {
class Node;
}

namespace hawker::daemon {

// One member as it was written.
struct MirrorSpec {
    ListenerSpec listener;  // but for the address
    std::vector<std::string> listen;
    std::string kind = "generic";
    std::string token_file;
    proxy::Mirror mirror;
};

// Errc::invalid with file and line: a key that is none (with the nearest one), or is not for this
// kind, and what a mirror cannot do without.
Expected<std::vector<MirrorSpec>> read_mirrors(const YAML::Node& node, const std::string& file);

// What can stand in a field as a token. The text itself stands in no message.
Expected<void> check_token(std::string_view token);

// Makes `mirror`, whose keys are read, one of `kind`.
void furnish(proxy::Mirror& mirror, std::string_view kind);

// The listeners that they come to.
Expected<std::vector<ListenerSpec>> resolve_mirrors(const std::vector<MirrorSpec>& specs,
                                                    const Options& options);

}  // namespace hawker::daemon
