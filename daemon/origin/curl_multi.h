// One libcurl multi handle on one loop: libcurl's sockets and its timeout, as events of the loop.
// Not a door.
//
// Owner:  the client and every response whose transfer it runs.
// Thread: the loop's. Nothing here is called from inside a libcurl callback (libcurl forbids it):
//         what a callback wants done afterwards it leaves to Party::settle().
#pragma once

#include "base/error.h"
#include "daemon/net/loop.h"
#include "daemon/origin/easy.h"

#include <map>
#include <memory>
#include <vector>

#include <curl/curl.h>

namespace hawker::origin {

// Whose easy handle it is.
class Party {
public:
    // The transfer is over; its handle has left the multi handle.
    virtual void transfer_done(CURLcode code) = 0;
    // Asked for by call_me(): libcurl has returned from its callbacks.
    virtual void settle() = 0;

protected:
    ~Party() = default;
};

class Multi {
public:
    struct CloseMulti {
        void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
    };
    using Handle = std::unique_ptr<CURLM, CloseMulti>;

    static Expected<std::shared_ptr<Multi>> create(net::Loop& loop);
    Multi(net::Loop& loop, Handle handle);
    ~Multi();
    Multi(const Multi&) = delete;
    Multi& operator=(const Multi&) = delete;

    // From now until transfer_done() or remove(). Errc::exhausted when libcurl takes no more.
    Expected<void> add(CURL* easy, Party& party);
    void remove(CURL* easy, Party& party);
    void call_me(Party& party);

    // A handle without any option; null when libcurl has no memory. One that ended well comes back:
    // making it and its receive buffer costs more than the rest of a small transfer's set-up.
    EasyHandle take_easy();
    // How much of its receive buffer has been written to, and is memory by now.
    enum class Used : std::uint8_t { little, all };
    void give_back(EasyHandle easy, Used buffer);

    net::Loop& loop() { return loop_; }

private:
    static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* unused);
    static int on_timeout(CURLM* handle, long milliseconds, void* self);
    void watch(curl_socket_t fd, int what);
    void act(curl_socket_t fd, int events);
    void collect();

    net::Loop& loop_;
    // Closed explicitly in the destructor: closing calls on_socket(), so the watches must live.
    Handle handle_;
    std::map<curl_socket_t, std::unique_ptr<net::FdWatch>> watches_;
    std::vector<Party*> to_settle_;
    std::vector<EasyHandle> spare_;
    net::Timer timer_;
};

}  // namespace hawker::origin
