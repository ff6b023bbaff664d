// What people read about the options, made from the table.
#pragma once

#include "daemon/options.h"

#include <string>
#include <string_view>

namespace hawker::daemon {

// `text` in lines of at most `columns`, each beginning with `prefix`; without a newline at the end.
std::string wrapped(std::string_view text, std::string_view prefix, std::size_t columns);

// etc/hawker.yaml up to the rules: every option with its help, commented out at its default.
std::string default_config();
// docs/configuration.md
std::string options_markdown();
// `--print-config`: one line for each option: value, and where it came from.
std::string effective_config(const Options& options);

}  // namespace hawker::daemon
