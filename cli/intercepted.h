// Which domains the configuration intercepts: only hawkerd can read that, so it is asked.
//
// Thread:  waits for a child process.
#pragma once

#include "base/error.h"

#include <filesystem>
#include <string>
#include <vector>

namespace hawker::cli {

// `hawkerd --print-intercepted` of the hawkerd beside this program, else of the first one in $PATH.
// `config` empty: $HAWKER_CONFIG, /etc/hawker/hawker.yaml if there is one, or what is shipped.
// Errc::unsupported with hawkerd's sentence when the hosts are not literal; Errc::not_found without
// a hawkerd; Errc::invalid with its sentence when the configuration is bad.
Expected<std::vector<std::string>> intercepted_domains(const std::filesystem::path& config);

}  // namespace hawker::cli
