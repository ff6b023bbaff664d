#include "daemon/proxy/connection.h"

#include "daemon/proxy/exchange.h"

namespace hawker::proxy {

namespace {

// RFC 9112 section 9.6: half-close, and read on for a moment.
constexpr std::chrono::milliseconds kLinger{1'000};
constexpr std::size_t kMostDropped = 4UL << 20U;  // who sends more does not listen

std::chrono::milliseconds since(const Clock& clock, SteadyTime start) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(clock.now() - start);
}

}  // namespace

Connection::Connection(net::Loop& loop, Services& services, IdleOrder& idle_order, Errands& errands,
                       ExchangeSpares& spares, std::unique_ptr<net::Socket> client,
                       std::size_t listener)
    : loop_(loop),
      services_(services),
      idle_order_(idle_order),
      errands_(errands),
      spares_(spares),
      client_(std::move(client)),
      listener_(listener),
      input_(*client_, services.clock, spares) {
    const net::Address peer = client_->peer();
    peer_ = peer.to_string();
    client_name_ = peer.client();
    admitted_ = services.settings()->listeners[listener].admits(peer);
}

void Connection::drain() {
    draining_ = true;
    if (idle_) client_->close();
}

void Connection::abort() {
    draining_ = true;
    if (cancel_) cancel_->ask();
    client_->close();
}

void Connection::expire() {
    if (resting_) client_->close();
}

// Whoever never gets through it is as idle as one who never asks.
Task<bool> Connection::shake_hands() {
    const std::shared_ptr<const Settings> settings = services_.settings();
    const std::shared_ptr<const net::TlsServer> server = settings->listeners[listener_].tls;
    if (!server) co_return true;
    const net::TlsTerms own_identity;
    const std::span<const std::byte> none;  // has arrived early
    join(idle_order_, services_.clock.now());
    auto session =
        co_await client_->accept_tls(server, own_identity, none, settings->handshake_timeout);
    leave();
    HandshakeRecord record;
    if (session) {
        record.session = *session;
        // Whoever signs certificates may write anything into them; the name stands in the log.
        if (admission::is_user_name(session->client_name)) certificate_user_ = session->client_name;
    } else {
        record.error = session.error().code;
    }
    services_.observer.handshake_done(record);
    if (!session) services_.log.debug("{}: TLS handshake: {}", peer_, session.error().what);
    co_return session.has_value();
}

// Who is not among the listener's clients is not worth an answer: it costs a close.
Task<bool> Connection::begin() {
    if (!admitted_) co_return false;
    const bool agreed = co_await shake_hands();
    if (!agreed) client_->close();
    co_return agreed;
}

net::Socket::Rest Connection::rest() {
    idle_ = true;
    resting_ = true;
    join(idle_order_, services_.clock.now());
    return client_->rest();
}

Task<bool> Connection::work() {
    do {
        resting_ = false;
        if (draining_) co_return false;
        const std::shared_ptr<const Settings> settings = services_.settings();
        ClientInput::Head head = co_await input_.next_head(*settings);
        idle_ = false;
        leave();
        if (std::holds_alternative<Error>(head)) co_return false;
        if (std::holds_alternative<http::BadRequest>(head)) {
            co_await refuse(std::move(std::get<http::BadRequest>(head)), settings);
            co_return false;
        }
        // Those that hold now: the wait may have been long, and the user may have gone meanwhile.
        const bool goes_on = co_await serve_one(std::move(std::get<ExchangeSpares::Lent>(head)),
                                                services_.settings());
        if (!goes_on) co_return false;
    } while (!input_.buffered().empty());
    co_return !draining_;
}

Task<void> Connection::end() {
    co_await client_->shutdown_write(services_.settings()->write_timeout);
    client_->close();
}

Task<bool> Connection::serve_one(ExchangeSpares::Lent memory,
                                 std::shared_ptr<const Settings> settings) {
    const SteadyTime start = services_.clock.now();
    const http::RequestHead& request = memory->request;
    ExchangeRecord& record = memory->record;
    record.method = request.method;
    record.client = peer_;
    RequestBody body(input_, request, settings->body_timeout);
    ResponseWriter out(*client_, request, settings->write_timeout, services_.clock, memory->head);
    if (draining_) out.close_after();
    Context context(loop_, services_, settings, *client_, input_, request, body, out, record,
                    memory->decision, memory->url, Pacer(loop_, services_.clock, *client_), {});
    cancel_ = &context.cancel;
    context.listener_place = listener_;
    context.client_name = client_name_;
    context.known_user = certificate_user_;
    context.errands = &errands_;
    if (inside_) {
        context.inside = inside_.get();
        context.known_user = inside_->user;
    }
    co_await serve(context);
    cancel_ = nullptr;
    if (record.url.empty() && services_.observer.wants_urls())
        record.url = filters::loggable_url(request.target);
    const bool opened = context.opened.has_value();
    if (opened) inside_ = std::make_unique<const Intercepted>(std::move(*context.opened));
    if (out.status() != 0) record.status = out.status();
    if (record.source != "tunnel") {
        record.bytes = out.body_bytes();
        record.received = body.received();
    }
    record.duration = since(services_.clock, start);
    if (const auto first = out.first_byte_at())
        record.first_byte = std::chrono::duration_cast<std::chrono::milliseconds>(*first - start);
    services_.observer.exchange_done(record);
    if (opened) co_return true;
    if (out.finished() && !body.finished()) {
        co_await client_->shutdown_write(kLinger);
        co_await drop_the_rest(*settings);
    }
    co_return out.can_continue() && body.finished();
}

Task<void> Connection::drop_the_rest(const Settings& settings) {
    const SteadyTime deadline = services_.clock.now() + kLinger;
    for (std::size_t dropped = 0; services_.clock.now() < deadline && dropped < kMostDropped;) {
        dropped += input_.buffered().size();
        input_.consume(input_.buffered().size());
        auto more = co_await input_.fill(std::min(kLinger, settings.body_timeout),
                                         "the client to stop sending");
        if (!more) break;
    }
}

Task<void> Connection::refuse(http::BadRequest bad, std::shared_ptr<const Settings> settings) {
    const ExchangeSpares::Lent memory = spares_.take();
    http::RequestHead& nothing = memory->request;
    nothing.method = "GET";
    nothing.keep_alive = false;
    ExchangeRecord& record = memory->record;
    record.client = peer_;
    RequestBody body(input_, nothing, settings->body_timeout);
    ResponseWriter out(*client_, nothing, settings->write_timeout, services_.clock, memory->head);
    Context context(loop_, services_, settings, *client_, input_, nothing, body, out, record,
                    memory->decision, memory->url, Pacer(loop_, services_.clock, *client_), {});
    co_await answer(context, bad.status, "http_request_error", std::move(bad.sentence));
    record.status = out.status();
    services_.observer.exchange_done(record);
    co_await client_->shutdown_write(kLinger);
    co_await drop_the_rest(*settings);
}

}  // namespace hawker::proxy
