// Texts to values and back, by the type of the row.
#include "base/units.h"
#include "daemon/option_table.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hawker::daemon {

namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t end = std::min(text.find(separator, start), text.size());
        parts.push_back(text.substr(start, end - start));
        start = end + 1;
    }
    return parts;
}

std::string_view trim(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

// In place: GCC 12 at -O1 takes the move of a variant, whichever member it holds, for a read of all
// of them, and warns.
template <typename T>
Expected<Value> made(T value) {
    return Expected<Value>(std::in_place, std::in_place_type<T>, std::move(value));
}

template <typename T>
Expected<Value> as_value(Expected<T> parsed) {
    if (!parsed) return fail(std::move(parsed).error());
    return made(*parsed);
}

Expected<Value> parse_number(const Option& option, std::string_view text) {
    const Bounds& bounds = option.bounds;
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, number);
    const bool fits =
        problem == std::errc() && rest == end && number >= bounds.least && number <= bounds.most;
    if (fits && (!bounds.whole || number == std::floor(number))) return made(number);
    return fail(Errc::invalid,
                fmt::format("'{}' is not a {} from {} to {}", text,
                            bounds.whole ? "whole number" : "number", bounds.least, bounds.most));
}

Expected<Value> parse_flag(std::string_view text) {
    for (const std::string_view yes : {"on", "true", "yes"})
        if (text == yes) return made(true);
    for (const std::string_view no : {"off", "false", "no"})
        if (text == no) return made(false);
    return fail(Errc::invalid, fmt::format("'{}' is neither on nor off", text));
}

Expected<Value> parse_choice(const Option& option, std::string_view text) {
    const auto words = split(option.unit, '|');
    if (std::ranges::find(words, text) != words.end()) return made(std::string(text));
    return fail(Errc::invalid, fmt::format("'{}' is not {}", text, describe_type(option)));
}

Expected<Value> parse_text(const Option& option, const std::string& text) {
    if (option.check && !text.empty())
        if (const auto ok = option.check(text); !ok) return fail(ok.error());
    return made(text);
}

Expected<Value> parse_list(const Option& option, const std::vector<std::string>& parts) {
    std::vector<std::string> members;
    for (const std::string& part : parts) {
        for (const std::string_view piece : split(part, ',')) {
            std::string member(trim(piece));
            if (member.empty()) continue;
            if (option.check)
                if (const auto ok = option.check(member); !ok) return fail(ok.error());
            members.push_back(std::move(member));
        }
    }
    return made(std::move(members));
}

}  // namespace

Expected<Value> parse_value(const Option& option, const std::vector<std::string>& parts) {
    if (option.type == Type::list) return parse_list(option, parts);
    if (parts.size() != 1)
        return fail(Errc::invalid, fmt::format("expected one {}, found {} values",
                                               describe_type(option), parts.size()));
    const std::string& text = parts.front();
    switch (option.type) {
        case Type::size:
            return as_value(parse_size(text));
        case Type::duration:
            return as_value(parse_duration(text));
        case Type::number:
            return parse_number(option, text);
        case Type::flag:
            return parse_flag(text);
        case Type::choice:
            return parse_choice(option, text);
        case Type::text:
        case Type::list:
            break;
    }
    return parse_text(option, text);
}

std::string format_value(const Option& option, const Value& value) {
    switch (option.type) {
        case Type::size:
            return format_size(std::get<std::uint64_t>(value));
        case Type::duration:
            return format_duration(std::get<std::chrono::milliseconds>(value));
        case Type::number:
            return fmt::format("{}", std::get<double>(value));
        case Type::flag:
            return std::get<bool>(value) ? "on" : "off";
        case Type::list:
            return fmt::format("{}", fmt::join(std::get<std::vector<std::string>>(value), ", "));
        case Type::text:
        case Type::choice:
            break;
    }
    return std::get<std::string>(value);
}

std::string describe_type(const Option& option) {
    switch (option.type) {
        case Type::size:
            return "size";
        case Type::duration:
            return "duration";
        case Type::number:
            return fmt::format("number ({})", option.unit);
        case Type::flag:
            return "on or off";
        case Type::list:
            return fmt::format("list of {}", option.unit);
        case Type::choice:
            return fmt::format("one of {}", fmt::join(split(option.unit, '|'), ", "));
        case Type::text:
            break;
    }
    return option.unit.empty() ? "text" : std::string(option.unit);
}

std::string environment_name(std::string_view key) {
    std::string name = "HAWKER_";
    for (const char c : key)
        name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return name;
}

}  // namespace hawker::daemon
