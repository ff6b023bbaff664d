// What this binary is and what it was built with; for --version and the first log line.
#pragma once

#include <string>
#include <string_view>

namespace hawker::daemon {

std::string_view version();  // "0.1.0"
std::string versions();      // one line for each library

}  // namespace hawker::daemon
