// Requests that are not for the cache: to the origin and back, streamed both ways, changed only as
// RFC 9110 section 7.6 asks.
#include "daemon/proxy/pass_through.h"

#include "daemon/http/caching.h"
#include "daemon/proxy/http_road.h"
#include "daemon/proxy/invalidation.h"

#include <charconv>

#include <fmt/format.h>

namespace hawker::proxy {

namespace {

// After an early answer the client may still be sending. Closing at once would reset the connection
// and could destroy the answer on its way (RFC 9112 section 9.6), so a little more is read and
// dropped.
constexpr std::chrono::milliseconds kUploadLinger{2'000};

// Carries the request's body to the origin while the response may already be coming back.
class Upload {
public:
    explicit Upload(Context& context) : context_(context) {}

    Task<void> run(origin::Response& response) {
        while (!context_.body.finished()) {
            auto bytes = co_await context_.body.read();
            if (!bytes) {
                error_ = std::move(bytes.error());
                break;
            }
            if (origin_is_done_ || bytes->empty()) continue;
            auto written = co_await response.write(*bytes);
            if (!written)
                origin_is_done_ = true;  // it answered early, or is gone: its head() tells
        }
        if (error_)
            response.cancel();
        else if (!origin_is_done_)
            response.finish_body();
    }

    void origin_is_done() { origin_is_done_ = true; }
    const std::optional<Error>& error() const { return error_; }

private:
    Context& context_;
    bool origin_is_done_ = false;
    std::optional<Error> error_;
};

// Waits for the rest of an upload whose response is over; closes the connection rather than wait
// long.
Task<void> end_upload(Context& context, Upload& upload, Task<void>& running,
                      origin::Response& response) {
    upload.origin_is_done();
    if (running.done()) co_return;
    context.out.close_after();
    response.cancel();
    co_await context.client.shutdown_write(kUploadLinger);
    net::Timer patience(context.loop, [&client = context.client] { client.close(); });
    patience.set(kUploadLinger);
    co_await running;
}

// An answer to POST may be for later GETs too.
Task<bool> keep_for_gets(Context& context, std::unique_ptr<origin::Response>& response,
                         Expected<http::ResponseHead>& head, WallTime asked) {
    if (context.request.method != "POST") co_return false;
    HttpStore::Answer answer;
    answer.response = std::move(response);
    answer.head = std::move(head);
    answer.times.asked = asked;
    answer.times.answered = context.services.clock.wall();
    context.cancel = [&answer] {
        if (answer.response) answer.response->cancel();
    };
    const bool served = co_await serve_post_by_http(context, answer);
    response = std::move(answer.response);
    head = std::move(answer.head);
    context.cancel = nullptr;
    if (!served) context.cancel = [&response] { response->cancel(); };
    co_return served;
}

bool relays_a_body(const http::ResponseHead& head, const http::RequestHead& request) {
    return request.method != "HEAD" && head.status != 204 && head.status != 304;
}

}  // namespace

std::optional<std::uint64_t> announced_length(const http::ResponseHead& head) {
    const auto value = head.fields.get("Content-Length");
    std::uint64_t length = 0;
    if (!value) return std::nullopt;
    const char* const end = value->data() + value->size();
    const auto read = std::from_chars(value->data(), end, length);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return length;
}

bool is_upstreams_fault(Errc code) {
    return code != Errc::cancelled && code != Errc::denied && code != Errc::exhausted;
}

bool has_failed(const Expected<http::ResponseHead>& head) {
    return head ? head->status >= 500 : is_upstreams_fault(head.error().code);
}

origin::Request origin_request(const Context& context) {
    origin::Request request;
    request.method = context.request.method;
    request.url = context.decision.origin_url;
    request.fields =
        with_token(context, forwarded_fields(context.request, context.settings->pseudonym));
    request.body = context.request.framing;
    request.content_length = context.request.content_length;
    if (context.request.method == "OPTIONS") {
        const auto left = context.request.fields.get("Max-Forwards");
        std::uint64_t hops = 0;
        if (left &&
            std::from_chars(left->data(), left->data() + left->size(), hops).ec == std::errc() &&
            hops > 0)
            request.fields.set("Max-Forwards", fmt::format("{}", hops - 1));
    }
    return request;
}

Task<void> relay(Context& context, http::ResponseHead head, origin::Response& response) {
    const bool has_body = relays_a_body(head, context.request);
    if (context.mirror) turn_to_client(*context.mirror, head);
    const auto length = announced_length(head);
    make_relayable(head, context.settings->pseudonym);
    if (head.status >= 400) tell_blame(context, head.fields, "backend");
    if (has_body && response.framing() == http::Framing::until_close) context.out.end_by_closing();
    const bool without_body = head.status == 204 || head.status == 304;
    context.out.begin(std::move(head), without_body ? std::nullopt : length);
    while (has_body) {
        auto bytes = co_await response.read();
        if (!bytes) {
            // Nobody has seen the head yet: there is still something to be said.
            if (context.out.withdraw())
                co_await answer(context, bytes.error());
            else
                cut(context, bytes.error());
            co_return;
        }
        if (bytes->empty()) break;
        auto sent = co_await context.out.body(*bytes);
        if (!sent) {
            cut(context, sent.error());
            co_return;
        }
    }
    auto finished = co_await context.out.finish();
    if (!finished) cut(context, finished.error());
}

Task<void> pass_through(Context& context) {
    context.record.source = "pass";
    if (context.mirror) {
        const bool has_passed = co_await pass_upward(context);
        if (has_passed) co_return;
    }
    const WallTime asked = context.services.clock.wall();
    auto response = context.origin().send(origin_request(context));
    context.cancel = [&response] { response->cancel(); };
    // Before there is anybody else who writes to the client.
    Expected<void> continued;
    if (!context.body.finished()) continued = co_await context.out.continue_reading();
    if (!continued) {
        response->cancel();
        context.cancel = nullptr;
        cut(context, continued.error());
        co_return;
    }
    Upload upload(context);
    Task<void> uploading = upload.run(*response);
    auto head = co_await response->head();
    if (head) {
        co_await invalidate_after(context, *head);
        if (uploading.done()) {
            const bool served = co_await keep_for_gets(context, response, head, asked);
            if (served) co_return;
        }
        http::CacheStatus status;
        status.fwd = context.decision.road == filters::Road::pass ? "bypass" : "miss";
        if (context.request.method != "GET" && context.request.method != "HEAD")
            status.fwd = "method";
        status.fwd_status = head->status;
        head->fields.add("Cache-Status", status.serialize());
        co_await relay(context, std::move(*head), *response);
    } else if (upload.error() && upload.error()->code == Errc::invalid) {
        co_await answer(context, 400, "http_request_error", upload.error()->what);
    } else if (upload.error()) {
        cut(context, *upload.error());
    } else {
        co_await answer(context, head.error(), response->proxy_error());
    }
    co_await end_upload(context, upload, uploading, *response);
    response->cancel();
    context.cancel = nullptr;
}

}  // namespace hawker::proxy
