#include "cli/local_commands.h"

#include "cli/ca.h"
#include "cli/dragonfly_import.h"
#include "cli/environment.h"
#include "cli/intercepted.h"
#include "cli/trust.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

namespace hawker::cli {

namespace {

using Chosen = std::function<void(LocalCommand)>;

// Filled in while the command line is parsed, read when the command runs.
struct Words {
    std::string directory, certificate, bundle, name, config, proxy, shell = "sh";
    std::vector<std::string> permitted, clients;
    bool permit_any = false, pem = false;
    unsigned days = 3650;
};
using SharedWords = std::shared_ptr<Words>;

enum class Strictness : std::uint8_t { none, all };

Place place_of(const Words& words) {
    return Place{.directory = words.directory, .certificate = words.certificate};
}

Expected<std::string> init(const Words& words) {
    NewAuthority order;
    order.directory = words.directory;
    order.name = words.name;
    order.days = words.days;
    order.permitted_domains = words.permitted;
    if (words.permitted.empty() && !words.permit_any) {
        auto domains = intercepted_domains(words.config);
        if (!domains && domains.error().code != Errc::unsupported)
            return fail(std::move(domains).error());
        if (domains)
            order.permitted_domains = std::move(*domains);
        else
            order.why_unconstrained = domains.error().what;
    }
    const bool is_open = order.permitted_domains.empty() && order.why_unconstrained.empty();
    if (is_open && !words.permit_any)
        order.why_unconstrained = "the configuration intercepts no host by name";
    return init_authority(std::move(order), std::chrono::system_clock::now());
}

Expected<std::string> show(const Words& words, Output output) {
    return show_authority(place_of(words), words.pem                ? Form::pem
                                           : output == Output::json ? Form::json
                                                                    : Form::people);
}

Expected<std::string> trust(const Words& words) {
    auto authority = find_authority(place_of(words));
    if (!authority) return fail(std::move(authority).error());
    TrustQuestion question;
    question.authority = std::move(*authority);
    question.store = this_system();
    question.is_root = ::geteuid() == 0;
    question.bundle = words.bundle.empty() ? default_bundle(question.is_root)
                                           : std::filesystem::path(words.bundle);
    question.clients = words.clients;
    return trust_lines(question);
}

const char* variable(const char* lower, const char* upper) {
    const char* const value = std::getenv(lower);
    return value ? value : std::getenv(upper);
}

Expected<std::string> environment(const Words& words) {
    EnvironmentQuestion question;
    if (!words.proxy.empty()) question.proxy = words.proxy;
    if (const char* const before = variable("no_proxy", "NO_PROXY")) question.no_proxy = before;
    question.shell = words.shell == "fish" ? Shell::fish : Shell::sh;
    question.clients = words.clients;
    FoundBundle found = find_bundle(place_of(words), words.bundle);
    question.bundle = std::move(found.bundle);
    const auto lines = environment_lines(question);
    // Beside what is meant for `eval`.
    if (lines && !found.remark.empty()) fmt::print(stderr, "hawker: {}\n", found.remark);
    return lines;
}

void add_place(CLI::App& command, Words& words) {
    command
        .add_option("--directory", words.directory,
                    "Where the authority is; see `hawker ca init --help`")
        ->type_name("DIRECTORY");
    command
        .add_option("--certificate", words.certificate,
                    "Its certificate, on a machine that has no more of it")
        ->type_name("FILE");
}

void add_init(CLI::App& ca, const SharedWords& words, const Chosen& chosen) {
    CLI::App& command = *ca.add_subcommand(
        "init",
        "Make the certificate authority for interception, for the domains that the "
        "configuration intercepts. It is never replaced.");
    command
        .add_option("--directory", words->directory,
                    "Where to put ca.pem and ca.key. Default: $STATE_DIRECTORY/ca, for root "
                    "/var/lib/hawker/ca, else ~/.local/state/hawker/ca")
        ->type_name("DIRECTORY");
    command.add_option("--name", words->name, "Its name, as clients show it. Default: this host's")
        ->type_name("NAME");
    CLI::Option* const permit =
        command
            .add_option("--permit", words->permitted,
                        "It may vouch for these domains and what is below them, for nothing else. "
                        "Default: what hawkerd intercepts")
            ->type_name("DOMAIN")
            ->delimiter(',');
    command
        .add_flag("--permit-any", words->permit_any,
                  "It may vouch for every host: whoever steals ca.key can pose as any of them")
        ->excludes(permit);
    command
        .add_option("--config", words->config,
                    "hawkerd's configuration. Default: $HAWKER_CONFIG, /etc/hawker/hawker.yaml, or "
                    "what is shipped")
        ->type_name("FILE");
    command.add_option("--days", words->days, "How long it is valid. Default: ten years")
        ->type_name("N")
        ->check(CLI::Range(1U, 36500U));
    command.callback([words, chosen] { chosen([words](Output) { return init(*words); }); });
}

void add_ca(CLI::App& app, const Chosen& chosen) {
    CLI::App& ca = *app.add_subcommand("ca", "The certificate authority for interception");
    ca.require_subcommand(1);
    const auto words = std::make_shared<Words>();
    add_init(ca, words, chosen);
    CLI::App& shown = *ca.add_subcommand("show", "Name, fingerprint, validity, domains");
    add_place(shown, *words);
    shown.add_flag("--pem", words->pem, "Print the certificate itself, to give to clients");
    shown.callback(
        [words, chosen] { chosen([words](Output output) { return show(*words, output); }); });
    CLI::App& trusted = *ca.add_subcommand(
        "trust", "Print the lines to paste that make clients on this system trust it");
    add_place(trusted, *words);
    trusted
        .add_option("--for", words->clients,
                    fmt::format("Only these: {}", fmt::join(known_clients(), ", ")))
        ->type_name("CLIENT")
        ->delimiter(',');
    trusted
        .add_option("--bundle", words->bundle,
                    "The file to make of the system's authorities and this one. Default: "
                    "/usr/local/share/hawker/ca-bundle.pem for root, else "
                    "~/.local/state/hawker/ca-bundle.pem")
        ->type_name("FILE");
    trusted.callback([words, chosen] { chosen([words](Output) { return trust(*words); }); });
}

void add_environment(CLI::App& app, const Chosen& chosen) {
    const auto words = std::make_shared<Words>();
    CLI::App& command = *app.add_subcommand(
        "env",
        "Print the settings that make a shell, git or pip use the proxy and trust what it "
        "shows: eval \"$(hawker env)\"");
    command.add_option("--proxy", words->proxy, "Default: http://127.0.0.1:65001")
        ->type_name("URL")
        ->envname("HAWKER_PROXY");
    command.add_option("--shell", words->shell, "sh (bash and zsh too) or fish")
        ->check(CLI::IsMember({"sh", "bash", "dash", "ksh", "zsh", "fish"}))
        ->capture_default_str();
    command.add_option("--for", words->clients, "Commands for git or pip instead of variables")
        ->type_name("CLIENT")
        ->delimiter(',');
    add_place(command, *words);
    command.add_option("--bundle", words->bundle, "The file that `hawker ca trust` has made")
        ->type_name("FILE");
    command.callback([words, chosen] { chosen([words](Output) { return environment(*words); }); });
}

Expected<std::string> import_config(const std::string& file, Strictness strictness) {
    std::ostringstream text;
    if (file == "-") {
        text << std::cin.rdbuf();
    } else {
        std::ifstream stream(file);
        if (!stream) return fail(system_error(errno, file));
        text << stream.rdbuf();
    }
    auto imported = import_dfdaemon(text.str(), file == "-" ? "standard input" : file);
    if (!imported) return fail(std::move(imported).error());
    if (strictness == Strictness::all && !imported->lost.empty())
        return fail(Errc::unsupported,
                    fmt::format("without --strict this is imported all the same; it would not be "
                                "as it was:\n  {}",
                                fmt::join(imported->lost, "\n  ")));
    return std::move(imported->text);
}

void add_config(CLI::App& app, const Chosen& chosen) {
    CLI::App& config = *app.add_subcommand("config", "Configurations of others");
    config.require_subcommand(1);
    CLI::App& command = *config.add_subcommand(
        "import",
        "Print hawkerd's configuration made of a Dragonfly dfdaemon's; its comments say what has "
        "no counterpart, and why");
    const auto file = std::make_shared<std::string>();
    const auto strict = std::make_shared<bool>(false);
    command
        .add_option("file", *file,
                    "dfdaemon.yaml, dfget.yaml, or a Helm chart's values; -: standard input")
        ->required()
        ->type_name("FILE");
    command.add_flag("--strict", *strict,
                     "Print no configuration and end with 1 when something would not be as it was");
    command.callback([file, strict, chosen] {
        chosen([file, strict](Output) {
            return import_config(*file, *strict ? Strictness::all : Strictness::none);
        });
    });
}

}  // namespace

void add_local_commands(CLI::App& app, const Chosen& chosen) {
    add_ca(app, chosen);
    add_config(app, chosen);
    add_environment(app, chosen);
}

}  // namespace hawker::cli
