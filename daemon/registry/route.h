// What a request to an OCI registry asks for, told by its path alone. Pure.
#pragma once

#include "base/digest.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hawker::registry {

enum class Subject : std::uint8_t {
    base,       // /v2/: is this a registry, and who are you?
    manifest,   // /v2/<name>/manifests/<reference>
    blob,       // /v2/<name>/blobs/<digest>
    tags,       // /v2/<name>/tags/list
    referrers,  // /v2/<name>/referrers/<digest>
    catalog,    // /v2/_catalog
    other,      // everything else: passed on
};

struct Route {
    Subject subject = Subject::other;
    std::string name;              // of the repository: "library/debian"
    std::string reference;         // a tag or a digest, as a registry writes it
    std::optional<Digest> digest;  // where the reference is a SHA-256
};

// `target`: path and query.
Route route_of(std::string_view target);

// /v2 and everything below it.
bool is_registry_target(std::string_view target);

// "sha256:" and 64 lower-case hexadecimal digits; nullopt for everything else.
std::optional<Digest> parse_digest(std::string_view text);
std::string digest_text(const Digest& digest);

}  // namespace hawker::registry
