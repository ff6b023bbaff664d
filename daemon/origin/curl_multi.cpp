#include "daemon/origin/curl_multi.h"

#include <new>

namespace hawker::origin {

Multi::Multi(net::Loop& loop, long connections_per_host)
    : loop_(loop),
      timer_(loop, [this] { act(CURL_SOCKET_TIMEOUT, 0); }),
      multi_(curl_multi_init(), curl_multi_cleanup) {
    if (!multi_) throw std::bad_alloc();
    CURLM* multi = multi_.get();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Multi::on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Multi::on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections_per_host);
}

Multi::~Multi() = default;

void Multi::add(CURL* easy) { curl_multi_add_handle(multi_.get(), easy); }
void Multi::remove(CURL* easy) { curl_multi_remove_handle(multi_.get(), easy); }

int Multi::on_socket(CURL* /*easy*/, curl_socket_t fd, int what, void* self, void* /*unused*/) {
    auto& multi = *static_cast<Multi*>(self);
    if (what == CURL_POLL_REMOVE) {
        multi.watches_.erase(fd);
        return 0;
    }
    auto& watch = multi.watches_[fd];
    if (!watch) {
        watch = std::make_unique<net::FdWatch>(multi.loop_, fd, [&multi, fd](net::Interest ready) {
            const auto bits = static_cast<unsigned>(ready);
            multi.act(fd, ((bits & 1U) != 0 ? CURL_CSELECT_IN : 0) |
                              ((bits & 2U) != 0 ? CURL_CSELECT_OUT : 0));
        });
    }
    watch->set(static_cast<net::Interest>(what & (CURL_POLL_IN | CURL_POLL_OUT)));
    return 0;
}

int Multi::on_timer(CURLM* /*multi*/, long delay_ms, void* self) {
    net::Timer& timer = static_cast<Multi*>(self)->timer_;
    if (delay_ms < 0)
        timer.clear();
    else
        timer.set(std::chrono::milliseconds(delay_ms));
    return 0;
}

void Multi::act(curl_socket_t fd, int ready) {
    int running = 0;
    curl_multi_socket_action(multi_.get(), fd, ready, &running);
    collect();
}

void Multi::collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        const CURLcode code = message->data.result;
        Completion* completion = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &completion);
        if (completion) completion->on_done(code);
    }
}

}  // namespace hawker::origin
