// One request under way: an easy handle, its buffers, and the coroutines that wait for it. For
// origin/ alone.
#pragma once

#include "base/wake.h"
#include "daemon/origin/client.h"
#include "daemon/origin/curl_multi.h"
#include "daemon/origin/head_collector.h"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <curl/curl.h>

namespace hawker::origin {

class CurlResponse final : public Response, private Completion {
public:
    CurlResponse(net::Loop& loop, Multi& multi, const ClientOptions& options, Request request);
    ~CurlResponse() override;
    CurlResponse(const CurlResponse&) = delete;
    CurlResponse& operator=(const CurlResponse&) = delete;

    Task<Expected<http::ResponseHead>> head() override;
    http::Framing framing() const override { return collector_.framing(); }
    Task<Expected<std::span<const std::byte>>> read() override;
    Task<Expected<void>> write(std::span<const std::byte> bytes) override;
    void finish_body() override;
    void cancel() override;
    std::string_view proxy_error() const override { return proxy_error_; }

private:
    void prepare(const ClientOptions& options);
    void prepare_target(const ClientOptions& options);
    void prepare_fields();
    void prepare_body();
    void on_done(CURLcode code) override;
    void end(Error error, std::string_view proxy_error);
    void set_paused(bool& what, bool paused);
    void detach();
    template <typename Value>
    void set(CURLoption option, Value value) {
        curl_easy_setopt(easy_.get(), option, value);
    }

    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_upload(char* into, std::size_t size, std::size_t count, void* self);
    static curl_socket_t on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);

    Multi& multi_;
    Request request_;
    std::shared_ptr<const net::DestinationPolicy> destinations_;
    std::chrono::milliseconds first_byte_timeout_;
    std::chrono::milliseconds stall_timeout_;
    std::string url_;
    std::string target_;
    std::array<char, CURL_ERROR_SIZE> message_{};

    HeadCollector collector_;
    Wake changed_;         // the head is complete, body bytes came, or it ended
    Wake upload_changed_;  // the waiting part of the request's body was taken, or it ended
    net::Timer patience_;
    std::vector<std::byte> incoming_;
    std::vector<std::byte> lent_;
    std::span<const std::byte> upload_;
    bool upload_finished_ = false;
    bool receiving_paused_ = false;
    bool sending_paused_ = false;
    bool in_callback_ = false;
    bool attached_ = false;
    bool done_ = false;  // libcurl is through, well or not
    std::optional<Error> error_;
    std::optional<Error> denied_;  // by the destination policy, for the last address tried
    std::string_view proxy_error_;

    struct ListFree {
        void operator()(curl_slist* list) const { curl_slist_free_all(list); }
    };
    std::unique_ptr<curl_slist, ListFree> fields_;
    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_;
};

}  // namespace hawker::origin
