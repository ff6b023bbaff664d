// `hawkerd --print-intercepted`: what our certificate authority has to be allowed to vouch for.
#pragma once

#include "daemon/configuration.h"

#include <string>
#include <vector>

namespace hawker::daemon {

// Each stands for everything below it. Errc::unsupported, naming the rule or the pattern, when the
// hosts are not literal.
Expected<std::vector<std::string>> intercepted_domains(const Configuration& configuration);

}  // namespace hawker::daemon
