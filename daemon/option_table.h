// The options of hawkerd, as data: one row each. Everything that speaks of options (flags,
// environment, file, `--help`,
// `--print-config`, etc/hawker.yaml, docs/configuration.md) is made from these rows, so it cannot
// differ from them.
//
// Thread: any; the table is constant.
#pragma once

#include "base/error.h"

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hawker::daemon {

enum class Type : std::uint8_t { size, duration, number, flag, text, list, choice };
enum class Reload : std::uint8_t { live, restart };

// What a number may be.
struct Bounds {
    double least = 0;
    double most = 1e9;
    bool whole = true;
};

struct Option {
    std::string_view key;  // "cache.max_size": section, dot, name; at most one dot
    Type type = Type::text;
    std::string_view unit =
        "";  // what is counted, where the type does not say; the words of a choice: "lru|fifo"
    std::string_view fallback;  // as it would stand in the file; lists with commas
    Reload reload = Reload::live;
    std::string_view help;  // whole sentences
    Bounds bounds = {};     // for numbers
    // A further condition on a text, or on each member of a list. Errc::invalid says what was
    // expected.
    Expected<void> (*check)(const std::string& text) = nullptr;
    // May hold credentials: --print-config says "(set)", and `check` never repeats the text.
    bool secret = false;
};

// In the order in which people should read them: those without a section first, then section after
// section.
std::span<const Option> option_table();
// Null when there is none of that name.
const Option* find_option(std::string_view key);

// Sizes are bytes.
using Value = std::variant<std::uint64_t, std::chrono::milliseconds, double, bool, std::string,
                           std::vector<std::string>>;

// `parts` are the members of a list (each may hold several, separated by commas); other types take
// exactly one. Errc::invalid says what was expected: "'big' is not like 64KiB, 4MiB, 1.5GiB or
// 1024".
Expected<Value> parse_value(const Option& option, const std::vector<std::string>& parts);
// As parse_value() would take it again.
std::string format_value(const Option& option, const Value& value);

// "size", "number of connections", "one of lru, fifo, large-first".
std::string describe_type(const Option& option);

// The environment variable of an option: HAWKER_CACHE_MAX_SIZE.
std::string environment_name(std::string_view key);

}  // namespace hawker::daemon
