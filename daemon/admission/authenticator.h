// Is this the user's password? Remembered for a while, asked once for all who ask at the same time,
// and verified on a thread of its own.
//
// Owner:   the server; outlives everybody who asks. Thread: any.
// Failure: check() gives Errc::exhausted, with a time to come back, when too many passwords wait to
//          be verified: of this client, or of all.
// Stop:    after stop() every question ends soon, with Errc::shutting_down.
#pragma once

#include "base/clock.h"
#include "base/keyed_hash.h"
#include "base/questions.h"
#include "base/thread_pool.h"
#include "daemon/admission/basic_credentials.h"
#include "daemon/admission/htpasswd.h"
#include "daemon/admission/recent_keys.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace hawker::admission {

class Authenticator {
public:
    // `verifying` runs bcrypt.
    Authenticator(Executor& verifying, const Clock& clock);

    // True for the password that `users` has. Goes on on `home`. `client` is who asks as far as the
    // network knows: none keeps the others' passwords waiting with more than a few of its own. A
    // yes is remembered until it was not asked for during `remember`, a no for at most half a
    // minute; both end when the user's hash is another one.
    Task<Expected<bool>> check(std::shared_ptr<const Htpasswd> users, BasicCredentials credentials,
                               std::string client, std::chrono::milliseconds remember,
                               Executor& home);
    // The same, of what is remembered only.
    std::optional<bool> recall(const Htpasswd& users, const BasicCredentials& credentials);

    void stop() { stopping_ = true; }

private:
    class Turn;  // one of the places that a client has in the queue

    Digest key_of(const Htpasswd& users, const BasicCredentials& credentials) const;
    std::optional<bool> recall(const Digest& key);
    void remember(const Digest& key, bool yes, std::chrono::milliseconds duration);

    Executor& verifying_;
    const Clock& clock_;
    const KeyedHash names_;
    Questions<bool> questions_;
    std::atomic<bool> stopping_ = false;
    std::mutex mutex_;
    RecentKeys right_;
    RecentKeys wrong_;  // apart: guesses must not push out what is right
    std::unordered_map<std::string, std::size_t> waiting_of_;  // passwords, by client
};

}  // namespace hawker::admission
