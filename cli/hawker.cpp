// hawker: looks at a running hawkerd and tells it to forget things, through its admin API; makes
// and shows the certificate authority; prints settings for clients.
#include "cli/commands.h"
#include "cli/local_commands.h"

#include <cstdio>
#include <exception>
#include <functional>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace {

using hawker::Expected;
using hawker::cli::AdminClient;
using hawker::cli::Output;

constexpr int kFailed = 1;
constexpr int kBadUsage = 2;

using Command = std::function<Expected<std::string>(AdminClient& daemon, Output output)>;

Expected<std::string> ask(const std::string& address, const Command& command, Output output) {
    auto daemon = AdminClient::create(address);
    if (!daemon) return hawker::fail(std::move(daemon).error());
    return command(*daemon, output);
}

int print(const Expected<std::string>& text) {
    if (text) {
        fmt::print("{}", *text);
        return 0;
    }
    fmt::print(stderr, "hawker: {}\n", text.error().what);
    return kFailed;
}

}  // namespace

int main(int argc, char** argv) try {
    std::string address = "http://127.0.0.1:65002";
    std::string task;
    bool json = false;
    CLI::App app("hawker: what is cached, how the proxy is doing, and what clients need.",
                 "hawker");
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--admin", address, "Admin address of hawkerd: a URL or unix:/path")
        ->envname("HAWKER_ADMIN")
        ->capture_default_str();
    app.add_flag("--json", json, "For programs instead of people");
    hawker::cli::LocalCommand command;
    const auto add = [&](const char* name, const char* help, Command what) {
        CLI::App* const subcommand = app.add_subcommand(name, help);
        subcommand->callback([&command, &address, what = std::move(what)] {
            command = [&address, what](Output output) { return ask(address, what, output); };
        });
        return subcommand;
    };
    add("ls", "List what is cached", hawker::cli::list_tasks);
    add("show", "Show one task",
        [&task](AdminClient& daemon, Output output) {
            return hawker::cli::show_task(daemon, task, output);
        })
        ->add_option("task", task, "Task ID")
        ->required();
    add("rm", "Forget one task",
        [&task](AdminClient& daemon, Output output) {
            return hawker::cli::remove_task(daemon, task, output);
        })
        ->add_option("task", task, "Task ID")
        ->required();
    add("stats", "Requests, bytes and objects", hawker::cli::show_stats);
    add("health", "Is it well?", hawker::cli::show_health);
    hawker::cli::add_local_commands(
        app, [&command](hawker::cli::LocalCommand chosen) { command = std::move(chosen); });
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem) == 0 ? 0 : kBadUsage;
    }
    return print(command(json ? Output::json : Output::people));
} catch (const std::exception& problem) {
    std::fputs("hawker: ", stderr);
    std::fputs(problem.what(), stderr);
    std::fputs("\n", stderr);
    return kFailed;
}
