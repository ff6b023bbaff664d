// Single values of a dfdaemon's file, as dfdaemon read them.
//
// Thread:  any; pure.
// Failure: nullopt for what is no such value.
#pragma once

#include "cli/dragonfly_keys.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::cli {

// As ours are written: "500gib" is "500GiB", nothing at all "0". Units without an `i` count in
// 1024s in the Go era, in 1000s in the Rust one.
std::optional<std::string> size_of(Era era, std::string_view text);
std::optional<std::uint64_t> count_of(std::string_view text);
// "80", "80.0", "80%": from 1 to 100.
std::optional<double> percent_of(std::string_view text);
// "True", "off", ...
std::optional<bool> flag_of(std::string_view text);

// Hosts that an expression names without any doubt: "cdn\.example(:443)?". Where it does not
// say that a host begins with it, those below count too.
std::vector<std::string> hosts_of(std::string expression);

}  // namespace hawker::cli
