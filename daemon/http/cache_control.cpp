#include "daemon/http/caching.h"
#include "daemon/http/grammar.h"

#include <algorithm>
#include <array>

namespace hawker::http {

namespace {

using std::chrono::seconds;

struct Directive {
    std::string_view name;
    std::optional<std::string_view> argument;
};

Directive directive_of(std::string_view member) {
    const std::size_t equals = member.find('=');
    Directive directive;
    directive.name = trim(member.substr(0, equals));
    if (equals != std::string_view::npos)
        directive.argument = unquoted(trim(member.substr(equals + 1)));
    return directive;
}

constexpr seconds kMostDelta(1LL << 31);

// delta-seconds; beyond 2^31 is 2^31 (RFC 9111 section 1.2.2), and what is no number is stale
// already (section 4.2.1).
seconds delta_seconds(std::optional<std::string_view> argument) {
    constexpr auto kMost = static_cast<std::uint64_t>(kMostDelta.count());
    return seconds(std::min(parse_decimal(argument.value_or("")).value_or(0), kMost));
}

struct Flag {
    std::string_view name;
    bool CacheControl::* member;
};
// `no-cache="..."` and `private="..."` with field names count as the bare directive: a cache may be
// that careful.
constexpr std::array kFlags = std::to_array<Flag>({
    {"no-store", &CacheControl::no_store},
    {"no-cache", &CacheControl::no_cache},
    {"private", &CacheControl::is_private},
    {"public", &CacheControl::is_public},
    {"must-revalidate", &CacheControl::must_revalidate},
    {"proxy-revalidate", &CacheControl::proxy_revalidate},
    {"immutable", &CacheControl::immutable},
    {"no-transform", &CacheControl::no_transform},
    {"only-if-cached", &CacheControl::only_if_cached},
    {"must-understand", &CacheControl::must_understand},
});

struct Duration {
    std::string_view name;
    std::optional<seconds> CacheControl::* member;
};
constexpr std::array kDurations = std::to_array<Duration>({
    {"max-age", &CacheControl::max_age},
    {"s-maxage", &CacheControl::s_maxage},
    {"stale-while-revalidate", &CacheControl::stale_while_revalidate},
    {"stale-if-error", &CacheControl::stale_if_error},
});

// Of the two that requests have besides, one permits and one demands.
void apply_to_request(const Directive& directive, CacheControl& control) {
    if (equals_ignoring_case(directive.name, "max-stale")) {
        const seconds value = directive.argument ? delta_seconds(directive.argument) : kMostDelta;
        control.max_stale = std::min(control.max_stale.value_or(value), value);
    }
    if (equals_ignoring_case(directive.name, "min-fresh")) {
        const seconds value = delta_seconds(directive.argument);
        control.min_fresh = std::max(control.min_fresh.value_or(value), value);
    }
}

void apply(const Directive& directive, CacheControl& control) {
    for (const Flag& flag : kFlags)
        if (equals_ignoring_case(directive.name, flag.name)) control.*flag.member = true;
    for (const Duration& duration : kDurations) {
        if (!equals_ignoring_case(directive.name, duration.name)) continue;
        const seconds value = delta_seconds(directive.argument);
        auto& known = control.*duration.member;
        known = known ? std::min(*known, value) : value;
    }
    apply_to_request(directive, control);
}

// What is withheld must not make the rest be kept for longer.
bool is_about_keeping(std::string_view name) {
    return std::ranges::any_of(
        std::to_array<std::string_view>({"Cache-Control", "CDN-Cache-Control", "Expires", "Date"}),
        [name](std::string_view known) { return equals_ignoring_case(name, known); });
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

bool is_dictionary_key(std::string_view key) {
    return !key.empty() && (is_lower(key.front()) || key.front() == '*') &&
           std::ranges::all_of(key, [](char c) {
               return is_lower(c) || is_digit(c) || std::string_view("_-.*").contains(c);
           });
}

bool is_bare_item(std::string_view item) {
    if (item == "?0" || item == "?1") return true;
    if (item.starts_with('"'))
        return item.size() >= 2 && item.ends_with('"') && is_field_value(item);
    const std::string_view digits = item.substr(item.starts_with('-') ? 1 : 0);
    if (parse_decimal(digits)) return digits.size() <= 15;
    const auto is_letter = [](char c) { return is_lower(c) || (c >= 'A' && c <= 'Z') || c == '*'; };
    return !item.empty() && is_letter(item.front()) && std::ranges::all_of(item, [](char c) {
        return is_token_char(c) || c == ':' || c == '/';
    });
}

// One member of a structured dictionary (RFC 8941 section 3.2): key [ "=" item ], its parameters
// dropped. Lists and byte sequences are no cache directive; they fail here.
std::optional<Directive> dictionary_member(std::string_view member) {
    const auto parts = list_members(member, ';');
    if (parts.empty() || member.starts_with(';')) return std::nullopt;
    const std::string_view text = parts.front();
    const std::size_t equals = text.find('=');
    Directive directive;
    directive.name = text.substr(0, equals);
    if (!is_dictionary_key(directive.name)) return std::nullopt;
    if (equals == std::string_view::npos) return directive;
    const std::string_view item = text.substr(equals + 1);
    if (!is_bare_item(item)) return std::nullopt;
    directive.argument = item;
    return directive;
}

std::vector<std::string_view> withheld_by(const Directive& directive) {
    const bool withholds = equals_ignoring_case(directive.name, "no-cache") ||
                           equals_ignoring_case(directive.name, "private");
    if (!withholds || !directive.argument) return {};
    return list_members(*directive.argument);
}

}  // namespace

CacheControl CacheControl::of(const Fields& fields) {
    CacheControl control;
    // Each by itself: a quote that one leaves open must not hide what the next one forbids.
    for (const std::string_view list : fields.all("Cache-Control"))
        for (const std::string_view member : list_members(list))
            apply(directive_of(member), control);
    return control;
}

std::vector<std::string> withheld_fields(const Fields& response) {
    std::vector<std::string> names;
    for (const std::string_view field : {"Cache-Control", "CDN-Cache-Control"}) {
        for (const std::string_view list : response.all(field))
            for (const std::string_view member : list_members(list))
                for (const std::string_view name : withheld_by(directive_of(member)))
                    if (!is_about_keeping(name)) names.emplace_back(name);
    }
    return names;
}

CacheControl CacheControl::governing(const Fields& response) {
    const auto its = targeted(response);
    return its ? *its : of(response);
}

std::optional<CacheControl> CacheControl::targeted(const Fields& response) {
    const std::string list = response.joined("CDN-Cache-Control");
    const auto members = list_members(list);
    if (members.empty()) return std::nullopt;
    CacheControl control;
    for (const std::string_view member : members) {
        const auto directive = dictionary_member(member);
        if (!directive) return std::nullopt;
        if (directive->argument != "?0") apply(*directive, control);
    }
    return control;
}

}  // namespace hawker::http
