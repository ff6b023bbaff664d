// The commands that ask no daemon: `hawker ca ...` and `hawker env`, as the command line has them.
//
// Thread: each waits for files, `ca init` for a child process.
#pragma once

#include "cli/commands.h"

#include <functional>

namespace CLI {
class App;
}

namespace hawker::cli {

using LocalCommand = std::function<Expected<std::string>(Output output)>;
// Adds them; whichever is parsed hands over what to do.
void add_local_commands(CLI::App& app, const std::function<void(LocalCommand)>& chosen);

}  // namespace hawker::cli
