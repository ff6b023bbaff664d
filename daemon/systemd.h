// Telling the service manager how we are (sd_notify). Without one, everything here does nothing.
#pragma once

#include "base/unique_fd.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace hawker::daemon::systemd {

void ready(const std::string& status);
void reloading();
void stopping();
void alive();

// How often the manager wants to hear alive(), when it does.
std::optional<std::chrono::milliseconds> watchdog_interval();

// A listening socket that the manager has opened for us (socket activation), under the
// FileDescriptorName of its unit. There may be several of one name.
struct PassedSocket {
    std::string name;
    UniqueFd fd;
};
// All of them, once: a second call gives none.
std::vector<PassedSocket> passed_sockets();

}  // namespace hawker::daemon::systemd
