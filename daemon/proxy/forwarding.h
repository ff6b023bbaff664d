// What goes on to an origin, and what comes back from it: RFC 9110 section 7.6 manners. Pure
// functions.
#pragma once

#include "daemon/http/message.h"
#include "filters/decision.h"

#include <string>
#include <string_view>

namespace hawker::proxy {

// Everything end-to-end, for a request that passes through: hop-by-hop, Proxy-* and our own
// X-Hawker-* (and X-Dragonfly-*) fields are gone, Host is left to the target, Via is extended.
http::Fields forwarded_fields(const http::RequestHead& request, std::string_view pseudonym);

// For a request whose answer others will read too: a fixed list of fields, so that no field outside
// the key can steer what is stored. Credentials are among them; Range, conditionals and codings are
// the fetch's own.
http::Fields fetch_fields(const http::RequestHead& request, std::string_view pseudonym);
// What the origin said to fetch_fields() it would have said to the request itself: nothing in
// `fields` that was left out could have made it say something else.
bool fetch_says_all(const http::Fields& fields);

// A field, in lower case, that a signature in the request's own fields covers and that a fetch
// would change or drop, so that the request must go on as it was signed: SignedHeaders in
// Authorization (AWS and its like), `headers` (draft-cavage), AdditionalHeaders (Alibaba),
// q-header-list (Tencent), and every message signature (RFC 9421). Empty when there is none.
std::string field_to_leave_alone(const http::Fields& fields);

// On whose behalf: every credential of the request, in one string that is only ever hashed.
std::string principal_of(const http::RequestHead& request, const filters::Decision& decision);

// GET or HEAD: what a cache can answer.
bool is_read(const http::RequestHead& request);

// True when our own pseudonym stands in Via: the request has been here before (section 7.6.3).
bool has_looped(const http::Fields& fields, std::string_view pseudonym);

// Proxy-*, X-Hawker-* and X-Dragonfly-*: what is between a client and a proxy.
void remove_ours(http::Fields& fields);
// An origin's head as the client may see it: hop-by-hop and Proxy-* fields gone, Via extended.
void make_relayable(http::ResponseHead& head, std::string_view pseudonym);

}  // namespace hawker::proxy
