// Requests to origins, by libcurl's multi interface on one loop. HTTP/1.1; redirects are not
// followed here; TLS is verified but where a route says otherwise; proxy variables and .netrc are
// ignored. The destination policy checks host and port of every request and every address before it
// is dialled; only the upstream proxy of a route is dialled unchecked, because it was configured.
//
// Thread:  the loop's. One Client per loop; it outlives its responses.
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "base/task.h"
#include "daemon/http/message.h"
#include "daemon/net/address.h"
#include "daemon/net/loop.h"
#include "daemon/origin/lanes.h"
#include "daemon/origin/routes.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace hawker::origin {

struct ClientOptions {
    std::shared_ptr<const net::DestinationPolicy> destinations;
    std::shared_ptr<const Routes> routes;
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds first_byte_timeout{
        60'000};                                      // from the request's end to the response head
    std::chrono::milliseconds stall_timeout{30'000};  // without a byte while we are reading
    // At once to one origin, over all clients with the same lanes; further requests wait in line.
    std::size_t connections_per_host = 128;
    std::size_t queue_per_host = 1024;
    std::chrono::milliseconds queue_timeout{30'000};
    std::shared_ptr<Lanes> lanes;  // null: the client has its own
};

struct Request {
    std::string method;
    std::string url;      // sent byte for byte as it stands (CURLOPT_PATH_AS_IS)
    http::Fields fields;  // exactly these; libcurl adds nothing but Host
    http::Framing body = http::Framing::none;  // none, length or chunked
    std::uint64_t content_length = 0;
    // A part of something that is already being fetched.
    Lanes::Kind kind = Lanes::Kind::first;
    // At most this long from when its place at the origin came free to the response head,
    // connecting included. nullopt: as long as the client's own timeouts.
    std::optional<std::chrono::milliseconds> patience = {};
    // The body goes into a file, from this offset on: behind its first bytes read() gives it in
    // large steps that end on multiples of their size there, up to a millisecond late.
    std::optional<std::uint64_t> stored_from;
};

// One request under way. Dropping it ends the transfer; no await may be pending then (cancel()
// first).
class Response {
public:
    virtual ~Response() = default;

    // The final head (1xx are consumed). Errors: denied (policy), exhausted with retry_after (no
    // place at this origin came free; a further part gets `unavailable`), not_found (no such host),
    // unavailable (refused, unreachable, TLS), timed_out, closed, cancelled, invalid (a malformed
    // answer).
    virtual Task<Expected<http::ResponseHead>> head() = 0;
    // Known after head(): how the end of the body is told.
    virtual http::Framing framing() const = 0;
    // Next bytes of the body, transfer coding undone, content coding untouched; empty at the end.
    // Valid until the next call. The connection is paused while nobody reads and 512 KiB are
    // waiting. Errors: closed (fell short), timed_out, cancelled.
    virtual Task<Expected<std::span<const std::byte>>> read() = 0;

    // The request's body: returns when `bytes` were taken. May run beside head() and read(): an
    // origin may answer early.
    virtual Task<Expected<void>> write(std::span<const std::byte> bytes) = 0;
    virtual void finish_body() = 0;

    virtual void cancel() = 0;
    // Why the last await failed in RFC 9209's words ("connection_refused", "tls_certificate_error",
    // ...); empty when it did not.
    virtual std::string_view proxy_error() const = 0;
};

class Client {
public:
    static Expected<std::unique_ptr<Client>> create(net::Loop& loop, const ClientOptions& options,
                                                    const Log& log);
    virtual ~Client() = default;
    virtual std::unique_ptr<Response> send(Request request) = 0;
    // For new requests; running ones keep theirs.
    virtual void set_options(const ClientOptions& options) = 0;
};

}  // namespace hawker::origin
