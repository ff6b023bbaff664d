#include "filters/signature_terms.h"

#include "filters/signed_urls.h"

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
    std::array<int, 14> digits{};
    std::size_t count = 0;
    for (const char c : text.substr(0, 32)) {
        if (c >= '0' && c <= '9') {
            if (count == digits.size()) return std::nullopt;
            digits[count++] = c - '0';
        } else if (c == '.') {
            break;
        } else if (c != '-' && c != ':' && c != 'T' && c != 'Z') {
            return std::nullopt;
        }
    }
    if (count != 8 && count != 12 && count != 14) return std::nullopt;
    const auto pair = [&digits](std::size_t at) { return 10 * digits[at] + digits[at + 1]; };
    const std::chrono::year_month_day day(std::chrono::year(100 * pair(0) + pair(2)),
                                          std::chrono::month(static_cast<unsigned>(pair(4))),
                                          std::chrono::day(static_cast<unsigned>(pair(6))));
    if (!day.ok() || pair(8) > 24 || pair(10) > 59 || pair(12) > 60) return std::nullopt;
    const Seconds days = std::chrono::sys_days(day).time_since_epoch().count();
    return ((days * 24 + pair(8)) * 60 + pair(10)) * 60 + pair(12);
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

// Nearly no value is coded.
std::string_view decoded(std::string_view value, std::string& room) {
    if (!value.contains('%') && !value.contains('+')) return value;
    room = decode_value(value);
    return room;
}

// Of each term the first parameter that has it.
using Terms = std::array<const Parameter*, static_cast<std::size_t>(Term::count)>;

std::optional<Seconds> begin_plus_lifetime(const Terms& terms, Term begins, Term lasts) {
    const Parameter* const lifetime = terms[static_cast<std::size_t>(lasts)];
    if (lifetime == nullptr) return std::nullopt;
    std::string room;
    const auto seconds = number(decoded(lifetime->value, room));
    const Parameter* const begin = terms[static_cast<std::size_t>(begins)];
    // OSS V2 writes the end itself where V4 writes a lifetime.
    if (begin == nullptr) return lasts == Term::oss_lifetime ? seconds : std::nullopt;
    const auto from = date(decoded(begin->value, room));
    if (!from || !seconds) return std::nullopt;
    return *from + *seconds;
}

std::string_view after(std::string_view text, char separator) {
    const std::size_t found = text.find(separator);
    return found == std::string_view::npos ? std::string_view() : text.substr(found + 1);
}

std::optional<Seconds> end_named_by(const Parameter& parameter, Term term) {
    std::string room;
    const std::string_view text = decoded(parameter.value, room);
    switch (term) {
        case Term::end:
            return number(text);
        case Term::policy:
            return policy_end(text);
        case Term::end_date:
            return date(text);
        case Term::begin_and_end:
            return number(after(text, ';'));
        case Term::signing_and_more:
            // Alibaba's CDN writes when it was signed, and how long that holds is the CDN's
            // setting: half an hour where nobody has changed it.
            if (const auto signed_at = number(text.substr(0, text.find('-'))))
                return *signed_at + 1'800;
            return std::nullopt;
        default:
            return std::nullopt;
    }
}

// X-Amz-SignedHeaders and its like of Google, Huawei, Volcengine; Alibaba's; Tencent's.
bool lists_fields(const Parameter& parameter) {
    if (parameter.known != nullptr) return parameter.known->term == Term::signed_fields;
    const auto ends_with = [name = parameter.name()](std::string_view end) {
        return name.size() >= end.size() &&
               equals_ignoring_case(name.substr(name.size() - end.size()), end);
    };
    return ends_with("-signedheaders") || ends_with("-additional-headers");
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
    Terms terms{};
    for (const Parameter* parameter : stripped) {
        if (parameter->known == nullptr || parameter->known->term == Term::none) continue;
        const Term term = parameter->known->term;
        if (auto& first = terms[static_cast<std::size_t>(term)]; first == nullptr)
            first = parameter;
        consider(end_named_by(*parameter, term));
    }
    consider(begin_plus_lifetime(terms, Term::amz_begin, Term::amz_lifetime));
    consider(begin_plus_lifetime(terms, Term::goog_begin, Term::goog_lifetime));
    consider(begin_plus_lifetime(terms, Term::oss_begin, Term::oss_lifetime));
    return earliest;
}

std::string signed_field(std::span<const Parameter> parameters, RangeField range) {
    for (const Parameter& parameter : parameters) {
        const bool is_for_one_range =
            parameter.known != nullptr && parameter.known->term == Term::signed_range;
        if (is_for_one_range && range == RangeField::ours) return "range";
        if (!lists_fields(parameter) || parameter.value == "host") continue;
        std::string field = other_field_than_host(lower_case(decode_value(parameter.value)), range);
        if (!field.empty()) return field;
    }
    return {};
}

}  // namespace hawker::filters
