// Heads and bytes of manifests and blobs: what their digest says, what a client accepts. Pure.
#pragma once

#include "base/digest.h"
#include "base/error.h"
#include "daemon/http/message.h"

#include <optional>
#include <string>
#include <string_view>

namespace hawker::registry {

// The same text for every Accept that lists the same types: an answer to a tag depends on it.
std::string accepted_types(const http::Fields& fields);

// Is `body` what was asked for by `wanted`, and what its own head says? Puts Docker-Content-Digest
// there if it was missing. False: nobody can tell (signed manifests of schema 1 are not named by
// their bytes), so it is passed on, not kept. Errc::corrupt: it is something else.
Expected<bool> check_manifest(http::ResponseHead& head, std::string_view body,
                              const std::optional<Digest>& wanted);

// The same for tags, referrers and the catalog: JSON, whoever made it.
Expected<bool> check_listing(const http::ResponseHead& head, std::string_view body);

// The SHA-256 that a head names; nullopt when it names none.
std::optional<Digest> digest_in(const http::ResponseHead& head);

// Of a blob, whichever store sent it: what belongs to the bytes stays, and they are named by their
// digest.
void make_blob_head(http::ResponseHead& head, const Digest& digest);

// An error as the specification has it: clients print the sentence.
std::string error_document(int status, std::string_view sentence);

// A challenge that asks for Basic credentials, not for a token of somebody else's.
bool asks_for_basic(const http::ResponseHead& head);

}  // namespace hawker::registry
