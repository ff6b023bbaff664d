// Telling the service manager how we are (sd_notify). Without one, everything here does nothing.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace hawker::daemon::systemd {

void ready(const std::string& status);
void reloading();
void stopping();
void alive();

// How often the manager wants to hear alive(), when it does.
std::optional<std::chrono::milliseconds> watchdog_interval();

}  // namespace hawker::daemon::systemd
