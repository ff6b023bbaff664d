// Request in, Decision out: the one question that filters/ answer. Pure: no clock, no socket, no
// file.
#pragma once

#include "base/byte_range.h"
#include "base/digest.h"
#include "filters/rule.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hawker::filters {

// What the client said that can change a decision.
struct Question {
    std::string_view method;
    std::string_view url;           // absolute, exactly as received
    std::string_view tag;           // part of the key; empty when absent
    std::string_view application;   // part of the key; empty when absent
    std::string_view range;         // the Range field; empty when there is none
    std::string_view variant = {};  // part of the key; whatever else makes it another task
    std::span<const std::string> strip = {};  // instead of the rule's; empty: as the rule says
    bool without_rule = false;                // cache a GET although no rule matches
};

// Response fields that the query string of this very request asks for (`response-content-type`,
// `rsct`, `FileName`, ...). They are not part of the key, and are applied to the response of the
// request that carries them.
struct ResponseOverrides {
    std::optional<std::string> content_type;
    std::optional<std::string> content_disposition;
    std::optional<std::string> cache_control;
    std::optional<std::string> content_language;
    std::optional<std::string> expires;
    bool empty() const;
};

enum class Road : std::uint8_t {
    pass,   // no rule, a rule that says bypass, a method that is not GET or HEAD, a URL nobody can
            // key
    cache,  // look up, join or fetch
};

struct Decision {
    // As it began, but with room for texts as long as they usually are: what is decided into it
    // next asks the heap for nothing.
    void clear();

    Road road = Road::pass;
    std::shared_ptr<const Rule> rule;  // null when none matched
    // Set when road == cache:
    TaskId task_id;
    std::string canonical_url;
    std::optional<Digest> digest;  // the URL names its content; a name until the bytes hash to it
    // With `key.range`: what is cached is these bytes of what the URL names, and nothing else of it
    // may be asked for.
    std::optional<ByteRange> part;
    ResponseOverrides overrides;
    // `name=value` of everything that was stripped, in order of appearance: who asks. Overrides are
    // among them, because the signature covers them: whoever asks for another Content-Type than he
    // was given a link for is another principal. Secret: only ever hashed.
    std::string credentials;
    // When the signature says that it ends; nullopt when it does not say (Unix seconds).
    std::optional<std::int64_t> credentials_expire;
    // A request field besides Host that the signature covers (`range`, ...): we would change or
    // drop it, so road == pass.
    std::string signed_field;
    // What the rules were matched against; empty where it is no URL.
    std::string normal_form;
    // Set always:
    std::string
        origin_url;      // what the origin is asked for: as received, with the rule's origin_scheme
    std::string reason;  // one sentence: why this road; for --explain and Cache-Status detail
};

// The name of a task: SHA-256 over "hawker task v1" and these fields, each with its length before
// it.
TaskId task_id_of(std::string_view canonical_url, std::string_view tag,
                  std::string_view application);

// The name of a part: the first 20 bytes of the name of the whole, then where it begins and what
// its last byte is (6 bytes each, highest first). So the parts of one thing stand side by side in
// the order of their names, and one that covers another can be found.
TaskId task_id_of(const TaskId& whole, ByteRange part);
// The part that `id` names, when it is one of the same whole as `sibling`; else nullopt.
std::optional<ByteRange> sibling_part(const TaskId& id, const TaskId& sibling);
inline constexpr std::uint64_t kPartsEnd = 1ULL << 48U;  // no part reaches beyond

// The names of the parameters that were stripped, in order of appearance; for --explain.
std::vector<std::string> stripped_names(const Decision& decision);

// Scheme, host and path, and parameter names; values only where they are known to be harmless.
// Total: any text gives a printable, secret-free line. A part is named behind a '#'.
std::string loggable_url(std::string_view url, std::optional<ByteRange> part = std::nullopt);
// The same, appended to `out`, in the room that is there; `url` lies elsewhere.
void append_loggable_url(std::string& out, std::string_view url,
                         std::optional<ByteRange> part = std::nullopt);
// The same for every URL, query and user name in a sentence; the other words stay as they are. What
// a library or an origin said goes through this before it is logged or sent.
std::string loggable_text(std::string_view text);

}  // namespace hawker::filters
