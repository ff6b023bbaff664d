#include "filters/signature_terms.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace hawker::filters {

namespace {

using Seconds = std::int64_t;

// Far beyond any date, far below overflow when two are added.
constexpr Seconds kLargest = 1'000'000'000'000;

std::optional<Seconds> number(std::string_view digits) {
    if (digits.empty() || digits.size() > 12) return std::nullopt;
    Seconds value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        value = 10 * value + (c - '0');
    }
    return std::min(value, kLargest);
}

// "20240131T235959Z" and "2024-01-31T23:59:59Z", also without the time or the seconds, as Azure
// allows.
std::optional<Seconds> date(std::string_view text) {
    std::string digits;
    for (const char c : text.substr(0, 32)) {
        if (c >= '0' && c <= '9')
            digits += c;
        else if (c == '.')
            break;
        else if (c != '-' && c != ':' && c != 'T' && c != 'Z')
            return std::nullopt;
    }
    if (digits.size() == 8) digits += "0000";
    if (digits.size() == 12) digits += "00";
    if (digits.size() != 14) return std::nullopt;
    const std::string_view view = digits;
    const auto field = [view](std::size_t at, std::size_t length) {
        return static_cast<int>(number(view.substr(at, length)).value_or(0));
    };
    const std::chrono::year_month_day day(std::chrono::year(field(0, 4)),
                                          std::chrono::month(static_cast<unsigned>(field(4, 2))),
                                          std::chrono::day(static_cast<unsigned>(field(6, 2))));
    if (!day.ok() || field(8, 2) > 24 || field(10, 2) > 59 || field(12, 2) > 60)
        return std::nullopt;
    const Seconds days = std::chrono::sys_days(day).time_since_epoch().count();
    return ((days * 24 + field(8, 2)) * 60 + field(10, 2)) * 60 + field(12, 2);
}

// CloudFront's own Base64: '-' for '+', '_' for '=', '~' for '/'.
std::string decode_policy(std::string_view text) {
    std::string out;
    unsigned bits = 0;
    int held = 0;
    for (const char c : text) {
        unsigned value = 0;
        if (c >= 'A' && c <= 'Z')
            value = static_cast<unsigned>(c - 'A');
        else if (c >= 'a' && c <= 'z')
            value = static_cast<unsigned>(c - 'a') + 26;
        else if (c >= '0' && c <= '9')
            value = static_cast<unsigned>(c - '0') + 52;
        else if (c == '-' || c == '+')
            value = 62;
        else if (c == '~' || c == '/')
            value = 63;
        else
            break;
        bits = (bits << 6U | value) & 0xFFFFFU;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        out += static_cast<char>(bits >> static_cast<unsigned>(held) & 0xFFU);
    }
    return out;
}

// {"Statement":[{...,"Condition":{"DateLessThan":{"AWS:EpochTime":1700000000}}}]}
std::optional<Seconds> policy_end(std::string_view encoded) {
    const std::string policy = decode_policy(encoded);
    const std::size_t condition = policy.find("\"DateLessThan\"");
    if (condition == std::string::npos) return std::nullopt;
    const std::size_t key = policy.find("\"AWS:EpochTime\"", condition);
    if (key == std::string::npos) return std::nullopt;
    const std::size_t first = policy.find_first_of("0123456789", key);
    if (first == std::string::npos) return std::nullopt;
    const std::size_t last = std::min(policy.find_first_not_of("0123456789", first), policy.size());
    return number(std::string_view(policy).substr(first, last - first));
}

const Parameter* find(std::span<const Parameter* const> parameters, std::string_view lower_name) {
    for (const Parameter* parameter : parameters)
        if (parameter->lower_name == lower_name) return parameter;
    return nullptr;
}

// Nearly no value is coded.
std::string_view decoded(std::string_view value, std::string& room) {
    if (std::ranges::none_of(value, [](char c) { return c == '%' || c == '+'; })) return value;
    room = decode_value(value);
    return room;
}

std::optional<Seconds> begin_plus_lifetime(std::span<const Parameter* const> parameters,
                                           std::string_view begin_name,
                                           std::string_view lifetime_name) {
    const Parameter* const lifetime = find(parameters, lifetime_name);
    if (lifetime == nullptr) return std::nullopt;
    std::string room;
    const auto seconds = number(decoded(lifetime->value, room));
    const Parameter* const begin = find(parameters, begin_name);
    // OSS V2 writes the end itself where V4 writes a lifetime.
    if (begin == nullptr) return lifetime_name == "x-oss-expires" ? seconds : std::nullopt;
    const auto from = date(decoded(begin->value, room));
    if (!from || !seconds) return std::nullopt;
    return *from + *seconds;
}

std::string_view after(std::string_view text, char separator) {
    const std::size_t found = text.find(separator);
    return found == std::string_view::npos ? std::string_view() : text.substr(found + 1);
}

constexpr std::array<std::string_view, 7> kEnds = {"expires",     "policy",     "se",      "ske",
                                                   "q-sign-time", "q-key-time", "auth_key"};

std::optional<Seconds> end_named_by(const Parameter& parameter) {
    const std::string_view name = parameter.lower_name;
    if (std::ranges::find(kEnds, name) == kEnds.end()) return std::nullopt;
    std::string room;
    const std::string_view text = decoded(parameter.value, room);
    if (name == "expires") return number(text);
    if (name == "policy") return policy_end(text);
    if (name == "se" || name == "ske") return date(text);
    if (name == "q-sign-time" || name == "q-key-time") return number(after(text, ';'));
    // Alibaba counts its validity from this time on, but does not say in the URL how long it is.
    if (name == "auth_key") return number(text.substr(0, text.find('-')));
    return std::nullopt;
}

// X-Amz-SignedHeaders and its like of Google, Huawei, Volcengine; Alibaba's; Tencent's.
bool lists_fields(std::string_view lower_name) {
    return lower_name.ends_with("-signedheaders") || lower_name.ends_with("-additional-headers") ||
           lower_name == "q-header-list";
}

bool is_field_name(std::string_view text) {
    return text.size() <= 64 && std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
           });
}

// Host is the one field that reaches the origin as the client wrote it, whatever we do.
std::string other_field_than_host(std::string_view list, RangeField range) {
    while (!list.empty()) {
        const std::size_t end = std::min(list.find_first_of("; ,"), list.size());
        const std::string_view field = list.substr(0, end);
        const bool goes_on = field == "host" || (field == "range" && range == RangeField::kept);
        if (!field.empty() && !goes_on)
            return is_field_name(field) ? std::string(field) : "unknown";
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return {};
}

}  // namespace

std::optional<std::int64_t> signature_end(std::span<const Parameter* const> stripped) {
    std::optional<Seconds> earliest;
    const auto consider = [&earliest](std::optional<Seconds> end) {
        if (end && (!earliest || *end < *earliest)) earliest = end;
    };
    consider(begin_plus_lifetime(stripped, "x-amz-date", "x-amz-expires"));
    consider(begin_plus_lifetime(stripped, "x-goog-date", "x-goog-expires"));
    consider(begin_plus_lifetime(stripped, "x-oss-date", "x-oss-expires"));
    for (const Parameter* parameter : stripped) consider(end_named_by(*parameter));
    return earliest;
}

std::string signed_field(std::span<const Parameter> parameters, RangeField range) {
    for (const Parameter& parameter : parameters) {
        if (parameter.lower_name == "x-xet-signed-range" && range == RangeField::ours)
            return "range";
        if (!lists_fields(parameter.lower_name)) continue;
        std::string field = other_field_than_host(lower_case(decode_value(parameter.value)), range);
        if (!field.empty()) return field;
    }
    return {};
}

}  // namespace hawker::filters
