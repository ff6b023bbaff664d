#include "daemon/systemd.h"

#include <cstdlib>
#include <ctime>

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

namespace hawker::daemon::systemd {

void ready(const std::string& status) {
    ::sd_notify(0, fmt::format("READY=1\nSTATUS={}", status).c_str());
}

void reloading() {
    // Type=notify-reload (systemd 253) wants to know that this answer is younger than its own
    // SIGHUP.
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const long long microseconds =
        static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
    ::sd_notify(0, fmt::format("RELOADING=1\nMONOTONIC_USEC={}", microseconds).c_str());
}

void stopping() { ::sd_notify(0, "STOPPING=1"); }
void alive() { ::sd_notify(0, "WATCHDOG=1"); }

std::vector<PassedSocket> passed_sockets() {
    std::vector<PassedSocket> sockets;
    // NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): as sd-daemon says
    char** names = nullptr;
    const int count = ::sd_listen_fds_with_names(1, &names);
    for (int i = 0; i < count; ++i) {
        sockets.emplace_back(names[i], UniqueFd(SD_LISTEN_FDS_START + i));
        std::free(names[i]);
    }
    std::free(static_cast<void*>(names));
    // NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)
    return sockets;
}

std::optional<std::chrono::milliseconds> watchdog_interval() {
    std::uint64_t microseconds = 0;
    if (::sd_watchdog_enabled(0, &microseconds) <= 0 || microseconds < 2000) return std::nullopt;
    return std::chrono::milliseconds(microseconds / 1000);
}

}  // namespace hawker::daemon::systemd
