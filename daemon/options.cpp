#include "daemon/options.h"

#include "base/nearest_word.h"

#include <algorithm>
#include <array>
#include <cassert>

#include <fmt/format.h>

namespace hawker::daemon {

namespace {

constexpr std::string_view kPrefix = "HAWKER_";
// Read by others: the cli/ program, and main() itself.
constexpr std::array<std::string_view, 3> kOtherVariables = {"HAWKER_ADMIN", "HAWKER_CONFIG",
                                                             "HAWKER_PROXY"};

}  // namespace

Expected<Options> Options::resolve(std::span<const Assignment> assignments) {
    Options options;
    for (const Option& option : option_table()) {
        auto value = parse_value(option, {std::string(option.fallback)});
        assert(value && "a row's default must be of the row's type");
        options.effective_.emplace(option.key, Effective(std::move(*value), "default"));
    }
    for (const Assignment& assignment : assignments) {
        const Option* const option = find_option(assignment.key);
        if (!option)
            return fail(Errc::invalid,
                        fmt::format("{}: {}", assignment.where, unknown_option(assignment.key)));
        auto value = parse_value(*option, assignment.parts);
        if (!value)
            return fail(Errc::invalid, fmt::format("{}: {}: {}", assignment.where, assignment.key,
                                                   value.error().what));
        options.effective_.insert_or_assign(assignment.key,
                                            Effective(std::move(*value), assignment.where));
    }
    return options;
}

const Value& Options::value(std::string_view key) const {
    const auto found = effective_.find(key);
    assert(found != effective_.end() && "no such row in the option table");
    return found->second.value;
}

const std::string& Options::where(std::string_view key) const {
    return effective_.find(key)->second.where;
}

std::uint64_t Options::size(std::string_view key) const {
    return std::get<std::uint64_t>(value(key));
}
std::chrono::milliseconds Options::duration(std::string_view key) const {
    return std::get<std::chrono::milliseconds>(value(key));
}
double Options::number(std::string_view key) const { return std::get<double>(value(key)); }
std::size_t Options::count(std::string_view key) const {
    return static_cast<std::size_t>(number(key));
}
bool Options::flag(std::string_view key) const { return std::get<bool>(value(key)); }
const std::string& Options::text(std::string_view key) const {
    return std::get<std::string>(value(key));
}
const std::vector<std::string>& Options::list(std::string_view key) const {
    return std::get<std::vector<std::string>>(value(key));
}

std::string unknown_option(std::string_view key) {
    std::vector<std::string> known = {"rules", "origins", "listeners", "mirrors", "users"};
    for (const Option& option : option_table()) {
        known.emplace_back(option.key);
        known.emplace_back(option.key.substr(0, option.key.find('.')));
    }
    return fmt::format("unknown option '{}'{}", key, did_you_mean(key, known));
}

std::vector<Assignment> read_environment(const char* const* environment,
                                         std::vector<std::string>& strangers) {
    std::vector<Assignment> assignments;
    std::vector<std::string> known;
    for (const Option& option : option_table()) known.push_back(environment_name(option.key));
    for (; *environment; ++environment) {
        const std::string_view entry = *environment;
        const std::string_view name = entry.substr(0, entry.find('='));
        if (!name.starts_with(kPrefix) || name.size() == entry.size()) continue;
        if (std::ranges::find(kOtherVariables, name) != kOtherVariables.end()) continue;
        const auto found = std::ranges::find(known, name);
        if (found == known.end()) {
            strangers.push_back(fmt::format("environment: {} is no option of ours{}", name,
                                            did_you_mean(name, known)));
            continue;
        }
        const Option& option = option_table()[static_cast<std::size_t>(found - known.begin())];
        std::vector<std::string> parts;
        parts.emplace_back(entry.substr(name.size() + 1));
        assignments.emplace_back(std::string(option.key), std::move(parts),
                                 fmt::format("environment {}", name));
    }
    return assignments;
}

std::vector<std::string> restart_only_changes(const Options& before, const Options& after) {
    std::vector<std::string> changed;
    for (const Option& option : option_table())
        if (option.reload == Reload::restart && before.value(option.key) != after.value(option.key))
            changed.emplace_back(option.key);
    return changed;
}

}  // namespace hawker::daemon
