// RFC 9111 section 3: may a shared cache keep this response? Pure.
#pragma once

#include "base/clock.h"
#include "daemon/http/message.h"

#include <chrono>
#include <cstdint>

namespace hawker::http {

// What a rule knows about who asked, besides what the messages say.
struct StoringTerms {
    // The request carried credentials of any kind: what is answered is for everybody only where the
    // response says so (section 3.5).
    bool sent_credentials = false;
    // ... or the rule: credentials do not select the bytes.
    bool ignores_credentials = false;
    // A Set-Cookie may be kept and repeated to others (section 7.3).
    bool keeps_cookies = false;
};

// Of a GET. Narrower than the RFC where keeping is dangerous: a response that sets a cookie, or one
// to any credential, needs somebody's word that it is for all.
bool may_store(const Fields& request, int status, const Fields& response,
               const StoringTerms& terms);

// Of an answer to POST, besides: with its own word about how long. Whoever asks has looked whether
// Content-Location says that it is what a GET of the URL would bring (RFC 9110 section 9.3.3).
bool may_store_of_post(int status, const Fields& response);

// What becomes of a stored response when a 304, or a 200 to a HEAD, has confirmed it.
enum class Renewal : std::uint8_t {
    renew,   // it goes on with what the newer answer says
    leave,   // that was said to this asker alone: nothing changes for the others
    remove,  // nobody may keep it any more, or another request selects it now
};
// `request`: what was asked, as a GET. `stored`, `newer`: fields of the stored response of that
// status, and of the answer.
Renewal renewal_of(const Fields& request, int status, const Fields& stored, const Fields& newer,
                   const StoringTerms& terms);

// Statuses that may be kept without a word about how long (RFC 9110 section 15.1).
bool is_heuristically_cacheable(int status);

// How long a response of that status is fresh: freshness_lifetime(), and nothing where only a guess
// would be left and the status allows none.
std::chrono::seconds lifetime_of(int status, const Fields& response, WallTime response_time);

}  // namespace hawker::http
