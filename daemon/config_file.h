// The configuration file: options under nested keys, and the sections `rules`, `origins`,
// `listeners`, `mirrors` and `users`. One YAML file, nothing is included from elsewhere.
//
// Thread: any. Reading waits for the disk: at start, and on the control thread for a reload.
// Failure: Errc::invalid with file and line, in words for the person who typed it; Errc::not_found
// when there is no such file.
#pragma once

#include "base/error.h"
#include "daemon/listeners_config.h"
#include "daemon/mirrors_config.h"
#include "daemon/options.h"
#include "daemon/origins_config.h"
#include "daemon/users_config.h"
#include "filters/rule.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::daemon {

struct ConfigFile {
    std::vector<Assignment> assignments;
    // Absent when the file does not speak of rules: then the shipped ones hold. `rules: []` is no
    // rules.
    std::optional<std::vector<filters::RuleSpec>> rules;
    std::vector<OriginSpec> origins;
    std::vector<ListenerSpec> listeners;
    std::vector<MirrorSpec> mirrors;
    admission::Users::Terms users;
};

Expected<ConfigFile> read_config_file(const std::string& path);
// `name` stands in messages.
Expected<ConfigFile> parse_config(const std::string& text, const std::string& name);

}  // namespace hawker::daemon
