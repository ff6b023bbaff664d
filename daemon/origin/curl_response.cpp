#include "daemon/origin/curl_response.h"

#include "daemon/origin/curl_errors.h"
#include "filters/url.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace hawker::origin {

namespace {

constexpr std::size_t kMostWaiting =
    512 * 1024;  // bytes of body before the origin is asked to wait
constexpr long kReceiveBuffer = 256 * 1024;

}  // namespace

CurlResponse::CurlResponse(net::Loop& loop, Multi& multi, const ClientOptions& options,
                           Request request)
    : multi_(multi),
      request_(std::move(request)),
      destinations_(options.destinations),
      first_byte_timeout_(options.connect_timeout + options.first_byte_timeout),
      stall_timeout_(options.stall_timeout),
      collector_(request_.method == "HEAD"),
      changed_(loop),
      upload_changed_(loop),
      patience_(loop,
                [this] {
                    Error late;
                    late.code = Errc::timed_out;
                    late.what = collector_.complete() ? "the origin stopped sending"
                                                      : "the origin did not answer in time";
                    end(std::move(late), collector_.complete() ? "http_response_timeout"
                                                               : "connection_read_timeout");
                }),
      easy_(curl_easy_init(), curl_easy_cleanup) {
    prepare(options);
    if (done_) return;
    attached_ = true;
    multi_.add(easy_.get());
}

CurlResponse::~CurlResponse() { detach(); }

void CurlResponse::detach() {
    if (std::exchange(attached_, false)) multi_.remove(easy_.get());
}

void CurlResponse::prepare(const ClientOptions& options) {
    set(CURLOPT_PRIVATE, static_cast<Completion*>(this));
    set(CURLOPT_ERRORBUFFER, message_.data());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NOPROXY, "*");
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_BUFFERSIZE, kReceiveBuffer);
    set(CURLOPT_TCP_NODELAY, 1L);
    set(CURLOPT_MAXAGE_CONN, 60L);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options.ca_file.empty()) set(CURLOPT_CAINFO, options.ca_file.c_str());
    set(CURLOPT_HEADERFUNCTION, &CurlResponse::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &CurlResponse::on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_OPENSOCKETFUNCTION, &CurlResponse::on_open_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
    prepare_target(options);
    prepare_fields();
    prepare_body();
}

// libcurl's own URL parser sees scheme and authority only; what stands behind them is sent byte for
// byte.
void CurlResponse::prepare_target(const ClientOptions& /*options*/) {
    const auto url = filters::parse_url(request_.url);
    if (!url) {
        end(url.error(), "http_request_error");
        return;
    }
    const bool usual_port = url->port == filters::default_port(url->scheme);
    url_ = fmt::format("{}://{}{}/", filters::name_of(url->scheme), url->host,
                       usual_port ? std::string() : fmt::format(":{}", url->port));
    target_ = std::string(url->path);
    if (url->has_query) (target_ += '?') += url->query;
    // An OPTIONS for the server as a whole has no path in its absolute form (RFC 9112
    // section 3.2.4).
    const bool has_path = request_.url.find('/', request_.url.find("//") + 2) != std::string::npos;
    if (request_.method == "OPTIONS" && !has_path && !url->has_query) target_ = "*";
    set(CURLOPT_URL, url_.c_str());
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_REQUEST_TARGET, target_.c_str());
}

void CurlResponse::prepare_fields() {
    const auto append = [this](const std::string& line) {
        curl_slist* longer = curl_slist_append(fields_.get(), line.c_str());
        if (!longer) return;
        (void)fields_.release();  // the list is the same, or begins with it
        fields_.reset(longer);
    };
    for (const http::Field& field : request_.fields)
        append(field.value.empty() ? field.name + ";"
                                   : fmt::format("{}: {}", field.name, field.value));
    for (const std::string_view ours : {"Accept", "Expect", "User-Agent", "Content-Type"})
        if (!request_.fields.has(ours)) append(fmt::format("{}:", ours));
    set(CURLOPT_HTTPHEADER, fields_.get());
}

void CurlResponse::prepare_body() {
    if (request_.method == "HEAD") {
        set(CURLOPT_NOBODY, 1L);
        return;
    }
    if (request_.body != http::Framing::none) {
        set(CURLOPT_UPLOAD, 1L);
        set(CURLOPT_READFUNCTION, &CurlResponse::on_upload);
        set(CURLOPT_READDATA, this);
        // A body cannot be sent twice, so it does not go out on a connection that may have died
        // while it was idle.
        set(CURLOPT_FRESH_CONNECT, 1L);
        const bool known = request_.body == http::Framing::length;
        set(CURLOPT_INFILESIZE_LARGE,
            known ? static_cast<curl_off_t>(request_.content_length) : curl_off_t{-1});
    }
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

void CurlResponse::end(Error error, std::string_view proxy_error) {
    if (done_) return;
    done_ = true;
    error_ = std::move(error);
    proxy_error_ = proxy_error;
    patience_.clear();
    if (!in_callback_) detach();
    changed_.notify_all();
    upload_changed_.notify_all();
}

void CurlResponse::on_done(CURLcode code) {
    if (code == CURLE_OK && collector_.complete()) {
        done_ = true;
        patience_.clear();
        changed_.notify_all();
        upload_changed_.notify_all();
        return;
    }
    const CurlError known = translate(code);
    Error error;
    error.code = known.code;
    error.what = message_[0] != '\0' ? message_.data() : curl_easy_strerror(code);
    if (denied_ && code == CURLE_COULDNT_CONNECT)
        end(std::move(*denied_), "destination_ip_prohibited");
    else
        end(std::move(error), known.proxy_error);
}

std::size_t CurlResponse::on_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto& response = *static_cast<CurlResponse*>(self);
    auto taken = response.collector_.take(std::string_view(data, size * count));
    if (!taken) {
        response.in_callback_ = true;
        response.end(std::move(taken.error()), "http_protocol_error");
        response.in_callback_ = false;
        return 0;
    }
    if (response.collector_.complete()) response.changed_.notify_all();
    return size * count;
}

std::size_t CurlResponse::on_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto& response = *static_cast<CurlResponse*>(self);
    if (response.incoming_.size() >= kMostWaiting) {
        response.receiving_paused_ = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    const auto bytes = std::as_bytes(std::span(data, size * count));
    response.incoming_.insert(response.incoming_.end(), bytes.begin(), bytes.end());
    response.changed_.notify_all();
    return bytes.size();
}

std::size_t CurlResponse::on_upload(char* into, std::size_t size, std::size_t count, void* self) {
    auto& response = *static_cast<CurlResponse*>(self);
    if (response.upload_.empty()) {
        if (response.upload_finished_) return 0;
        response.sending_paused_ = true;
        return CURL_READFUNC_PAUSE;
    }
    const std::size_t taken = std::min(size * count, response.upload_.size());
    std::memcpy(into, response.upload_.data(), taken);
    response.upload_ = response.upload_.subspan(taken);
    if (response.upload_.empty()) response.upload_changed_.notify_all();
    return taken;
}

curl_socket_t CurlResponse::on_open_socket(void* self, curlsocktype /*purpose*/,
                                           curl_sockaddr* address) {
    auto& response = *static_cast<CurlResponse*>(self);
    auto allowed = response.destinations_->check(net::Address(&address->addr, address->addrlen));
    if (!allowed) {
        response.denied_ = std::move(allowed.error());
        return CURL_SOCKET_BAD;
    }
    response.denied_.reset();
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void CurlResponse::set_paused(bool& what, bool paused) {
    if (what == paused || done_) return;
    what = paused;
    // May call on_body() or on_upload() before it returns; both only touch the buffers.
    curl_easy_pause(easy_.get(), (receiving_paused_ ? CURLPAUSE_RECV : 0) |
                                     (sending_paused_ ? CURLPAUSE_SEND : 0));
}

Task<Expected<http::ResponseHead>> CurlResponse::head() {
    if (!done_) patience_.set(first_byte_timeout_);
    while (!collector_.complete() && !done_) co_await changed_.wait();
    patience_.clear();
    if (!collector_.complete()) {
        Error error = error_.value_or(Error());
        co_return fail(std::move(error));
    }
    http::ResponseHead head = std::move(collector_.head());
    co_return head;
}

Task<Expected<std::span<const std::byte>>> CurlResponse::read() {
    lent_.clear();
    while (incoming_.empty() && !done_) {
        set_paused(receiving_paused_, false);
        if (!incoming_.empty() || done_) break;
        patience_.set(stall_timeout_);
        co_await changed_.wait();
    }
    patience_.clear();
    if (incoming_.empty()) {
        if (error_) co_return fail(*error_);
        co_return std::span<const std::byte>();
    }
    lent_.swap(incoming_);
    set_paused(receiving_paused_, false);
    co_return std::span<const std::byte>(lent_);
}

Task<Expected<void>> CurlResponse::write(std::span<const std::byte> bytes) {
    upload_ = bytes;
    set_paused(sending_paused_, false);
    while (!upload_.empty() && !done_) co_await upload_changed_.wait();
    if (upload_.empty()) {
        if (!collector_.complete() && !done_) patience_.set(first_byte_timeout_);
        co_return Expected<void>();
    }
    upload_ = {};
    co_return fail(
        error_ ? *error_ : Error(Errc::closed, "the origin answered before it had the whole body"));
}

void CurlResponse::finish_body() {
    upload_finished_ = true;
    set_paused(sending_paused_, false);
}

void CurlResponse::cancel() {
    Error cancelled;
    cancelled.code = Errc::cancelled;
    cancelled.what = "the request was given up";
    end(std::move(cancelled), "");
}

}  // namespace hawker::origin
