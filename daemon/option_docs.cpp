#include "daemon/option_docs.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hawker::daemon {

namespace {

constexpr std::size_t kColumns = 100;

std::string_view section_of(const Option& option) {
    const std::size_t dot = option.key.find('.');
    return dot == std::string_view::npos ? std::string_view() : option.key.substr(0, dot);
}

std::string_view name_of(const Option& option) {
    const std::size_t dot = option.key.find('.');
    return dot == std::string_view::npos ? option.key : option.key.substr(dot + 1);
}

std::string_view name_of(Reload reload) { return reload == Reload::live ? "live" : "restart"; }

// As it stands in a YAML file. What is not a plain word there is quoted.
std::string yaml_value(const Option& option) {
    if (option.type == Type::list)
        return fmt::format("[{}]",
                           option.fallback.empty() ? "" : fmt::format("\"{}\"", option.fallback));
    return option.fallback.empty() ? "\"\"" : std::string(option.fallback);
}

constexpr std::string_view kFileIntroduction =
    "# The configuration of hawkerd. Every option is shown at its default, commented out; take the "
    "'#' away to set one.\n"
    "# Sizes: 64KiB, 4MiB, 1.5GiB, 500MB. Durations: 250ms, 30s, 10m, 24h, 7d. 'live': taken over "
    "by `systemctl reload hawkerd`\n"
    "# (SIGHUP); 'restart': only at start. Each option is also a flag (--cache.max_size=1TiB) and "
    "an environment variable\n"
    "# (HAWKER_CACHE_MAX_SIZE=1TiB): flags win over the environment, the environment over this "
    "file.\n"
    "# `hawkerd --check --config FILE` says whether a file is good, `hawkerd --print-config` what "
    "holds and why.\n";

constexpr std::string_view kMarkdownIntroduction =
    "# Configuration\n\n"
    "<!-- Made by `hawkerd --print-options-markdown` from daemon/option_table.cpp: change that, "
    "then run `make docs`. -->\n\n"
    "Every option can be set in four places; the first one that speaks wins:\n\n"
    "1. a flag: `hawkerd --cache.max_size=1TiB`\n"
    "2. the environment: `HAWKER_CACHE_MAX_SIZE=1TiB`\n"
    "3. the file given by `--config FILE` (or `HAWKER_CONFIG`): `cache: {max_size: 1TiB}`\n"
    "4. the default\n\n"
    "`hawkerd --print-config` prints what holds and where it came from; `hawkerd --check` "
    "validates a file. An unknown key is an\n"
    "error that names its line and the nearest known key. Options marked *live* are taken over on "
    "SIGHUP (`systemctl reload\n"
    "hawkerd`) without touching a running transfer; a file with an error changes nothing. Those "
    "marked *restart* count at start.\n\n"
    "Sizes are written `64KiB`, `4MiB`, `1.5GiB`, `500MB` or in bytes; durations `250ms`, `30s`, "
    "`10m`, `24h`, `7d` or in\n"
    "seconds. Lists are YAML lists, or one text with commas; a flag may also be given several "
    "times.\n\n"
    "`origins:` is a list of exceptions: how single hosts are reached. The first member whose "
    "`hosts` match holds; what it does\n"
    "not speak of is as everywhere else.\n\n"
    "```yaml\n"
    "origins:\n"
    "  - hosts: [git.corp.example, \"*.lab.example\"]\n"
    "    ca_file: /etc/hawker/corp.pem           # instead of origin.ca_file\n"
    "    client_certificate: /etc/hawker/us.pem  # and client_key (or both in one file)\n"
    "    client_key: /etc/hawker/us.key          # nobody else may read it\n"
    "    proxy: none                             # or http://user:password@host:port\n"
    "    connect_to: [10.0.0.7]                  # instead of what DNS says\n"
    "    source_address: [10.0.0.2]\n"
    "  - hosts: [old.lab.example]\n"
    "    insecure: true                          # no check of its certificate; warned of at "
    "start\n"
    "```\n\n"
    "The `rules:` of the file are described in `etc/hawker.yaml`. A file without `rules:` gets the "
    "shipped ones; `rules: []`\n"
    "is no rules at all. Its `listeners:` are described in `docs/listeners.md`,\n"
    "its `mirrors:` in `docs/mirrors.md`, its `users:` in `docs/users.md`.\n";

}  // namespace

std::string wrapped(std::string_view text, std::string_view prefix, std::size_t columns) {
    std::string out;
    std::string line(prefix);
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        if (line.size() > prefix.size() && line.size() + 1 + word.size() > columns) {
            out += line + '\n';
            line = prefix;
        }
        if (line.size() > prefix.size()) line += ' ';
        line += word;
    }
    return out + line;
}

std::string default_config() {
    std::string out(kFileIntroduction);
    std::string_view section;
    for (const Option& option : option_table()) {
        const std::string_view indent = section_of(option).empty() ? "" : "  ";
        out += '\n';
        if (section_of(option) != section)
            out += fmt::format("{}:\n", section = section_of(option));
        out += wrapped(option.help, fmt::format("{}# ", indent), kColumns) + '\n';
        out += fmt::format("{}# {}; {}\n", indent, describe_type(option), name_of(option.reload));
        out += fmt::format("{}#{}: {}\n", indent, name_of(option), yaml_value(option));
    }
    return out;
}

std::string options_markdown() {
    std::string out(kMarkdownIntroduction);
    std::string_view section = "-";
    for (const Option& option : option_table()) {
        if (section_of(option) != section) {
            section = section_of(option);
            out += fmt::format("\n## {}\n",
                               section.empty() ? "General" : fmt::format("`{}`", section));
        }
        const std::string fallback =
            option.fallback.empty() ? "empty" : fmt::format("`{}`", option.fallback);
        out += fmt::format("\n### `{}`\n\n{}; default {}; {}; `{}`\n\n", option.key,
                           describe_type(option), fallback, name_of(option.reload),
                           environment_name(option.key));
        out += wrapped(option.help, "", kColumns) + '\n';
    }
    return out;
}

std::string effective_config(const Options& options) {
    std::string out;
    for (const Option& option : option_table()) {
        std::string value = format_value(option, options.value(option.key));
        if (option.secret && !value.empty()) value = "(set)";
        const std::string line = fmt::format("{} = {}", option.key, value);
        out += fmt::format("{:<48} # {}\n", line, options.where(option.key));
    }
    return out;
}

}  // namespace hawker::daemon
