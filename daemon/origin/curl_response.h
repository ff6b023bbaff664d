// One request and its response on one easy handle. Not a door.
//
// libcurl's callbacks only fill buffers, set flags and wake: the coroutines that wait go on as jobs
// of the loop, so no coroutine ever runs inside libcurl.
//
// Time: waiting for a place at the origin and for the head has one clock; the body's clock runs
// only while somebody waits in read() or a step has begun to come, the upload's only while somebody
// waits in write().
#pragma once

#include "base/clock.h"
#include "base/frames.h"
#include "base/wake.h"
#include "daemon/origin/client.h"
#include "daemon/origin/curl_errors.h"
#include "daemon/origin/curl_multi.h"
#include "daemon/origin/easy.h"
#include "daemon/origin/head_collector.h"
#include "daemon/origin/lanes.h"
#include "daemon/origin/target.h"

#include <array>
#include <chrono>
#include <optional>
#include <vector>

namespace hawker::origin {

// What the responses of one client share; it lives as long as the last of them.
struct Road {
    Road(std::shared_ptr<Multi> its_multi, const Log& its_log)
        : multi(std::move(its_multi)), log(its_log) {}
    std::shared_ptr<Multi> multi;
    const Log& log;
};

class CurlResponse final : public Response, private Party, private Lanes::Passenger {
public:
    CurlResponse(std::shared_ptr<Road> road, ClientOptions options, Request request);
    ~CurlResponse() override;
    CurlResponse(const CurlResponse&) = delete;
    CurlResponse& operator=(const CurlResponse&) = delete;
    // One comes with each fetch, and it is larger than what malloc keeps at hand.
    static void* operator new(std::size_t size) { return detail::take_frame(size); }
    static void operator delete(void* response, std::size_t size) noexcept {
        detail::leave_frame(response, size);
    }

    Task<Expected<http::ResponseHead>> head() override;
    http::Framing framing() const override { return answer_.framing(); }
    Task<Expected<std::span<const std::byte>>> read() override;
    Task<Expected<void>> write(std::span<const std::byte> bytes) override;
    void finish_body() override;
    void cancel() override;
    std::string_view proxy_error() const override;

private:
    enum class Stage : std::uint8_t { queued, running, ended };
    static constexpr std::chrono::milliseconds kStepDelay{1};

    // libcurl's callbacks, in curl_callbacks.cpp.
    static std::size_t on_line(char* bytes, std::size_t one, std::size_t size, void* self);
    static std::size_t on_body(char* bytes, std::size_t one, std::size_t size, void* self);
    static std::size_t on_upload(char* room, std::size_t one, std::size_t size, void* self);
    static int on_connected(void* self, char* remote, char* local, int port, int local_port);
    static curl_socket_t on_dial(void* self, curlsocktype purpose, curl_sockaddr* address);
    bool take_line(std::string_view line);
    void take_final_head();
    std::size_t take_body(std::span<const std::byte> bytes);
    std::size_t give_upload(std::span<char> room);
    curl_socket_t dial(const curl_sockaddr& address);
    void settle() override;

    void depart() override;
    void transfer_done(CURLcode code) override;
    Expected<void> prepare();
    Expected<void> check_destination() const;
    void set_callbacks();
    void take_a_place();
    bool try_again(CURLcode code);
    Failure explain(CURLcode code) const;
    std::optional<Failure> refusal_of_proxy(int status) const;
    void end(std::optional<Failure> failure);
    void detach();
    void give_easy_back();
    std::size_t step() const;         // bytes
    std::size_t to_step_end() const;  // from what was given so far
    bool has_a_step() const;
    void keep_the_odd_end();
    void resume_receiving();
    void resume_sending();
    void request_ended();
    void run_upload_clock();
    void time_is_up();
    std::chrono::milliseconds time_for_the_head() const;
    bool is_over() const { return body_complete_ || stage_ == Stage::ended; }

    std::shared_ptr<Road> road_;
    ClientOptions options_;
    Request request_;
    std::shared_ptr<Lanes::Ticket> ticket_;
    Target target_;
    Route route_;
    FieldLines fields_;
    NameList names_;
    std::array<char, CURL_ERROR_SIZE> sentence_{};

    Stage stage_ = Stage::queued;
    SteadyTime head_due_ = SteadyTime::max();  // by the request's own patience
    bool cancelled_ = false;
    std::optional<Failure> failure_;
    bool proxy_refused_ = false;     // the head is an upstream proxy's word to us
    std::optional<Failure> denied_;  // the last address that the policy forbids

    HeadCollector answer_;
    // Bytes that may wait for the reader. Little at first: what is read before the reader has
    // its first bytes keeps a client waiting for its own.
    std::size_t window_ = 64UL * 1024;
    std::vector<std::byte> arrived_;  // not yet given to the reader
    std::vector<std::byte> given_;    // what the last read() returned
    std::uint64_t given_before_ = 0;  // bytes, by all of them
    bool is_late_ = false;            // no larger step is waited for
    std::uint64_t received_ = 0;
    bool receiving_paused_ = false;
    bool body_complete_ = false;

    std::span<const std::byte> upload_;  // of the pending write()
    std::uint64_t sent_ = 0;
    bool connected_ = false;
    bool dialled_ = false;
    bool retried_ = false;
    bool body_finished_ = false;  // finish_body() was called
    bool request_ended_ = false;  // the last byte of the request was given to libcurl
    bool upload_over_ = false;    // the origin answered early: no more is sent
    bool sending_paused_ = false;

    Wake answer_wake_;
    Wake upload_wake_;
    net::Timer clock_;
    net::Timer upload_clock_;
    EasyHandle easy_;
};

}  // namespace hawker::origin
