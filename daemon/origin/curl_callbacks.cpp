// What libcurl calls: bytes in, bytes out, addresses to dial. Nothing here calls libcurl's multi
// interface, except the two resume functions, which run outside of its callbacks.
#include "daemon/net/socket.h"
#include "daemon/origin/curl_response.h"

#include <algorithm>
#include <cstring>

#include <sys/socket.h>

namespace hawker::origin {

namespace {

CurlResponse& response_of(void* self) { return *static_cast<CurlResponse*>(self); }

}  // namespace

void CurlResponse::set_callbacks() {
    CURL* easy = easy_.get();
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, sentence_.data());
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &CurlResponse::on_line);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &CurlResponse::on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, &CurlResponse::on_upload);
    curl_easy_setopt(easy, CURLOPT_READDATA, this);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &CurlResponse::on_connected);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &CurlResponse::on_dial);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
}

std::size_t CurlResponse::on_line(char* bytes, std::size_t /*one*/, std::size_t size, void* self) {
    return response_of(self).take_line(std::string_view(bytes, size)) ? size : 0;
}

std::size_t CurlResponse::on_body(char* bytes, std::size_t /*one*/, std::size_t size, void* self) {
    return response_of(self).take_body(std::as_bytes(std::span(bytes, size)));
}

std::size_t CurlResponse::on_upload(char* room, std::size_t one, std::size_t size, void* self) {
    return response_of(self).give_upload(std::span(room, one * size));
}

int CurlResponse::on_connected(void* self, char* /*remote*/, char* /*local*/, int /*port*/,
                               int /*local_port*/) {
    CurlResponse& response = response_of(self);
    response.connected_ = true;
    // libcurl asks for no byte of a body that has none.
    const Request& request = response.request_;
    const bool has_no_body = request.body == http::Framing::none ||
                             (request.body == http::Framing::length && request.content_length == 0);
    if (has_no_body) response.request_ended();
    response.run_upload_clock();
    return CURL_PREREQFUNC_OK;
}

curl_socket_t CurlResponse::on_dial(void* self, curlsocktype /*purpose*/, curl_sockaddr* address) {
    return response_of(self).dial(*address);
}

bool CurlResponse::take_line(std::string_view line) {
    const bool was_final = answer_.is_final();
    auto taken = answer_.take(line);
    if (!taken) {
        failure_.emplace(Errc::invalid, std::move(taken.error().what), "http_protocol_error");
        return false;
    }
    if (was_final || !answer_.is_final()) return true;
    // It is us whom the proxy asks for credentials, not the client.
    if (route_.proxy && target_.scheme == "http" && answer_.head().status == 407) {
        failure_ = refusal_of_proxy(407);
        proxy_refused_ = true;
        return false;
    }
    take_final_head();
    return true;
}

void CurlResponse::take_final_head() {
    clock_.clear();
    body_complete_ = answer_.framing() == http::Framing::none ||
                     (answer_.framing() == http::Framing::length && answer_.content_length() == 0);
    // 413, 401, ...: the origin will not read the rest. After a 2xx it goes on reading.
    if (request_.body != http::Framing::none && !request_ended_ && answer_.head().status >= 300) {
        upload_over_ = true;
        upload_clock_.clear();
        upload_wake_.notify_all();
        road_->multi->call_me(*this);
    }
    answer_wake_.notify_all();
}

std::size_t CurlResponse::take_body(std::span<const std::byte> bytes) {
    if (arrived_.size() >= window_) {
        receiving_paused_ = true;
        return CURL_WRITEFUNC_PAUSE;  // libcurl keeps these bytes and gives them again
    }
    // A large body fills all of it again and again; growing there would copy it twice over.
    if (answer_.framing() == http::Framing::length && answer_.content_length() >= window_)
        arrived_.reserve(window_ + CURL_MAX_WRITE_SIZE);
    const bool are_first = arrived_.empty();
    arrived_.insert(arrived_.end(), bytes.begin(), bytes.end());
    received_ += bytes.size();
    if (answer_.framing() == http::Framing::length && received_ >= answer_.content_length())
        body_complete_ = true;
    if (has_a_step() || body_complete_) {
        clock_.clear();
        answer_wake_.notify_all();
    } else if (are_first) {
        clock_.set(kStepDelay);
    }
    return bytes.size();
}

std::size_t CurlResponse::give_upload(std::span<char> room) {
    // Never 0 here: that would end a chunked body as if it were whole.
    if (upload_over_) return CURL_READFUNC_PAUSE;
    const bool is_counted = request_.body == http::Framing::length;
    if (upload_.empty() && !body_finished_) {
        sending_paused_ = true;
        return CURL_READFUNC_PAUSE;
    }
    const std::uint64_t wanted =
        is_counted ? request_.content_length - sent_ : std::uint64_t{room.size()};
    if (upload_.empty() && is_counted && wanted > 0) {
        failure_.emplace(Errc::invalid, "the request's body is shorter than its Content-Length",
                         "http_request_error");
        return CURL_READFUNC_ABORT;
    }
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>({upload_.size(), room.size(), wanted}));
    if (size > 0) std::memcpy(room.data(), upload_.data(), size);
    sent_ += size;
    upload_ = upload_.subspan(size);
    if (upload_.empty()) upload_wake_.notify_all();
    run_upload_clock();
    const bool was_last = is_counted ? sent_ == request_.content_length : size == 0;
    if (was_last) request_ended();
    return size;
}

void CurlResponse::request_ended() {
    request_ended_ = true;
    if (!answer_.is_final()) clock_.set(time_for_the_head());
}

void CurlResponse::run_upload_clock() {
    if (connected_ && !upload_.empty())
        upload_clock_.set(options_.stall_timeout);
    else
        upload_clock_.clear();
}

curl_socket_t CurlResponse::dial(const curl_sockaddr& address) {
    const net::Address where(&address.addr, address.addrlen);
    auto allowed = route_.proxy ? Expected<void>() : options_.destinations->check(where);
    if (!allowed) {
        denied_.emplace(Errc::denied, std::move(allowed.error().what), "destination_ip_prohibited");
        return CURL_SOCKET_BAD;
    }
    auto fd = net::socket_towards(where, route_.sources);
    if (!fd) {
        denied_.emplace(fd.error().code, std::move(fd.error().what), "proxy_configuration_error");
        return CURL_SOCKET_BAD;
    }
    dialled_ = true;
    return fd->release();
}

// libcurl has returned: a paused upload that is over must not keep the transfer from ending.
void CurlResponse::settle() {
    if (stage_ == Stage::running && sending_paused_) resume_sending();
}

// Both pauses are told to libcurl at once, so each keeps the other's. The call may run take_body()
// before it returns, which may pause again: the flags change before it.
void CurlResponse::resume_receiving() {
    if (!std::exchange(receiving_paused_, false) || stage_ != Stage::running) return;
    curl_easy_pause(easy_.get(), sending_paused_ ? CURLPAUSE_SEND : CURLPAUSE_CONT);
}

void CurlResponse::resume_sending() {
    if (!std::exchange(sending_paused_, false) || stage_ != Stage::running) return;
    curl_easy_pause(easy_.get(), receiving_paused_ ? CURLPAUSE_RECV : CURLPAUSE_CONT);
}

}  // namespace hawker::origin
