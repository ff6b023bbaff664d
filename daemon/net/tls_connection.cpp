#include "daemon/net/tls_connection.h"

#include "base/digest.h"
#include "certificates/holder.h"
#include "daemon/net/socket_state.h"
#include "daemon/net/tls_server.h"
#include "daemon/net/tls_transport.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <unistd.h>

namespace hawker::net {

namespace {

constexpr std::size_t kFileRun = 64UL * 1024;  // read at once where the process encrypts

// A ticket that was made under one name, or while other client certificates were good, is no ticket
// under another: the context travels inside.
void bind_sessions_to(SSL* ssl, const std::array<std::byte, 32>& asked, const std::string& name) {
    Sha256 hash;
    hash.update(asked);
    hash.update(name);
    const auto bytes = hash.value();
    static_assert(sizeof(bytes) <= SSL_MAX_SID_CTX_LENGTH);
    ::SSL_set_session_id_context(ssl, reinterpret_cast<const unsigned char*>(bytes.data()),
                                 bytes.size());
}

}  // namespace

void TlsConnection::Free::operator()(ssl_st* ssl) const { ::SSL_free(ssl); }

TlsConnection::TlsConnection(std::shared_ptr<const TlsServer> server, TlsTerms terms,
                             std::span<const std::byte> early, Socket::State& socket,
                             std::unique_ptr<TlsConnection> outer)
    : server_(std::move(server)),
      terms_(std::move(terms)),
      outer_(std::move(outer)),
      ssl_(::SSL_new(server_->state().context.get())) {
    SSL* const ssl = ssl_.get();
    SSL_set_app_data(ssl, this);
    ::SSL_set_accept_state(ssl);
    if (outer_) {
        BIO* const both = through(*outer_, early);
        ::SSL_set_bio(ssl, both, both);
    } else {
        ::SSL_set_fd(ssl, socket.fd.get());
        ::SSL_set0_rbio(ssl, read_early_bytes_first(early, socket));
    }
    bind_sessions_to(ssl, server_->state().asked_of_clients, terms_.expected_name);
    if (terms_.identity) show(ssl, *terms_.identity);
}

TlsConnection::~TlsConnection() = default;

std::unexpected<Error> TlsConnection::failure(int code, int error_number) const {
    if (code == SSL_ERROR_SYSCALL)
        return fail(Errc::closed, error_number == 0 ? std::string("the connection was closed")
                                                    : system_error(error_number, "TLS").what);
    const int reason = ERR_GET_REASON(::ERR_peek_error());
    const std::string complaint = take_complaint();
    if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return fail(Errc::closed, "the connection was closed in the middle of TLS");
    if (!refused_name_.empty())
        return fail(Errc::refused, fmt::format("the client means {}, the tunnel leads to {}",
                                               refused_name_, terms_.expected_name));
    if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
        return fail(Errc::refused, "the client shows no certificate");
    if (const long verdict = ::SSL_get_verify_result(ssl_.get()); verdict != X509_V_OK)
        return fail(Errc::refused, fmt::format("the client's certificate: {}",
                                               ::X509_verify_cert_error_string(verdict)));
    return fail(Errc::invalid, complaint);
}

Expected<Step> TlsConnection::outcome(int result, std::size_t bytes) const {
    const int error_number = errno;
    Step step;
    if (result == 1) {
        step.bytes = bytes;
        return step;
    }
    const int code = ::SSL_get_error(ssl_.get(), result);
    switch (code) {
        case SSL_ERROR_ZERO_RETURN:
            return step;
        case SSL_ERROR_WANT_READ:
            step.waits = turn_is_over(::SSL_get_rbio(ssl_.get())) ? Waits::turn : Waits::read;
            return step;
        case SSL_ERROR_WANT_WRITE:
            step.waits = Waits::write;
            return step;
        default:
            return failure(code, error_number);
    }
}

void TlsConnection::begin() const {
    ::ERR_clear_error();
    errno = 0;
    begin_turn(::SSL_get_rbio(ssl_.get()));
}

Expected<Step> TlsConnection::shake_hands() {
    begin();
    const RoomToReadAhead room(::SSL_get_rbio(ssl_.get()));
    auto step = outcome(::SSL_accept(ssl_.get()), 0);
    if (step && step->waits == Waits::nothing)
        kernel_sends_ = BIO_get_ktls_send(::SSL_get_wbio(ssl_.get())) != 0;
    return step;
}

TlsSession TlsConnection::session() const {
    TlsSession session;
    session.version = ::SSL_get_version(ssl_.get());
    session.resumed = ::SSL_session_reused(ssl_.get()) == 1;
    session.kernel_sends = kernel_sends_;
    const X509* const certificate = ::SSL_get0_peer_certificate(ssl_.get());
    if (certificate) session.client_name = certificates::holder_of(certificate);
    return session;
}

Expected<Step> TlsConnection::read(std::span<std::byte> into) {
    begin();
    const RoomToReadAhead room(::SSL_get_rbio(ssl_.get()));
    std::size_t got = 0;
    const int result = ::SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
    return outcome(result, got);
}

bool TlsConnection::has_read_ahead() const {
    return ::SSL_has_pending(ssl_.get()) == 1 || has_early_bytes(::SSL_get_rbio(ssl_.get())) ||
           (outer_ && outer_->has_read_ahead());
}

Expected<Step> TlsConnection::peek() {
    begin();
    const RoomToReadAhead room(::SSL_get_rbio(ssl_.get()));
    std::byte peeked{};
    std::size_t got = 0;
    const int result = ::SSL_peek_ex(ssl_.get(), &peeked, 1, &got);
    auto step = outcome(result, got);
    if (step && step->waits == Waits::nothing) step->bytes = 1;
    return step;
}

Expected<Step> TlsConnection::write(std::span<const std::byte> bytes) {
    begin();
    std::size_t put = 0;
    const int result = ::SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &put);
    return outcome(result, put);
}

Expected<Step> TlsConnection::send_file(int file, std::uint64_t offset, std::uint64_t length) {
    if (!kernel_sends_) return push_file(file, offset, length);
    begin();
    const ssize_t put = ::SSL_sendfile(ssl_.get(), file, static_cast<off_t>(offset), length, 0);
    if (put == 0) return fail(Errc::corrupt, "a data file is shorter than its index says");
    return outcome(put > 0 ? 1 : static_cast<int>(put),
                   static_cast<std::size_t>(std::max<ssize_t>(put, 0)));
}

// Reads again what a wait interrupted, instead of holding a buffer for every slow client.
Expected<Step> TlsConnection::push_file(int file, std::uint64_t offset, std::uint64_t length) {
    std::array<std::byte, kFileRun> run;  // NOLINT: filled by pread
    const std::size_t wanted = std::min<std::uint64_t>(length, run.size());
    const ssize_t got = ::pread(file, run.data(), wanted, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) return Step();
    if (got < 0) return fail(Errc::corrupt, system_error(errno, "read a data file").what);
    if (static_cast<std::size_t>(got) < wanted)
        return fail(Errc::corrupt, "a data file is shorter than its index says");
    Step all;
    while (all.bytes < wanted) {
        auto step = write(std::span(run).subspan(all.bytes, wanted - all.bytes));
        if (!step) return step;
        all.bytes += step->bytes;
        all.waits = step->waits;
        if (step->waits != Waits::nothing) break;
    }
    return all;
}

Step TlsConnection::say_goodbye() {
    Step step;
    // Once more, and OpenSSL would read what the other side has still to say.
    if (!said_goodbye_ && ::SSL_in_init(ssl_.get()) == 0) {
        ::ERR_clear_error();
        const int result = ::SSL_shutdown(ssl_.get());
        if (result < 0 && ::SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_WRITE) {
            step.waits = Waits::write;
            return step;
        }
        ::ERR_clear_error();
    }
    said_goodbye_ = true;
    return outer_ ? outer_->say_goodbye() : step;
}

}  // namespace hawker::net
