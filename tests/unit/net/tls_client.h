// The other side of TLS: OpenSSL's client on a thread of its own, with blocking calls.
#pragma once

#include "certificates/leaf_store.h"
#include "daemon/net/tls.h"

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

namespace hawker::net {

struct FreeSsl {
    void operator()(SSL* ssl) const { ::SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
    void operator()(SSL_SESSION* session) const { ::SSL_SESSION_free(session); }
    void operator()(BIO* bio) const { ::BIO_free(bio); }
    void operator()(X509* certificate) const { ::X509_free(certificate); }
};

// One client that trusts `root` (PEM).
class TlsClient {
public:
    explicit TlsClient(const std::string& root) : context_(::SSL_CTX_new(::TLS_client_method())) {
        const std::unique_ptr<BIO, FreeSsl> text(
            ::BIO_new_mem_buf(root.data(), static_cast<int>(root.size())));
        const std::unique_ptr<X509, FreeSsl> certificate(
            ::PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr));
        ::X509_STORE_add_cert(::SSL_CTX_get_cert_store(context_.get()), certificate.get());
        ::SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    }
    SSL_CTX* context() const { return context_.get(); }

    // Takes a blocking descriptor. "ok", or OpenSSL's words for what went wrong.
    std::string shake_hands(int fd, const std::string& name = {}) {
        ssl_.reset(::SSL_new(context_.get()));
        ::SSL_set_fd(ssl_.get(), fd);
        // The macro for this hides a cast of the old style.
        if (!name.empty())
            ::SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                       const_cast<char*>(name.c_str()));
        if (session_) ::SSL_set_session(ssl_.get(), session_.get());
        return ::SSL_connect(ssl_.get()) == 1 ? "ok" : complaint();
    }
    // Inside of a connection that another one has made.
    std::string shake_hands_inside(const TlsClient& outer, const std::string& name) {
        ssl_.reset(::SSL_new(context_.get()));
        BIO* const both = ::BIO_new(::BIO_f_ssl());
        BIO_set_ssl(both, outer.ssl(), BIO_NOCLOSE);
        ::SSL_set_bio(ssl_.get(), both, both);
        ::SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                   const_cast<char*>(name.c_str()));
        return ::SSL_connect(ssl_.get()) == 1 ? "ok" : complaint();
    }
    // A session whose connection ended without a goodbye would be thrown away by its own client.
    void keep_session() {
        ::SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        session_.reset(::SSL_get1_session(ssl_.get()));
    }
    bool resumed() const { return ::SSL_session_reused(ssl_.get()) == 1; }
    SSL* ssl() const { return ssl_.get(); }

    bool send(std::string_view text) const {
        return ::SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) > 0;
    }
    // Up to `most` bytes, or to the end.
    std::string receive(std::size_t most) const {
        std::string all;
        std::string run(64UL * 1024, '\0');
        while (all.size() < most) {
            const std::size_t wanted = std::min(run.size(), most - all.size());
            const int got = ::SSL_read(ssl_.get(), run.data(), static_cast<int>(wanted));
            if (got <= 0) break;
            all.append(run, 0, static_cast<std::size_t>(got));
        }
        return all;
    }
    // Did the other side say goodbye?
    bool has_ended_well() const {
        char byte = 0;
        const int got = ::SSL_read(ssl_.get(), &byte, 1);
        return ::SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN;
    }

    static std::string complaint() {
        const unsigned long code = ::ERR_peek_error();
        const char* const reason = code == 0 ? nullptr : ::ERR_reason_error_string(code);
        ::ERR_clear_error();
        return reason ? reason : "closed";
    }

private:
    std::unique_ptr<SSL_CTX, FreeSsl> context_;
    std::unique_ptr<SSL_SESSION, FreeSsl> session_;
    std::unique_ptr<SSL, FreeSsl> ssl_;
};

}  // namespace hawker::net
