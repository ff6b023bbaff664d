// hawker: looks at a running hawkerd and tells it to forget things, through its admin API; makes
// and shows the certificate authority; prints settings for clients.
#include "base/nearest_word.h"
#include "cli/commands.h"
#include "cli/local_commands.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

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

// "unknown command 'lss'; did you mean 'ls'?" Empty when the words that were given are commands.
std::string unknown_command(const CLI::App& app) {
    const CLI::App* place = &app;
    while (!place->get_subcommands().empty()) place = place->get_subcommands().front();
    std::vector<std::string> known;
    for (const CLI::App* const command :
         place->get_subcommands([](const CLI::App*) { return true; }))
        known.push_back(command->get_name());
    const std::vector<std::string> rest = app.remaining(true);
    const auto word =
        std::ranges::find_if(rest, [](const std::string& each) { return !each.starts_with('-'); });
    if (known.empty() || word == rest.end()) return "";
    std::string cure = hawker::did_you_mean(*word, known);
    if (cure.empty()) cure = "; see hawker --help";
    return fmt::format("hawker: unknown command '{}'{}\n", *word, cure);
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
    app.set_version_flag("--version", "hawker " HAWKER_VERSION, "Print our version");
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
        const bool is_wrong = problem.get_exit_code() != 0;
        if (const std::string unknown = unknown_command(app); is_wrong && !unknown.empty()) {
            fmt::print(stderr, "{}", unknown);
            return kBadUsage;
        }
        return app.exit(problem) == 0 ? 0 : kBadUsage;
    }
    return print(command(json ? Output::json : Output::people));
} catch (const std::exception& problem) {
    std::fputs("hawker: ", stderr);
    std::fputs(problem.what(), stderr);
    std::fputs("\n", stderr);
    return kFailed;
}
