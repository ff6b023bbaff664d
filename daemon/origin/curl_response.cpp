#include "daemon/origin/curl_response.h"

#include <algorithm>
#include <utility>

namespace hawker::origin {

namespace {

constexpr std::chrono::milliseconds kComeBack{5'000};
constexpr std::size_t kMostWaiting = 512UL * 1024;
constexpr std::size_t kLargestStep = 256UL * 1024;
constexpr std::uint64_t kSmall = 16UL * 1024;  // a body that touches little of a receive buffer

std::string_view problem_type(Errc code) {
    if (code == Errc::denied) return "http_request_denied";
    return code == Errc::invalid ? "http_request_error" : "proxy_internal_error";
}

Failure no_place(Lanes::Kind kind) {
    Failure failure(Errc::exhausted,
                    "Too many requests to this origin are under way or waiting "
                    "(origin.connections_per_host, origin.queue_per_host).",
                    "connection_limit_reached");
    if (kind == Lanes::Kind::further_part)
        failure.error.code = Errc::unavailable;  // the other parts go on
    else
        failure.error.retry_after = kComeBack;
    return failure;
}

}  // namespace

CurlResponse::CurlResponse(std::shared_ptr<Road> road, ClientOptions options, Request request)
    : road_(std::move(road)),
      options_(std::move(options)),
      request_(std::move(request)),
      answer_(request_.method == "HEAD"),
      answer_wake_(road_->multi->loop()),
      upload_wake_(road_->multi->loop()),
      clock_(road_->multi->loop(), [this] { time_is_up(); }),
      upload_clock_(road_->multi->loop(),
                    [this] {
                        end(Failure(Errc::timed_out, "the origin takes no more of the request",
                                    "connection_write_timeout"));
                    }),
      easy_(road_->multi->take_easy()) {
    auto prepared = prepare();
    if (!prepared) {
        const Errc code = prepared.error().code;
        failure_.emplace(code, std::move(prepared.error().what), problem_type(code));
        stage_ = Stage::ended;
    } else {
        take_a_place();
    }
}

void CurlResponse::take_a_place() {
    ticket_ = std::make_shared<Lanes::Ticket>(
        road_->multi->loop(), static_cast<Lanes::Passenger&>(*this), target_.origin());
    switch (options_.lanes->enter(ticket_, request_.kind)) {
        case Lanes::Entry::go:
            depart();
            return;
        case Lanes::Entry::wait:
            clock_.set(options_.queue_timeout);
            return;
        case Lanes::Entry::full:
            failure_ = no_place(request_.kind);
            stage_ = Stage::ended;
            return;
    }
}

CurlResponse::~CurlResponse() {
    detach();
    if (body_complete_ && !failure_ && !cancelled_) give_easy_back();
}

void CurlResponse::give_easy_back() {
    const bool was_small = received_ <= kSmall;
    road_->multi->give_back(std::move(easy_), was_small ? Multi::Used::little : Multi::Used::all);
}

Expected<void> CurlResponse::prepare() {
    if (!easy_) return fail(Errc::exhausted, "libcurl gives no easy handle");
    auto target = split_url(request_.url);
    if (!target) return fail(std::move(target.error()));
    target_ = std::move(*target);
    route_ = options_.routes->find(target_.host());
    if (auto allowed = check_destination(); !allowed) return allowed;
    if (auto listed = list_fields(request_, target_, fields_); !listed) return listed;
    auto names = set_route(easy_.get(), target_, route_);
    if (!names) return fail(std::move(names.error()));
    names_ = std::move(*names);
    auto configured = configure(easy_.get(), request_, target_, options_, route_, fields_.get());
    if (configured) set_callbacks();
    return configured;
}

// Of redirects, too: each hop is a request of its own. The address is checked by dial(), unless an
// upstream proxy resolves the name.
Expected<void> CurlResponse::check_destination() const {
    const net::DestinationPolicy& policy = *options_.destinations;
    auto allowed = route_.proxy ? policy.check_unresolved(target_.host(), target_.port())
                                : policy.check_host(target_.host());
    return allowed ? policy.check_port(target_.port()) : allowed;
}

void CurlResponse::depart() {
    stage_ = Stage::running;
    clock_.clear();  // libcurl times the way up to the connection
    if (request_.patience) {
        head_due_ = std::chrono::steady_clock::now() + *request_.patience;
        clock_.set(*request_.patience);
    }
    auto added = road_->multi->add(easy_.get(), *this);
    if (!added)
        end(Failure(added.error().code, std::move(added.error().what), "proxy_internal_error"));
}

// Leaves the multi handle and gives the place at the origin to the next request. A transfer that
// is cut here closes its connection.
void CurlResponse::detach() {
    const Stage was = std::exchange(stage_, Stage::ended);
    clock_.clear();
    upload_clock_.clear();
    if (was == Stage::queued) options_.lanes->stop_waiting(*ticket_);
    if (was != Stage::running) return;
    road_->multi->remove(easy_.get(), *this);
    options_.lanes->leave(ticket_->origin);
}

void CurlResponse::end(std::optional<Failure> failure) {
    detach();
    if (failure && !failure_) failure_ = std::move(failure);
    if (failure_)
        road_->log.debug("origin {}: {}: {}", target_.origin(), failure_->proxy_error,
                         failure_->error.what);
    answer_wake_.notify_all();
    upload_wake_.notify_all();
}

void CurlResponse::cancel() {
    if (std::exchange(cancelled_, true)) return;
    detach();
    answer_wake_.notify_all();
    upload_wake_.notify_all();
}

void CurlResponse::transfer_done(CURLcode code) {
    if (try_again(code)) return;
    if (failure_ || body_complete_) {  // the callback that stopped libcurl has said why
        end(std::nullopt);
    } else if (code != CURLE_OK) {
        end(explain(code));
    } else if (!answer_.is_final()) {
        end(Failure(Errc::closed, "the connection ended without a final response",
                    "connection_terminated"));
    } else {
        body_complete_ = true;
        end(std::nullopt);
    }
}

// libcurl repeats a GET whose kept connection turned out to be dead, but not a HEAD.
bool CurlResponse::try_again(CURLcode code) {
    const bool died =
        code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
    long dialled = 1;
    curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &dialled);
    if (!died || dialled > 0 || retried_ || answer_.saw_anything() || !is_repeatable(request_))
        return false;
    retried_ = true;
    curl_easy_setopt(easy_.get(), CURLOPT_FRESH_CONNECT, 1L);
    return road_->multi->add(easy_.get(), *this).has_value();
}

Failure CurlResponse::explain(CURLcode code) const {
    if (denied_ && !dialled_) return *denied_;
    Circumstances known;
    curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &known.os_error);
    known.dialled = dialled_;
    known.head_read = answer_.is_final();
    known.sentence = sentence_.data();
    if (!route_.proxy) return failure_of(code, known);
    long answered = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_HTTP_CONNECTCODE, &answered);
    if (auto refusal = refusal_of_proxy(static_cast<int>(answered))) return std::move(*refusal);
    Failure failure = failure_of(code, known);
    if (!connected_)
        failure.error = std::move(failure.error).within("upstream proxy " + route_.proxy->name());
    if (failure.error.code == Errc::not_found) failure.error.code = Errc::unavailable;
    return failure;
}

// What an upstream proxy says to us about itself; nullopt when it let the request through.
std::optional<Failure> CurlResponse::refusal_of_proxy(int status) const {
    if (status < 300) return std::nullopt;
    return Failure(Errc::unavailable, route_.proxy->refusal(status), "destination_unavailable");
}

std::chrono::milliseconds CurlResponse::time_for_the_head() const {
    if (!request_.patience) return options_.first_byte_timeout;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(head_due_ - std::chrono::steady_clock::now());
    return std::clamp(left, std::chrono::milliseconds(0), options_.first_byte_timeout);
}

void CurlResponse::time_is_up() {
    if (stage_ == Stage::queued) {
        end(no_place(request_.kind));
    } else if (!arrived_.empty()) {
        is_late_ = true;
        answer_wake_.notify_all();
    } else if (!answer_.is_final()) {
        end(Failure(Errc::timed_out, "the origin sends no response head", "http_response_timeout"));
    } else {
        end(Failure(Errc::timed_out, "the origin sends no more of the response's body",
                    "connection_read_timeout"));
    }
}

std::string_view CurlResponse::proxy_error() const {
    return failure_ ? failure_->proxy_error : std::string_view();
}

Task<Expected<http::ResponseHead>> CurlResponse::head() {
    while (!cancelled_ && !answer_.is_final() && stage_ != Stage::ended)
        co_await answer_wake_.wait();
    if (cancelled_) co_return fail(Errc::cancelled, "the request was cancelled");
    if (answer_.is_final() && !proxy_refused_) co_return answer_.head();
    co_return fail(failure_->error);
}

Task<Expected<std::span<const std::byte>>> CurlResponse::read() {
    given_.clear();
    while (!cancelled_ && !has_a_step() && !is_over()) {
        if (!arrived_.empty())
            clock_.set(kStepDelay);
        else if (answer_.is_final())
            clock_.set(options_.stall_timeout);
        co_await answer_wake_.wait();
    }
    if (cancelled_) co_return fail(Errc::cancelled, "the request was cancelled");
    if (!arrived_.empty()) {
        is_late_ = false;
        std::swap(given_, arrived_);
        const bool was_full = given_.size() >= window_;
        if (request_.stored_from) keep_the_odd_end();
        if (was_full) window_ = std::min(window_ * 2, kMostWaiting);
        given_before_ += given_.size();
        resume_receiving();
        co_return std::span<const std::byte>(given_);
    }
    if (failure_ && !body_complete_) co_return fail(failure_->error);
    co_return std::span<const std::byte>();
}

// A file that is written in large steps, each to a multiple of it, lies in the page cache in large
// folios, and is sent from there for up to a sixth less.
std::size_t CurlResponse::step() const { return std::min(window_, kLargestStep); }

std::size_t CurlResponse::to_step_end() const {
    return step() - (*request_.stored_from + given_before_) % step();
}

bool CurlResponse::has_a_step() const {
    if (!request_.stored_from || is_late_ || given_before_ == 0) return !arrived_.empty();
    return arrived_.size() >= to_step_end();
}

void CurlResponse::keep_the_odd_end() {
    const std::size_t first = to_step_end();
    if (is_over() || given_.size() < first) return;
    const std::size_t odd = (given_.size() - first) % step();
    const auto end = given_.end() - static_cast<std::ptrdiff_t>(odd);
    arrived_.assign(end, given_.end());
    given_.erase(end, given_.end());
}

Task<Expected<void>> CurlResponse::write(std::span<const std::byte> bytes) {
    if (request_.body == http::Framing::length && bytes.size() > request_.content_length - sent_)
        co_return fail(Errc::invalid, "the request's body is longer than its Content-Length");
    upload_ = bytes;
    resume_sending();
    run_upload_clock();
    while (!cancelled_ && !upload_.empty() && !upload_over_ && stage_ != Stage::ended)
        co_await upload_wake_.wait();
    const bool taken = std::exchange(upload_, {}).empty();
    upload_clock_.clear();
    if (cancelled_) co_return fail(Errc::cancelled, "the request was cancelled");
    if (taken && !upload_over_) co_return Expected<void>();
    if (failure_) co_return fail(failure_->error);
    co_return fail(Errc::closed, "the origin answered before it had the request's body");
}

void CurlResponse::finish_body() {
    body_finished_ = true;
    resume_sending();
}

}  // namespace hawker::origin
