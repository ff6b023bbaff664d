// Words for a shell to read back exactly as they are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hawker::cli {

enum class Shell : std::uint8_t { sh, fish };

// `word` itself where no shell sees more in it than letters, else in single quotes.
std::string shell_word(std::string_view word, Shell shell = Shell::sh);
// A line that sets and exports one variable.
std::string exported(std::string_view name, std::string_view value, Shell shell);

}  // namespace hawker::cli
