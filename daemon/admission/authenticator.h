// Is this the user's password? Remembered for a while, asked once for all who ask at the same time,
// and verified on a thread of its own.
//
// Owner:   the server; outlives everybody who asks. Thread: any.
// Failure: check() gives Errc::exhausted, with a time to come back, when too many passwords wait to
//          be verified.
#pragma once

#include "base/clock.h"
#include "base/keyed_hash.h"
#include "base/questions.h"
#include "base/thread_pool.h"
#include "daemon/admission/basic_credentials.h"
#include "daemon/admission/htpasswd.h"

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace hawker::admission {

class Authenticator {
public:
    // `verifying` runs bcrypt.
    Authenticator(Executor& verifying, const Clock& clock);

    // True for the password that `users` has. Goes on on `home`. A yes is remembered for
    // `remember`, a no for at most half a minute; both end when the user's hash is another one.
    Task<Expected<bool>> check(std::shared_ptr<const Htpasswd> users, BasicCredentials credentials,
                               std::chrono::milliseconds remember, Executor& home);
    // The same, of what is remembered only.
    std::optional<bool> recall(const Htpasswd& users, const BasicCredentials& credentials) const;

private:
    struct Word {
        bool yes = false;
        SteadyTime until;
    };
    Digest key_of(const Htpasswd& users, const BasicCredentials& credentials) const;
    std::optional<bool> recall(const Digest& key) const;
    void remember(const Digest& key, bool yes, std::chrono::milliseconds duration);

    Executor& verifying_;
    const Clock& clock_;
    const KeyedHash names_;
    Questions<bool> questions_;
    mutable std::mutex mutex_;
    std::unordered_map<Digest, Word> words_;
    std::deque<Digest> order_;  // oldest first; each once
};

}  // namespace hawker::admission
