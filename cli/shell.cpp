#include "cli/shell.h"

#include <algorithm>

#include <fmt/format.h>

namespace hawker::cli {

namespace {

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-:,@+%").contains(c);
}

}  // namespace

std::string shell_word(std::string_view word, Shell shell) {
    if (!word.empty() && std::ranges::all_of(word, is_plain)) return std::string(word);
    std::string text = "'";
    for (const char c : word) {
        if (shell == Shell::sh && c == '\'')
            text += R"('\'')";
        else if (shell == Shell::fish && (c == '\'' || c == '\\'))
            text += {'\\', c};
        else
            text += c;
    }
    return text + "'";
}

std::string exported(std::string_view name, std::string_view value, Shell shell) {
    return shell == Shell::fish ? fmt::format("set -gx {} {}\n", name, shell_word(value, shell))
                                : fmt::format("export {}={}\n", name, shell_word(value, shell));
}

}  // namespace hawker::cli
