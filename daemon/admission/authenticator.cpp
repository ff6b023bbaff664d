#include "daemon/admission/authenticator.h"

#include "daemon/admission/bcrypt.h"

#include <algorithm>
#include <utility>

namespace hawker::admission {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostWords = 10'000;
// Passwords that wait; at 50 ms for each the last one has its answer after three seconds.
constexpr std::size_t kMostQuestions = 64;
constexpr std::chrono::milliseconds kComeBack = 2s;
// A wrong password is tried again and again by programs; a new file ends what is remembered.
constexpr std::chrono::milliseconds kRememberNo = 30s;

}  // namespace

Authenticator::Authenticator(Executor& verifying, const Clock& clock)
    : verifying_(verifying), clock_(clock), questions_(kMostQuestions) {}

Digest Authenticator::key_of(const Htpasswd& users, const BasicCredentials& credentials) const {
    return names_.of({credentials.user, credentials.password, users.hash_of(credentials.user)});
}

std::optional<bool> Authenticator::recall(const Digest& key) const {
    const std::scoped_lock lock(mutex_);
    const auto found = words_.find(key);
    if (found == words_.end() || found->second.until <= clock_.now()) return std::nullopt;
    return found->second.yes;
}

std::optional<bool> Authenticator::recall(const Htpasswd& users,
                                          const BasicCredentials& credentials) const {
    return recall(key_of(users, credentials));
}

void Authenticator::remember(const Digest& key, bool yes, std::chrono::milliseconds duration) {
    const SteadyTime until = clock_.now() + duration;
    const std::scoped_lock lock(mutex_);
    const auto [place, is_new] = words_.try_emplace(key);
    place->second.yes = yes;
    place->second.until = until;
    if (is_new) order_.push_back(key);
    while (order_.size() > kMostWords) {
        words_.erase(order_.front());
        order_.pop_front();
    }
}

Task<Expected<bool>> Authenticator::check(std::shared_ptr<const Htpasswd> users,
                                          BasicCredentials credentials,
                                          std::chrono::milliseconds remember_yes, Executor& home) {
    const Digest key = key_of(*users, credentials);
    for (;;) {
        if (const auto known = recall(key)) co_return *known;
        Questions<bool>::Place place = questions_.take(key, home);
        if (place.lead) {
            const auto verify = [&users, &credentials] {
                return verify_bcrypt(credentials.password, users->hash_of(credentials.user));
            };
            const bool yes = co_await offload(verifying_, home, verify);
            remember(key, yes, yes ? remember_yes : std::min(remember_yes, kRememberNo));
            place.lead->tell(std::make_shared<const bool>(yes));
            co_return yes;
        }
        if (!place.seat) {
            Error busy;
            busy.code = Errc::exhausted;
            busy.what = "Too many passwords wait to be verified. Try again in a moment.";
            busy.retry_after = kComeBack;
            co_return fail(std::move(busy));
        }
        const auto answer = co_await place.seat->wait();
        if (answer) co_return *answer;
    }
}

}  // namespace hawker::admission
