#include "filters/rule.h"

#include <fmt/format.h>

namespace hawker::filters {

std::string_view name_of(Policy policy) {
    switch (policy) {
        case Policy::immutable:
            return "immutable";
        case Policy::http:
            return "http";
        case Policy::bypass:
            return "bypass";
    }
    return "unknown";
}

std::string_view name_of(Access access) {
    switch (access) {
        case Access::verify:
            return "verify";
        case Access::capability:
            return "capability";
        case Access::shared:
            return "shared";
    }
    return "unknown";
}

std::string_view name_of(OnUnverifiable choice) {
    switch (choice) {
        case OnUnverifiable::deny:
            return "deny";
        case OnUnverifiable::serve:
            return "serve";
    }
    return "unknown";
}

Expected<Policy> parse_policy(std::string_view word) {
    for (const Policy policy : {Policy::immutable, Policy::http, Policy::bypass})
        if (word == name_of(policy)) return policy;
    return fail(Errc::invalid,
                fmt::format("'{}' is not a policy: immutable, http or bypass", word));
}

Expected<Access> parse_access(std::string_view word) {
    for (const Access access : {Access::verify, Access::capability, Access::shared})
        if (word == name_of(access)) return access;
    return fail(Errc::invalid,
                fmt::format("'{}' is not an access mode: verify, capability or shared", word));
}

Expected<OnUnverifiable> parse_on_unverifiable(std::string_view word) {
    for (const OnUnverifiable choice : {OnUnverifiable::deny, OnUnverifiable::serve})
        if (word == name_of(choice)) return choice;
    return fail(Errc::invalid, fmt::format("'{}' is not a choice: deny or serve", word));
}

}  // namespace hawker::filters
