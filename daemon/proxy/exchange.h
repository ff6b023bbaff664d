// One request and its response: the road of the design, from a parsed head to a line in the access
// log.
//
// Owner:   the connection, for the time of one request. Thread: the loop's.
// Failure: none to the caller. Every way off the road ends in an answer, or, once bytes are out, in
// a cut connection. Stop:    abort() makes what it waits for give up; serve() then returns soon.
#pragma once

#include "daemon/proxy/cancellation.h"
#include "daemon/proxy/client_input.h"
#include "daemon/proxy/dragonfly_fields.h"
#include "daemon/proxy/errands.h"
#include "daemon/proxy/forwarding.h"
#include "daemon/proxy/interception.h"
#include "daemon/proxy/pacer.h"
#include "daemon/proxy/proxy.h"
#include "daemon/proxy/response_writer.h"

#include <memory>
#include <optional>
#include <string>

namespace hawker::proxy {

// What every road of an exchange works with. Lives as long as the exchange.
struct Context {
    net::Loop& loop;
    Services& services;
    std::shared_ptr<const Settings> settings;
    net::Socket& client;
    ClientInput& input;
    const http::RequestHead& request;
    RequestBody& body;
    ResponseWriter& out;
    ExchangeRecord& record;
    filters::Decision& decision;
    std::string& url_room;  // of a URL that is put together
    Pacer pacer;
    Cancellation cancel;
    std::size_t listener_place = 0;
    std::string_view client_name = {};    // Address::client(): what limits are for
    std::string_view known_user = {};     // whom a certificate, or the tunnel outside, has named
    const Intercepted* inside = nullptr;  // the tunnel that the request came through, if any
    std::optional<Intercepted> opened =
        std::nullopt;  // by this CONNECT: what follows on the socket is inside
    DragonflyFields dragonfly = {};
    const MirrorTurn* mirror = nullptr;  // what a mirror changes; null: a forward proxy's exchange
    // What the client was told came from where an upstream had led to.
    bool is_told_elsewhere = false;
    std::string_view url = {};   // of the request, once serve_url() knows it
    Errands* errands = nullptr;  // of the loop

    const ListenerTerms& listener() const { return settings->listeners[listener_place]; }
    const admission::UserTerms& user_terms() const {
        return settings->users->terms_of(record.user);
    }
    origin::Client& origin() const { return services.client_of(loop); }
};

// Sends an answer of our own: one plain sentence with the cure, Proxy-Status, no cache. Closes
// after it when the request's body was not read.
Task<void> answer(Context& context, int status, std::string_view proxy_error, std::string sentence,
                  std::optional<std::chrono::milliseconds> retry_after = std::nullopt);
// The same for an Error, by the one table of http::answer_for.
Task<void> answer(Context& context, const Error& error, std::string_view proxy_error = {});
// Ends the connection without a clean end of the body: the client sees a failed download, never a
// short file.
void cut(Context& context, const Error& error);

// What goes up with this request: its end-to-end fields (`fetch_fields` or `forwarded_fields`), and
// a mirror's own token where the client has none.
http::Fields with_token(const Context& context, http::Fields fields);

// The roads. Each returns when the response has ended, one way or the other.
Task<void> pass_through(Context& context);
Task<void> serve_from_cache(Context& context);
Task<void> serve_by_http(Context& context);  // policy http
Task<void> open_tunnel(Context& context);
// Relays a response whose head was read already: origin's status, fields and body, unchanged.
Task<void> relay(Context& context, http::ResponseHead head, origin::Response& response);

// What the rules are asked about a request for `url`; both outlive the question.
filters::Question question_of(const Context& context, std::string_view url);

// The URL for people's eyes: the record's where it has one, else written into it now, from the one
// that serve_url() knows. Most requests leave nothing that anybody reads.
const std::string& loggable_url(const Context& context);

// The road of a request that knows its URL, which outlives it: the rules decide.
Task<void> serve_url(Context& context, std::string_view url);

// Chooses the road.
Task<void> serve(Context& context);

}  // namespace hawker::proxy
