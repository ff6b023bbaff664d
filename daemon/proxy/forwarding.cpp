#include "daemon/proxy/forwarding.h"

#include "filters/query.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

using http::equals_ignoring_case;

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() &&
           equals_ignoring_case(text.substr(0, prefix.size()), prefix);
}

bool is_ours(std::string_view name) {
    return starts_with_ignoring_case(name, "proxy-") ||
           starts_with_ignoring_case(name, "x-hawker-") ||
           starts_with_ignoring_case(name, "x-dragonfly-");
}

// Fields that say who asks. Object stores sign their own x-*- fields, so those go on as they are.
constexpr std::array<std::string_view, 5> kCredentialFields = {
    "Authorization", "Cookie", "Private-Token", "Job-Token", "Deploy-Token"};
constexpr std::array<std::string_view, 7> kSignedPrefixes = {"x-amz-", "x-goog-", "x-ms-", "x-oss-",
                                                             "x-cos-", "x-obs-",  "x-xet-"};
constexpr std::array<std::string_view, 2> kHarmlessFields = {"User-Agent", "Accept"};

bool is_credential(std::string_view name) {
    const auto same = [name](std::string_view known) { return equals_ignoring_case(name, known); };
    const auto begins = [name](std::string_view prefix) {
        return starts_with_ignoring_case(name, prefix);
    };
    return std::ranges::any_of(kCredentialFields, same) ||
           std::ranges::any_of(kSignedPrefixes, begins);
}

bool is_harmless(std::string_view name) {
    const auto same = [name](std::string_view known) { return equals_ignoring_case(name, known); };
    return std::ranges::any_of(kHarmlessFields, same);
}

// Those that an answer which is no content does not hang on: of the connection, of which bytes, of
// how fresh, and what names a request for a log.
bool is_inert(std::string_view name) {
    constexpr auto kInert = std::to_array<std::string_view>(
        {"Accept-Encoding", "Cache-Control", "Connection", "DNT", "Host", "If-Range", "Keep-Alive",
         "Pragma", "Range", "TE", "Traceparent", "Tracestate", "Upgrade-Insecure-Requests", "Via",
         "X-Amzn-Trace-Id", "X-Request-Id"});
    const auto same = [name](std::string_view known) { return equals_ignoring_case(name, known); };
    return std::ranges::any_of(kInert, same) || is_ours(name);
}

// The value of `name=` in an Authorization, up to the next comma, ampersand or closing quote.
std::string_view parameter_of(std::string_view authorization, std::string_view name) {
    for (std::size_t at = 0; at + name.size() < authorization.size(); ++at) {
        const bool begins = at == 0 || std::string_view(" ,&").contains(authorization[at - 1]);
        if (!begins || !equals_ignoring_case(authorization.substr(at, name.size()), name)) continue;
        std::string_view value = authorization.substr(at + name.size());
        if (!value.starts_with('=')) continue;
        value.remove_prefix(1);
        if (value.starts_with('"')) return value.substr(1, value.find('"', 1) - 1);
        return value.substr(0, value.find_first_of(",&"));
    }
    return {};
}

}  // namespace

bool is_read(const http::RequestHead& request) {
    return request.method == "GET" || request.method == "HEAD";
}

void remove_ours(http::Fields& fields) {
    std::vector<std::string> names;
    for (const http::Field& field : fields)
        if (is_ours(field.name)) names.push_back(field.name);
    for (const std::string& name : names) fields.remove(name);
}

http::Fields forwarded_fields(const http::RequestHead& request, std::string_view pseudonym) {
    http::Fields fields = request.fields;
    http::remove_hop_by_hop(fields);
    remove_ours(fields);
    for (const std::string_view ours : {"Host", "Content-Length", "Transfer-Encoding", "Expect"})
        fields.remove(ours);
    fields.add("Via", fmt::format("1.1 {}", pseudonym));
    return fields;
}

http::Fields fetch_fields(const http::RequestHead& request, std::string_view pseudonym) {
    http::Fields fields;
    for (const http::Field& field : request.fields)
        if (is_credential(field.name) || is_harmless(field.name))
            fields.add(field.name, field.value);
    http::remove_hop_by_hop(fields);
    fields.add("Via", fmt::format("1.1 {}", pseudonym));
    return fields;
}

bool fetch_says_all(const http::Fields& fields) {
    return std::ranges::all_of(fields, [](const http::Field& field) {
        return is_credential(field.name) || is_harmless(field.name) || is_inert(field.name);
    });
}

std::string field_to_leave_alone(const http::Fields& fields) {
    if (fields.has("Signature-Input")) return "signature-input";
    for (const std::string_view authorization : fields.all("Authorization")) {
        for (const std::string_view list :
             {"SignedHeaders", "headers", "AdditionalHeaders", "q-header-list"}) {
            std::string_view rest = parameter_of(authorization, list);
            while (!rest.empty()) {
                const std::size_t end = std::min(rest.find_first_of("; "), rest.size());
                const std::string_view name = rest.substr(0, end);
                rest.remove_prefix(std::min(end + 1, rest.size()));
                const bool stays = name.empty() || equals_ignoring_case(name, "host") ||
                                   name == "(request-target)" || is_credential(name) ||
                                   is_harmless(name);
                if (!stays) return filters::lower_case(name);
            }
        }
    }
    return {};
}

std::string principal_of(const http::RequestHead& request, const filters::Decision& decision) {
    std::string principal = decision.credentials;
    for (const http::Field& field : request.fields) {
        if (!is_credential(field.name)) continue;
        const std::string name = filters::lower_case(field.name);
        principal += fmt::format("\n{}:{}:{}", name, field.value.size(), field.value);
    }
    return principal;
}

bool has_looped(const http::Fields& fields, std::string_view pseudonym) {
    const std::string via = fields.joined("Via");
    std::string_view rest = via;
    while (!rest.empty()) {
        std::string_view member = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), member.size() + 1));
        while (member.starts_with(' ')) member.remove_prefix(1);
        const auto by = member.find(' ');
        if (by == std::string_view::npos) continue;
        member.remove_prefix(by + 1);
        if (equals_ignoring_case(member.substr(0, member.find(' ')), pseudonym)) return true;
    }
    return false;
}

void make_relayable(http::ResponseHead& head, std::string_view pseudonym) {
    http::remove_hop_by_hop(head.fields);
    remove_ours(head.fields);
    head.fields.add("Via", fmt::format("1.1 {}", pseudonym));
}

}  // namespace hawker::proxy
