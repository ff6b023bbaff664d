#include "daemon/origin/curl_multi.h"

#include <algorithm>
#include <string>
#include <utility>

namespace hawker::origin {

namespace {

constexpr long kIdleConnectionSeconds = 60;  // facts 4.4: origins close theirs not much later
constexpr long kIdleConnections = 256;
// Each keeps its receive buffer, of which a small body touches a page or two.
constexpr std::size_t kSpareHandles = 16;
constexpr std::size_t kSpareAfterSmall = 64;

net::Interest interest_of(int what) {
    switch (what) {
        case CURL_POLL_IN:
            return net::Interest::read;
        case CURL_POLL_OUT:
            return net::Interest::write;
        case CURL_POLL_INOUT:
            return net::Interest::both;
        default:
            return net::Interest::none;
    }
}

int events_of(net::Interest ready) {
    const auto bits = static_cast<unsigned>(ready);
    int events = 0;
    if ((bits & static_cast<unsigned>(net::Interest::read)) != 0) events |= CURL_CSELECT_IN;
    if ((bits & static_cast<unsigned>(net::Interest::write)) != 0) events |= CURL_CSELECT_OUT;
    return events;
}

}  // namespace

Expected<std::shared_ptr<Multi>> Multi::create(net::Loop& loop) {
    // Thread-safe and idempotent since libcurl 7.84.
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fail(Errc::exhausted, "libcurl does not start");
    Handle handle(curl_multi_init());
    if (!handle) return fail(Errc::exhausted, "libcurl gives no multi handle");
    return std::make_shared<Multi>(loop, std::move(handle));
}

Multi::Multi(net::Loop& loop, Handle owned)
    : loop_(loop),
      handle_(std::move(owned)),
      timer_(loop, [this] { act(CURL_SOCKET_TIMEOUT, 0); }) {
    CURLM* handle = handle_.get();
    curl_multi_setopt(handle, CURLMOPT_SOCKETFUNCTION, &Multi::on_socket);
    curl_multi_setopt(handle, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(handle, CURLMOPT_TIMERFUNCTION, &Multi::on_timeout);
    curl_multi_setopt(handle, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(handle, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    curl_multi_setopt(handle, CURLMOPT_MAXCONNECTS, kIdleConnections);
}

Multi::~Multi() { handle_.reset(); }

Expected<void> Multi::add(CURL* easy, Party& party) {
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &party);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, kIdleConnectionSeconds);
    const CURLMcode code = curl_multi_add_handle(handle_.get(), easy);
    if (code == CURLM_OK) return {};
    return fail(Errc::exhausted, std::string("start a transfer: ") + curl_multi_strerror(code));
}

void Multi::remove(CURL* easy, Party& party) {
    std::erase(to_settle_, &party);
    curl_multi_remove_handle(handle_.get(), easy);
}

EasyHandle Multi::take_easy() {
    if (spare_.empty()) return EasyHandle(curl_easy_init());
    EasyHandle easy = std::move(spare_.back());
    spare_.pop_back();
    return easy;
}

void Multi::give_back(EasyHandle easy, Used buffer) {
    const std::size_t most = buffer == Used::all ? kSpareHandles : kSpareAfterSmall;
    if (!easy || spare_.size() >= most) return;
    curl_easy_reset(easy.get());  // whatever it knew of its request goes, credentials among it
    spare_.push_back(std::move(easy));
}

void Multi::call_me(Party& party) { to_settle_.push_back(&party); }

int Multi::on_socket(CURL* /*easy*/, curl_socket_t fd, int what, void* self, void* /*unused*/) {
    static_cast<Multi*>(self)->watch(fd, what);
    return 0;
}

int Multi::on_timeout(CURLM* /*handle*/, long milliseconds, void* self) {
    net::Timer& timer = static_cast<Multi*>(self)->timer_;
    if (milliseconds < 0)
        timer.clear();
    else
        timer.set(std::chrono::milliseconds(milliseconds));
    return 0;
}

void Multi::watch(curl_socket_t fd, int what) {
    if (what == CURL_POLL_REMOVE) {
        watches_.erase(fd);
        return;
    }
    auto& entry = watches_[fd];
    if (!entry)
        entry = std::make_unique<net::FdWatch>(
            loop_, fd, [this, fd](net::Interest ready) { act(fd, events_of(ready)); });
    entry->set(interest_of(what));
}

void Multi::act(curl_socket_t fd, int events) {
    int running = 0;
    curl_multi_socket_action(handle_.get(), fd, events, &running);
    collect();
}

void Multi::collect() {
    for (Party* party : std::exchange(to_settle_, {})) party->settle();
    int queued = 0;
    while (const CURLMsg* message = curl_multi_info_read(handle_.get(), &queued)) {
        if (message->msg != CURLMSG_DONE) continue;
        CURL* easy = message->easy_handle;
        const CURLcode code = message->data.result;
        char* party = nullptr;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &party);
        curl_multi_remove_handle(handle_.get(), easy);  // `message` is gone now
        reinterpret_cast<Party*>(party)->transfer_done(code);
    }
}

}  // namespace hawker::origin
