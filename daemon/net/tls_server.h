// What OpenSSL keeps for all handshakes of one TlsServer. For net/ alone.
#pragma once

#include "daemon/net/tls.h"

#include <array>
#include <cstddef>

#include <openssl/ssl.h>

namespace hawker::net {

struct FreeContext {
    void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
};

struct TlsServer::State {
    std::unique_ptr<SSL_CTX, FreeContext> context;
    // SHA-256 of whose certificates are good and whether one is needed; zero: nobody is asked.
    std::array<std::byte, 32> asked_of_clients{};
};

// Shows `identity` in this handshake, or in all of a context's that bring none of their own.
bool show(SSL* ssl, const certificates::Identity& identity);
bool show(SSL_CTX* context, const certificates::Identity& identity);

// The first thing that OpenSSL complained of on this thread, in its fixed words; the queue is left
// empty.
std::string take_complaint();

}  // namespace hawker::net
