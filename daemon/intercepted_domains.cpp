#include "daemon/intercepted_domains.h"

namespace hawker::daemon {

Expected<std::vector<std::string>> intercepted_domains(const Configuration& configuration) {
    return configuration.rules->domains();
}

}  // namespace hawker::daemon
