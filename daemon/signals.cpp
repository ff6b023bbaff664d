#include "daemon/signals.h"

#include <cerrno>
#include <csignal>

#include <sys/signalfd.h>

namespace hawker::daemon {

namespace {

sigset_t our_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGHUP, SIGINT, SIGTERM}) ::sigaddset(&set, signal);
    return set;
}

}  // namespace

void block_signals() {
    const sigset_t set = our_signals();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
}

void unblock_signals() {
    sigset_t set = our_signals();
    ::sigdelset(&set, SIGHUP);
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

Expected<std::unique_ptr<Signals>> Signals::watch(net::Loop& loop,
                                                  std::function<void(int signal)> on_signal) {
    const sigset_t set = our_signals();
    UniqueFd fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!fd) return fail(system_error(errno, "watch signals"));
    return std::unique_ptr<Signals>(
        new Signals(loop, std::move(fd), std::move(on_signal)));  // NOLINT: private constructor
}

Signals::Signals(net::Loop& loop, UniqueFd fd, std::function<void(int signal)> on_signal)
    : fd_(std::move(fd)),
      on_signal_(std::move(on_signal)),
      watch_(loop, fd_.get(), [this](net::Interest) { read_pending(); }) {
    watch_.set(net::Interest::read);
}

void Signals::read_pending() {
    signalfd_siginfo info{};
    while (::read(fd_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info)))
        on_signal_(static_cast<int>(info.ssi_signo));
}

}  // namespace hawker::daemon
