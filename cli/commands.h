// What `hawker` can be asked: each command is a few requests to the admin API and a text for people
// or, with Output::json, for programs.
//
// Failure: Errc::not_found, invalid, refused or unavailable with the daemon's own sentence.
#pragma once

#include "base/error.h"
#include "cli/admin_client.h"

#include <string>

namespace hawker::cli {

enum class Output : std::uint8_t { people, json };

Expected<std::string> list_tasks(AdminClient& daemon, Output output);
Expected<std::string> show_task(AdminClient& daemon, const std::string& task, Output output);
Expected<std::string> remove_task(AdminClient& daemon, const std::string& task, Output output);
Expected<std::string> show_stats(AdminClient& daemon, Output output);
// Errc::unavailable when it answers that it is not well.
Expected<std::string> show_health(AdminClient& daemon, Output output);

}  // namespace hawker::cli
