// TLS on accepted connections: what is common to all of one listener, and what one handshake is
// about. Socket::accept_tls() does it. TLS 1.2 and 1.3, ALPN http/1.1, session tickets.
//
// Thread:  TlsServer is immutable and shared by all loops.
#pragma once

#include "base/error.h"
#include "certificates/identity.h"

#include <cstdint>
#include <memory>
#include <string>

namespace hawker::net {

enum class ClientCertificates : std::uint8_t { ignored, wanted, required };

class TlsServer;

struct TlsServerOptions {
    // What clients are shown; null when every handshake brings its own.
    std::shared_ptr<const certificates::Identity> identity;
    // Mutual TLS: whose signatures on client certificates count (a PEM file).
    std::string client_ca_file;
    ClientCertificates client_certificates = ClientCertificates::ignored;
    // The server that this one takes over from, or null. Its clients' session tickets stay good
    // where the same is asked of them.
    std::shared_ptr<const TlsServer> before;
};

class TlsServer {
public:
    // Errc::invalid in words: no such file, no certificate in it, ...
    static Expected<std::shared_ptr<const TlsServer>> create(const TlsServerOptions& options);
    ~TlsServer();

    struct State;  // for net/ alone
    const State& state() const { return *state_; }

private:
    explicit TlsServer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// One handshake.
struct TlsTerms {
    std::shared_ptr<const certificates::Identity> identity;  // null: the server's own
    // The name that the client must mean: an SNI that is another one is refused with
    // `unrecognized_name` (no SNI is fine). Empty: any. Sessions are only resumed under the name
    // that they were made under.
    std::string expected_name;
};

// What came of it.
struct TlsSession {
    std::string version;  // "TLSv1.3"
    bool resumed = false;
    bool kernel_sends = false;  // kTLS: send_file() is sendfile(2)
    // Whom the verified client certificate is for (certificates/holder.h); empty without one.
    std::string client_name;
};

}  // namespace hawker::net
