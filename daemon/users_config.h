// The `users:` mapping of the configuration file: what each user may.
#pragma once

#include "base/error.h"
#include "daemon/admission/users.h"

#include <string>

namespace YAML {
class Node;
}

namespace hawker::daemon {

// Errc::invalid with file and line: a key that is none (with the nearest one), a value of the wrong
// kind.
Expected<admission::Users::Terms> read_users(const YAML::Node& node, const std::string& file);

}  // namespace hawker::daemon
