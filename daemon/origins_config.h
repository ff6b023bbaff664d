// The `origins:` list of the configuration file: how single hosts are reached.
#pragma once

#include "base/error.h"

#include <optional>
#include <string>
#include <vector>

namespace YAML {
class Node;
}

namespace hawker::daemon {

// One member as it was written.
struct OriginSpec {
    int line = 0;
    std::vector<std::string> hosts;
    std::optional<std::string> ca_file;
    bool insecure = false;
    std::string client_certificate;
    std::string client_key;
    std::optional<std::string> proxy;  // a URL, with credentials perhaps; or "none"
    std::vector<std::string> connect_to;
    std::vector<std::string> source_address;
};

// Errc::invalid with file and line: a key that is none (with the nearest one), no `hosts`, a value
// of the wrong kind. What the values are good for is routes_of()'s to say.
Expected<std::vector<OriginSpec>> read_origins(const YAML::Node& node, const std::string& file);

}  // namespace hawker::daemon
