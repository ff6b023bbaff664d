// The server while it runs: signals, reloads, health, and the way out.
#include "daemon/heap.h"
#include "daemon/server.h"
#include "daemon/systemd.h"

#include <csignal>
#include <cstdlib>
#include <utility>

#include <fmt/ranges.h>

namespace hawker::daemon {

namespace {

using namespace std::chrono_literals;

constexpr auto kSickAfter = 1s;  // a loop that owes a sign of life for so long keeps us from
                                 // telling the watchdog that all is well

constexpr std::size_t kShedForMemory = 64;  // idle connections of each loop, at each measurement
constexpr auto kTrimInterval = 2s;          // it walks through whole heaps

}  // namespace

void Server::on_signal(int signal) {
    if (signal == SIGHUP) {
        if (!stopping_) reload();
        return;
    }
    // Asked twice: somebody does not want to wait. What the index has committed is safe.
    if (stopping_) std::_Exit(128 + signal);
    stopping_ = true;
    log_.info("{}: finishing what runs, for at most {} ms",
              signal == SIGTERM ? "SIGTERM" : "SIGINT",
              configuration_.options.duration("drain_timeout").count());
    systemd::stopping();
    errands_->spawn(wind_down());
}

// A bad file changes nothing: the rules and options that were good go on.
void Server::reload() {
    systemd::reloading();
    if (const auto reopened = log_.reopen(); !reopened) log_.error("{}", reopened.error().what);
    Expected<void> reloaded;
    try {
        reloaded = take_next();
    } catch (const std::exception& problem) {  // of a library: what is served goes on
        reloaded = fail(Errc::invalid, problem.what());
    }
    if (!reloaded)
        log_.error("reload: {}; the configuration from before stays in force",
                   reloaded.error().what);
    systemd::ready(fmt::format("{} rules", configuration_.rules->rules().size()));
}

Expected<void> Server::take_next() {
    auto next = load(line_, environment_);
    if (!next) return fail(std::move(next).error());
    auto interception = interceptions_.make(*next);
    if (!interception) return fail(std::move(interception).error());
    auto waiting = listeners_.take_over(next->listeners);
    if (!waiting) return fail(std::move(waiting).error());
    for (std::string& address : *waiting) address = fmt::format("listener {}", address);
    for (std::string& option : restart_only_changes(started_with_, next->options))
        waiting->push_back(std::move(option));
    // It follows limits.memory where it is not said.
    const bool is_as_before =
        started_with_.size("cache.memory") == next->options.size("cache.memory");
    if (is_as_before && cache_options(started_with_).memory != cache_options(next->options).memory)
        waiting->emplace_back("cache.memory");
    for (const std::string& remark : next->remarks) log_.warn("{}", remark);
    apply(std::move(*next), std::move(*interception));
    if (!waiting->empty())
        log_.warn("reload: these options count from the next start on: {}",
                  fmt::join(*waiting, ", "));
    log_.info("reloaded {}: {} rules, interception {}", configuration_.name,
              configuration_.rules->rules().size(), interceptions_.description());
    return {};
}

// Everything live. Restart-only values in `next` are not looked at by anything that runs.
void Server::apply(Configuration next, std::shared_ptr<const proxy::Interception> interception) {
    configuration_ = std::move(next);
    const Options& options = configuration_.options;
    log_.set_level(log_level(options));
    journal_.set_access_log(options.flag("log.access"));
    headroom_.set_limits(options.count("limits.connections"), options.size("limits.memory"));
    cache_->set_limits(cache_limits(options));
    origin::ClientOptions origins = client_options(configuration_);
    origins.lanes = lanes_;
    for (const auto& worker : workers_) worker->set_origin_options(origins);
    identity_.listeners = listeners_.proxy_terms();
    std::vector<admin::Terms> terms = listeners_.admin_terms();
    for (std::size_t i = 0; i < admins_.size(); ++i) {
        terms[i].hosts = options.list("admin.hosts");
        admins_[i]->set_terms(std::move(terms[i]));
    }
    settings_.store(proxy_settings(configuration_, identity_, std::move(interception)));
}

void Server::look_after() {
    bool all_well = true;
    for (const auto& worker : workers_) {
        all_well = all_well && worker->silence() < kSickAfter;
        worker->ping();
    }
    if (all_well) systemd::alive();
}

// Idle connections go first. What was freed is given back to the kernel, or it would count for
// ever: the heap keeps it, each thread its own.
void Server::watch_memory() {
    if (!headroom_.measure_memory()) return;
    headroom_.ran_out(Shortage::memory);
    for (const auto& worker : workers_) worker->close_idle(kShedForMemory);
    const SteadyTime now = clock_.now();
    if (now - trimmed_ < kTrimInterval) return;
    trimmed_ = now;
    give_back_free_memory();
    for (const auto& worker : workers_) worker->loop().post(give_back_free_memory);
}

Task<void> Server::wind_down() {
    const std::chrono::milliseconds deadline = configuration_.options.duration("drain_timeout");
    winding_down_ = workers_.size();
    for (const auto& worker : workers_) {
        worker->wind_down(deadline, [this] {
            control_->post([this] {
                --winding_down_;
                wound_down_->notify_all();
            });
        });
    }
    // By then whoever still waits for a password to be verified has waited long enough.
    net::Timer patience(*control_, [this] { authenticator_.stop(); });
    patience.set(deadline);
    while (winding_down_ > 0) co_await wound_down_->wait();
    for (const auto& admin : admins_) co_await admin->stop();
    control_->stop();
}

}  // namespace hawker::daemon
