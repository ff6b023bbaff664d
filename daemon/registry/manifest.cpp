#include "daemon/registry/manifest.h"

#include "daemon/registry/route.h"
#include "filters/query.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace hawker::registry {

namespace {

constexpr std::string_view kDigestField = "Docker-Content-Digest";

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
    while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
    return text;
}

// Their digest is that of the part that was signed.
bool is_signed_schema_1(const http::ResponseHead& head) {
    return head.fields.get("Content-Type").value_or("").contains("manifest.v1+prettyjws");
}

// A page of a login or a captive portal is neither.
bool looks_like_json(const http::ResponseHead& head, std::string_view body) {
    const std::string type = filters::lower_case(head.fields.get("Content-Type").value_or("json"));
    const std::size_t first = body.find_first_not_of(" \t\r\n");
    const bool is_object = first != std::string_view::npos && body[first] == '{';
    return is_object && (type.contains("json") || type.contains("prettyjws"));
}

std::unexpected<Error> no_registry() {
    return fail(Errc::corrupt,
                "Check this mirror's upstreams: what answers there does not answer as a registry.");
}

}  // namespace

Expected<bool> check_listing(const http::ResponseHead& head, std::string_view body) {
    if (!looks_like_json(head, body)) return no_registry();
    return true;
}

std::string accepted_types(const http::Fields& fields) {
    const std::string joined = fields.joined("Accept");
    std::vector<std::string> types;
    for (std::string_view rest = joined; !rest.empty();) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        if (const std::string_view type = trimmed(rest.substr(0, comma)); !type.empty())
            types.push_back(filters::lower_case(type));
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    std::ranges::sort(types);
    types.erase(std::ranges::unique(types).begin(), types.end());
    return fmt::format("{}", fmt::join(types, ", "));
}

std::optional<Digest> digest_in(const http::ResponseHead& head) {
    return parse_digest(trimmed(head.fields.get(kDigestField).value_or("")));
}

Expected<bool> check_manifest(http::ResponseHead& head, std::string_view body,
                              const std::optional<Digest>& wanted) {
    if (!looks_like_json(head, body)) return no_registry();
    if (is_signed_schema_1(head)) return false;
    const Digest is{sha256_of(body)};
    const auto told = digest_in(head);
    const Digest should_be = wanted.value_or(told.value_or(is));
    if (is != should_be)
        return fail(Errc::corrupt,
                    fmt::format("Ask the registry's owner: what it sends as {} has the digest {}.",
                                digest_text(should_be), digest_text(is)));
    if (told && *told != is)
        return fail(Errc::corrupt, fmt::format("Ask the registry's owner: it calls {} what has the "
                                               "digest {}.",
                                               digest_text(*told), digest_text(is)));
    if (!told && head.fields.has(kDigestField)) return false;  // by another algorithm
    head.fields.set(kDigestField, digest_text(is));
    return true;
}

void make_blob_head(http::ResponseHead& head, const Digest& digest) {
    constexpr std::array<std::string_view, 8> kOfTheBytes = {
        "Content-Length",    "Content-Range", "Accept-Ranges", "Content-Encoding",
        "Transfer-Encoding", "Date",          "Age",           "Last-Modified"};
    http::Fields kept;
    for (const http::Field& field : head.fields) {
        const bool stays = std::ranges::any_of(kOfTheBytes, [&field](std::string_view name) {
            return http::equals_ignoring_case(name, field.name);
        });
        if (stays) kept.add(field.name, field.value);
    }
    kept.add("Content-Type", "application/octet-stream");
    kept.add(kDigestField, digest_text(digest));
    kept.add("ETag", fmt::format("\"{}\"", digest_text(digest)));
    head.fields = std::move(kept);
}

std::string error_document(int status, std::string_view sentence) {
    std::string_view code = "UNKNOWN";
    if (status == 401) code = "UNAUTHORIZED";
    if (status == 403) code = "DENIED";
    if (status == 404) code = "NAME_UNKNOWN";
    if (status == 405) code = "UNSUPPORTED";
    if (status == 429) code = "TOOMANYREQUESTS";
    nlohmann::json error;
    error["code"] = code;
    error["message"] = sentence;
    error["detail"]["said_by"] = "hawker";
    nlohmann::json document;
    document["errors"] = nlohmann::json::array({error});
    return document.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

bool asks_for_basic(const http::ResponseHead& head) {
    const std::string_view challenge = head.fields.get("WWW-Authenticate").value_or("");
    return head.status == 401 && http::equals_ignoring_case(challenge.substr(0, 6), "Basic ");
}

}  // namespace hawker::registry
