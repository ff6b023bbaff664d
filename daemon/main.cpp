// hawkerd: reads the configuration, then runs the one errand it was given.
#include "daemon/command_line.h"
#include "daemon/configuration.h"
#include "daemon/explain.h"
#include "daemon/intercepted_domains.h"
#include "daemon/interceptions.h"
#include "daemon/option_docs.h"
#include "daemon/server.h"
#include "daemon/shipped_rules.h"
#include "daemon/signals.h"

#include <cstdio>
#include <exception>

#include <fmt/format.h>
#include <unistd.h>

namespace hawker::daemon {

namespace {

constexpr int kBadConfiguration = 2;
constexpr int kCannotStart = 1;
constexpr int kNotLiteral = 3;

int serve(const CommandLine& line, Configuration configuration) {
    block_signals();  // before the log starts its thread
    auto log = Log::open(log_options(configuration.options));
    if (!log) {
        fmt::print(stderr, "hawkerd: {}\n", log.error().what);
        return kCannotStart;
    }
    auto server = Server::create(line, ::environ, std::move(configuration), **log);
    if (server) return (*server)->run();
    // Not through the log, which may be a file or off: who started us is still looking.
    fmt::print(stderr, "hawkerd: {}\n", server.error().what);
    return server.error().code == Errc::denied ? kBadConfiguration : kCannotStart;
}

int print_intercepted(const Configuration& configuration) {
    const auto domains = intercepted_domains(configuration);
    if (!domains) {
        fmt::print(stderr, "hawkerd: {}\n", domains.error().what);
        return kNotLiteral;
    }
    for (const std::string& domain : *domains) fmt::print("{}\n", domain);
    return 0;
}

int check(const Configuration& configuration) {
    const auto authority = read_authority(configuration.options, SystemClock().wall());
    const auto certificates = check_certificates(configuration.listeners);
    if (!authority || !certificates) {
        fmt::print(stderr, "hawkerd: {}\n",
                   authority ? certificates.error().what : authority.error().what);
        return kBadConfiguration;
    }
    for (const std::string& remark : configuration.remarks)
        fmt::print(stderr, "hawkerd: {}\n", remark);
    fmt::print("{}: {} rules, ok\n", configuration.name, configuration.rules->rules().size());
    return 0;
}

int run(const CommandLine& line) {
    if (line.errand == Errand::print_default_config) {
        fmt::print("{}\n{}", default_config(), shipped_rules());
        return 0;
    }
    if (line.errand == Errand::print_options_markdown) {
        fmt::print("{}", options_markdown());
        return 0;
    }
    auto configuration = load(line, ::environ);
    if (!configuration) {
        fmt::print(stderr, "hawkerd: {}\n", configuration.error().what);
        return kBadConfiguration;
    }
    switch (line.errand) {
        case Errand::check:
            return check(*configuration);
        case Errand::print_config:
            fmt::print("{}", effective_config(configuration->options));
            return 0;
        case Errand::print_intercepted:
            return print_intercepted(*configuration);
        case Errand::explain: {
            filters::Question question("GET", line.url, line.tag, line.application, line.range);
            fmt::print("{}", explain(*configuration->rules, question));
            return 0;
        }
        default:
            return serve(line, std::move(*configuration));
    }
}

}  // namespace

}  // namespace hawker::daemon

int main(int argc, char** argv) try {
    const auto line = hawker::daemon::parse_command_line(argc, argv);
    if (line) return hawker::daemon::run(*line);
    fmt::print(line.error().exit_code == 0 ? stdout : stderr, "{}", line.error().text);
    return line.error().exit_code;
} catch (const std::exception& problem) {
    std::fputs("hawkerd: ", stderr);
    std::fputs(problem.what(), stderr);
    std::fputs("\n", stderr);
    return 70;  // EX_SOFTWARE
}
