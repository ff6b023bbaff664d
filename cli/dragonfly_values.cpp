#include "cli/dragonfly_values.h"

#include "base/host_pattern.h"
#include "base/units.h"
#include "filters/query.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace hawker::cli {

namespace {

// All of it.
template <typename Number>
std::optional<Number> number_of(std::string_view text) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, number);
    return problem == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

}  // namespace

std::optional<std::string> size_of(Era era, std::string_view text) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::string_view number = text.substr(0, digits);
    std::string unit = filters::lower_case(text.substr(digits));
    std::erase(unit, ' ');
    if (unit.ends_with('b')) unit.pop_back();
    const bool is_binary = unit.ends_with('i') || era == Era::go;
    if (unit.ends_with('i')) unit.pop_back();
    if (unit.size() > 1) return std::nullopt;
    std::string ours(number);
    if (!unit.empty())
        ours +=
            fmt::format("{}{}B", static_cast<char>(unit.front() - 'a' + 'A'), is_binary ? "i" : "");
    const auto bytes = parse_size(ours);
    if (!bytes) return std::nullopt;
    return *bytes == 0 ? "0" : ours;
}

std::optional<std::uint64_t> count_of(std::string_view text) {
    return number_of<std::uint64_t>(text);
}

std::optional<double> percent_of(std::string_view text) {
    if (text.ends_with('%')) text.remove_suffix(1);
    const auto number = number_of<double>(text);
    return number && *number >= 1 && *number <= 100 ? number : std::nullopt;
}

std::optional<bool> flag_of(std::string_view text) {
    constexpr std::array<std::string_view, 3> kOn = {"true", "yes", "on"};
    constexpr std::array<std::string_view, 3> kOff = {"false", "no", "off"};
    const std::string word = filters::lower_case(text);
    if (std::ranges::find(kOn, word) != kOn.end()) return true;
    if (std::ranges::find(kOff, word) != kOff.end()) return false;
    return std::nullopt;
}

std::vector<std::string> hosts_of(std::string expression) {
    const bool begins = expression.starts_with('^');
    if (begins) expression.erase(0, 1);
    if (expression.ends_with('$')) expression.pop_back();
    for (const std::string_view tail : {"(:443)?", ":443"})
        if (expression.ends_with(tail)) expression.resize(expression.size() - tail.size());
    for (std::size_t at = 0; (at = expression.find('\\', at)) != std::string::npos;)
        if (const std::string_view rest = std::string_view(expression).substr(at + 1);
            rest.starts_with('.') || rest.starts_with('-'))
            expression.erase(at, 1);
        else
            return {};  // a class: "\d"
    const bool is_host = std::ranges::all_of(expression, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    });
    if (!is_host || expression.empty() || !HostPattern::parse(expression)) return {};
    if (begins) return {expression};
    return {expression, "*." + expression};
}

}  // namespace hawker::cli
