// libcurl's multi interface on a loop; for origin/ alone.
//
// libcurl must never be called from inside its own callbacks, so nothing here resumes a coroutine
// inline: waits end as jobs of the loop.
#pragma once

#include "daemon/net/loop.h"

#include <memory>
#include <unordered_map>

#include <curl/curl.h>

namespace hawker::origin {

// Told when libcurl is through with an easy handle.
class Completion {
public:
    virtual ~Completion() = default;
    virtual void on_done(CURLcode code) = 0;
};

class Multi {
public:
    Multi(net::Loop& loop, long connections_per_host);
    ~Multi();
    Multi(const Multi&) = delete;
    Multi& operator=(const Multi&) = delete;

    // CURLOPT_PRIVATE of `easy` must be its Completion.
    void add(CURL* easy);
    void remove(CURL* easy);

private:
    static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* unused);
    static int on_timer(CURLM* multi, long delay_ms, void* self);
    void act(curl_socket_t fd, int ready);
    void collect();

    net::Loop& loop_;
    net::Timer timer_;
    std::unordered_map<curl_socket_t, std::unique_ptr<net::FdWatch>> watches_;
    std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi_;
};

}  // namespace hawker::origin
