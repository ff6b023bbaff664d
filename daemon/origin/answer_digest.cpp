#include "base/base64.h"
#include "daemon/origin/answer_check.h"
#include "daemon/origin/grammar.h"

#include <algorithm>
#include <array>
#include <span>

namespace hawker::origin {

namespace {

// Exactly 32 bytes.
std::optional<Digest> digest_of(std::string_view base64) {
    const auto bytes = from_base64(base64);
    Digest digest;
    if (!bytes || bytes->size() != digest.bytes.size()) return std::nullopt;
    std::ranges::copy(std::as_bytes(std::span(*bytes)), digest.bytes.begin());
    return digest;
}

// The value of sha-256 in "sha-512=..., sha-256=...".
std::string_view sha256_member(std::string_view list) {
    constexpr std::string_view kName = "sha-256=";
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        const std::string_view member = trimmed(list.substr(0, comma));
        if (http::equals_ignoring_case(member.substr(0, kName.size()), kName))
            return member.substr(kName.size());
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return {};
}

std::optional<Digest> in_repr_digest(std::string_view list) {
    std::string_view value = sha256_member(list);
    if (value.size() < 2 || value.front() != ':' || value.back() != ':') return std::nullopt;
    return digest_of(value.substr(1, value.size() - 2));
}

std::optional<Digest> in_linked_etag(std::string_view value) {
    if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::nullopt;
    return Digest::from_hex(value.substr(1, value.size() - 2));
}

std::optional<Digest> in_docker_digest(std::string_view value) {
    constexpr std::string_view kName = "sha256:";
    if (!value.starts_with(kName)) return std::nullopt;
    return Digest::from_hex(value.substr(kName.size()));
}

}  // namespace

std::optional<Digest> digest_told(const http::Fields& fields) {
    const std::array told = {
        in_repr_digest(fields.joined("Repr-Digest")),
        digest_of(sha256_member(fields.joined("Digest"))),
        in_docker_digest(fields.get("Docker-Content-Digest").value_or("")),
        in_linked_etag(fields.get("X-Linked-Etag").value_or("")),
    };
    std::optional<Digest> first;
    for (const auto& digest : told) {
        if (!digest) continue;
        if (first && *first != *digest) return std::nullopt;
        first = digest;
    }
    return first;
}

}  // namespace hawker::origin
