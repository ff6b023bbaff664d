// A rule: which URLs, and what to do with them. `RuleSpec` is what the configuration says; `Rule`
// is one that was checked.
#pragma once

#include "filters/url.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawker::filters {

enum class Policy : std::uint8_t { immutable, http, bypass };
enum class Access : std::uint8_t { verify, capability, shared };
std::string_view name_of(Policy policy);
// What becomes of a hit under `verify` when the origin cannot be asked.
enum class OnUnverifiable : std::uint8_t { deny, serve };
std::string_view name_of(Access access);
std::string_view name_of(OnUnverifiable choice);
// Errc::invalid lists the known words.
Expected<Policy> parse_policy(std::string_view word);
Expected<Access> parse_access(std::string_view word);
Expected<OnUnverifiable> parse_on_unverifiable(std::string_view word);

struct RuleSpec {
    std::string name;  // for log lines and metrics; "rule 3" when the file gives none
    // RE2 over the full URL without fragment, in normal form: scheme and host in lower case, no
    // default port, nothing percent-encoded that need not be. Found anywhere, so a pattern anchors
    // itself.
    std::string match;
    std::vector<std::string>
        strip;  // names, trailing-* patterns, and names of parameter sets ("aws-sigv4")
    std::vector<std::string> keep;  // wins over strip
    bool sort = false;              // two orders of parameters are one object
    // Every range is an object of its own, asked for exactly as the client asked: for URLs that are
    // signed for single ranges. A request without one closed range (bytes=a-b) passes.
    bool range = false;
    std::string
        digest;  // capture group(s) that hold a SHA-256: "sha256", or "a+b+c" when it is split
    // The URL names a content, but not by its SHA-256: that is computed as the bytes come, or said
    // beforehand by a mirror's upstream that leads here.
    bool learn_digest = false;
    // The hosts that match say yes only to those who may read. Only then is what another URL has
    // brought given out for its SHA-256, under `access: verify`.
    bool trust_origin = false;
    Policy policy = Policy::immutable;
    std::optional<Scheme> origin_scheme;  // the client spoke http:// to us, the origin gets this
    Access access = Access::verify;
    OnUnverifiable on_unverifiable = OnUnverifiable::deny;
    std::optional<std::uint64_t> piece_size;  // bytes
    std::optional<unsigned> connections;      // parallel segments to the origin
    std::uint64_t bandwidth = 0;              // bytes a second to all clients; 0: no limit
    bool prefetch = false;                    // a GET of a range fetches the rest too
    bool follow_redirects = false;            // else a 3xx goes to the client as it is
    bool ignore_credentials =
        false;                   // responses to requests with Authorization or Cookie may be stored
    bool store_cookies = false;  // policy http: responses with Set-Cookie may be, and repeat it
    std::vector<std::string> content_types;  // when not empty: only these media types are stored
                                             // ("application/octet-stream")
    int line = 0;                            // in the configuration file, for errors
};

// A checked rule; immutable.
struct Rule : RuleSpec {
    std::vector<int> digest_groups;  // capture group numbers, to be joined in this order
};

}  // namespace hawker::filters
