// What stands behind `hawkerd` on the command line.
#pragma once

#include "daemon/options.h"

#include <optional>
#include <string>
#include <vector>

namespace hawker::daemon {

// What the daemon is asked to do.
enum class Errand : std::uint8_t {
    serve,
    check,
    explain,
    print_config,
    print_intercepted,
    print_default_config,
    print_options_markdown
};

struct CommandLine {
    Errand errand = Errand::serve;
    std::string config;                        // empty: no file
    std::vector<Assignment> assignments;       // from flags
    bool welcome = false;                      // print the lines to paste once we listen
    std::string url, tag, application, range;  // for Errand::explain
};

// Text that was asked for (--help, --version), or what is wrong: print it and leave.
struct Leave {
    int exit_code = 0;
    std::string text;
};

std::expected<CommandLine, Leave> parse_command_line(int argc, const char* const* argv);

}  // namespace hawker::daemon
