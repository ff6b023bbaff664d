// The effective options of one run: every row of the table with its value and where that came from.
//
// Thread: immutable after resolve().
#pragma once

#include "base/error.h"
#include "daemon/option_table.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::daemon {

// One place that says something about one option.
struct Assignment {
    std::string key;
    std::vector<std::string> parts;  // one, or the members of a list
    std::string where;  // "etc/hawker.yaml:12", "environment HAWKER_LISTEN", "flag --listen"
};

class Options {
public:
    // Later assignments win: hand over the file's first, then the environment's, then the flags'.
    // Errc::invalid names the place, the option and what was expected there, also for an assignment
    // that a later one replaces.
    static Expected<Options> resolve(std::span<const Assignment> assignments);

    // The option must be a row of that type (asserted).
    std::uint64_t size(std::string_view key) const;
    std::chrono::milliseconds duration(std::string_view key) const;
    double number(std::string_view key) const;
    std::size_t count(std::string_view key) const;  // a whole number
    bool flag(std::string_view key) const;
    const std::string& text(std::string_view key) const;  // texts and choices
    const std::vector<std::string>& list(std::string_view key) const;

    const Value& value(std::string_view key) const;
    // "default", or the place of the assignment that won.
    const std::string& where(std::string_view key) const;

private:
    struct Effective {
        Value value;
        std::string where;
    };
    std::map<std::string, Effective, std::less<>> effective_;
};

// "unknown option 'cache.max_sise'; did you mean 'cache.max_size'?"
std::string unknown_option(std::string_view key);

// The assignments that a process environment holds, in the order of the table. A HAWKER_ variable
// that is no option's is put into `strangers` as a sentence: it is worth a warning, but not more,
// because others name variables so as well (Kubernetes sets HAWKER_PORT for a service called
// hawker).
std::vector<Assignment> read_environment(const char* const* environment,
                                         std::vector<std::string>& strangers);

// The restart-only options whose values differ, in the order of the table.
std::vector<std::string> restart_only_changes(const Options& before, const Options& after);

}  // namespace hawker::daemon
