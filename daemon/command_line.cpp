#include "daemon/command_line.h"

#include "base/nearest_word.h"
#include "daemon/option_docs.h"
#include "daemon/versions.h"

#include <algorithm>
#include <map>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace hawker::daemon {

namespace {

constexpr std::size_t kHelpColumns = 70;  // beside the column of the flags

struct Flags {
    bool check = false, print_config = false, print_intercepted = false,
         print_default_config = false, print_options_markdown = false;
    std::map<std::string_view, std::vector<std::string>> options;
};

void add_errands(CLI::App& app, CommandLine& line, Flags& flags) {
    const std::string group = "What to do (without any of these: serve)";
    app.add_flag("--check", flags.check, "Say whether the configuration is good; 2 when it is not")
        ->group(group);
    app.add_option("--explain", line.url,
                   "Say what happens to a GET of this URL: rule, key, task ID, reason")
        ->type_name("URL")
        ->group(group);
    app.add_option("--range", line.range, "With --explain: its Range field, as bytes=0-99")
        ->group(group);
    app.add_option("--tag", line.tag, "With --explain: the tag of the request")->group(group);
    app.add_option("--application", line.application,
                   "With --explain: the application of the request")
        ->group(group);
    app.add_flag("--print-config", flags.print_config,
                 "Print every option, its value, and where that came from")
        ->group(group);
    app.add_flag("--print-intercepted", flags.print_intercepted,
                 "Print the domains under which intercepted hosts lie, as `hawker ca init` asks; 3 "
                 "when they are not literal")
        ->group(group);
    app.add_flag("--print-default-config", flags.print_default_config,
                 "Print a commented file of all options")
        ->group(group);
    app.add_flag("--print-options-markdown", flags.print_options_markdown,
                 "Print docs/configuration.md")
        ->group(group);
    app.set_version_flag(
           "--version", [] { return versions(); }, "Print our version and those of our libraries")
        ->group(group);
    app.add_flag("--welcome", line.welcome,
                 "Print what to paste into git, Python and the shell, once we listen")
        ->group(group);
    app.add_option("--config", line.config, "The configuration file; see etc/hawker.yaml")
        ->type_name("FILE")
        ->envname("HAWKER_CONFIG")
        ->group(group);
}

void add_options(CLI::App& app, Flags& flags) {
    for (const Option& option : option_table()) {
        const std::size_t dot = option.key.find('.');
        const std::string section(dot == std::string_view::npos ? "general"
                                                                : option.key.substr(0, dot));
        const std::string_view fallback = option.fallback.empty() ? "empty" : option.fallback;
        const std::string help =
            wrapped(fmt::format("{} Default: {}.", option.help, fallback), "", kHelpColumns);
        CLI::Option* const flag =
            app.add_option("--" + std::string(option.key), flags.options[option.key], help)
                ->type_name(describe_type(option))
                ->allow_extra_args(false)
                ->group("Options: " + section);
        if (option.type == Type::list)
            flag->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        else
            flag->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    }
}

Errand errand_of(const CommandLine& line, const Flags& flags) {
    if (flags.check) return Errand::check;
    if (!line.url.empty()) return Errand::explain;
    if (flags.print_config) return Errand::print_config;
    if (flags.print_intercepted) return Errand::print_intercepted;
    if (flags.print_default_config) return Errand::print_default_config;
    if (flags.print_options_markdown) return Errand::print_options_markdown;
    return Errand::serve;
}

// Last one first, as CLI11 takes them. It reads `--x= --y` as `--x=--y`, so an empty value becomes
// a word of its own.
std::vector<std::string> arguments_of(int argc, const char* const* argv) {
    std::vector<std::string> arguments;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        const bool sets_nothing =
            argument.starts_with("--") && argument.find('=') + 1 == argument.size();
        arguments.emplace_back(sets_nothing ? argument.substr(0, argument.size() - 1) : argument);
        if (sets_nothing) arguments.emplace_back();
    }
    std::ranges::reverse(arguments);
    return arguments;
}

// What CLI11 did not know: it knows no nearest name, we do.
Leave stranger(const CLI::App& app, const std::string& word) {
    if (!word.starts_with("--"))
        return Leave(2,
                     fmt::format("hawkerd: unexpected argument '{}'; see hawkerd --help\n", word));
    std::vector<std::string> known;
    for (const CLI::Option* const option : app.get_options())
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    const std::string flag = word.substr(0, word.find('='));
    return Leave(2,
                 fmt::format("hawkerd: unknown option '{}'{}\n", flag, did_you_mean(flag, known)));
}

}  // namespace

std::expected<CommandLine, Leave> parse_command_line(int argc, const char* const* argv) {
    CommandLine line;
    Flags flags;
    CLI::App app("hawkerd: a caching HTTP forward proxy for large, immutable downloads.",
                 "hawkerd");
    app.allow_extras();
    add_errands(app, line, flags);
    add_options(app, flags);
    try {
        app.parse(arguments_of(argc, argv));
    } catch (const CLI::CallForHelp&) {
        return std::unexpected(Leave(0, app.help()));
    } catch (const CLI::CallForVersion&) {
        return std::unexpected(Leave(0, versions()));
    } catch (const CLI::ParseError& problem) {
        return std::unexpected(
            Leave(2, fmt::format("hawkerd: {}; see hawkerd --help\n", problem.what())));
    }
    if (const auto rest = app.remaining(); !rest.empty())
        return std::unexpected(stranger(app, rest.front()));
    line.errand = errand_of(line, flags);
    for (auto& [key, parts] : flags.options)
        if (!parts.empty())
            line.assignments.emplace_back(std::string(key), std::move(parts),
                                          fmt::format("flag --{}", key));
    return line;
}

}  // namespace hawker::daemon
