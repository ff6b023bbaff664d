// etc/rules.yaml as it was when this binary was built: what holds when the configuration does not
// speak of rules.
#pragma once

#include <string_view>

namespace hawker::daemon {

std::string_view shipped_rules();  // the file's text

}  // namespace hawker::daemon
