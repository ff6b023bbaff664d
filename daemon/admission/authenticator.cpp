#include "daemon/admission/authenticator.h"

#include <algorithm>
#include <utility>

namespace hawker::admission {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostWords = 10'000;
// Passwords that wait; at 50 ms for each the last one has its answer after three seconds.
constexpr std::size_t kMostQuestions = 64;
constexpr std::size_t kMostOfOneClient = 16;
constexpr std::chrono::milliseconds kComeBack = 2s;
// A wrong password is tried again and again by programs; a new file ends what is remembered.
constexpr std::chrono::milliseconds kRememberNo = 30s;

Error busy() {
    Error error;
    error.code = Errc::exhausted;
    error.what = "Too many passwords wait to be verified. Try again in a moment.";
    error.retry_after = kComeBack;
    return error;
}

}  // namespace

class Authenticator::Turn {
public:
    Turn(Authenticator& authenticator, std::string client)
        : authenticator_(authenticator), client_(std::move(client)) {
        const std::scoped_lock lock(authenticator_.mutex_);
        std::size_t& waiting = authenticator_.waiting_of_[client_];
        granted_ = waiting < kMostOfOneClient;
        if (granted_) ++waiting;
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
        if (!granted_) return;
        const std::scoped_lock lock(authenticator_.mutex_);
        const auto mine = authenticator_.waiting_of_.find(client_);
        if (--mine->second == 0) authenticator_.waiting_of_.erase(mine);
    }
    bool granted() const { return granted_; }

private:
    Authenticator& authenticator_;
    const std::string client_;
    bool granted_ = false;
};

Authenticator::Authenticator(Executor& verifying, const Clock& clock)
    : verifying_(verifying),
      clock_(clock),
      questions_(kMostQuestions),
      right_(kMostWords),
      wrong_(kMostWords) {}

Digest Authenticator::key_of(const Htpasswd& users, const BasicCredentials& credentials) const {
    return names_.of({credentials.user, credentials.password, users.hash_of(credentials.user)});
}

// The key names the hash, so that bcrypt would say the same again: a yes that is in use needs no
// second verification, and whoever works is not kept waiting by those who guess.
std::optional<bool> Authenticator::recall(const Digest& key) {
    const SteadyTime now = clock_.now();
    const std::scoped_lock lock(mutex_);
    if (right_.touch(key, now)) return true;
    if (wrong_.contains(key, now)) return false;
    return std::nullopt;
}

std::optional<bool> Authenticator::recall(const Htpasswd& users,
                                          const BasicCredentials& credentials) {
    return recall(key_of(users, credentials));
}

void Authenticator::remember(const Digest& key, bool yes, std::chrono::milliseconds duration) {
    const SteadyTime now = clock_.now();
    const std::scoped_lock lock(mutex_);
    if (yes)
        right_.add(key, now, duration);
    else
        wrong_.add(key, now, std::min(duration, kRememberNo));
}

Task<Expected<bool>> Authenticator::check(std::shared_ptr<const Htpasswd> users,
                                          BasicCredentials credentials, std::string client,
                                          std::chrono::milliseconds remember_for, Executor& home) {
    const Digest key = key_of(*users, credentials);
    while (!stopping_) {
        if (const auto known = recall(key)) co_return *known;
        Questions<bool>::Place place = questions_.take(key, home);
        if (place.lead) {
            const Turn turn(*this, client);
            if (!turn.granted()) co_return fail(busy());
            const auto verify = [this, &users, &credentials] {
                return !stopping_ && users->verify(credentials.user, credentials.password);
            };
            const bool yes = co_await offload(verifying_, home, verify);
            if (stopping_) break;
            remember(key, yes, remember_for);
            place.lead->tell(std::make_shared<const bool>(yes));
            co_return yes;
        }
        if (!place.seat) co_return fail(busy());
        const auto answer = co_await place.seat->wait();
        if (answer) co_return *answer;
    }
    co_return fail(Errc::shutting_down, "hawkerd is shutting down");
}

}  // namespace hawker::admission
