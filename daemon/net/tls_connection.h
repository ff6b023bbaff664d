// The TLS of one socket, without waits: every call does what can be done at once and says what it
// would have to wait for. For net/ alone.
//
// Owner:   the socket's state. Thread: the loop's.
// Failure: as Socket's doors have it; after one, nothing but the end is of use.
#pragma once

#include "daemon/net/socket.h"
#include "daemon/net/tls.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct ssl_st;  // OpenSSL's SSL

namespace hawker::net {

// `turn`: there was so much of TLS's own to read that others are to come first.
enum class Waits : std::uint8_t { nothing, read, write, turn };

// What one call came to.
struct Step {
    Waits waits = Waits::nothing;
    std::size_t bytes = 0;  // moved; 0 of a read that waits for nothing: the end of the stream
};

class TlsConnection {
public:
    // `early` is copied. `outer`, or null: the connection that this one travels in. Part of
    // `socket`, which it reads from.
    TlsConnection(std::shared_ptr<const TlsServer> server, TlsTerms terms,
                  std::span<const std::byte> early, Socket::State& socket,
                  std::unique_ptr<TlsConnection> outer);
    ~TlsConnection();
    TlsConnection(const TlsConnection&) = delete;
    TlsConnection& operator=(const TlsConnection&) = delete;

    Expected<Step> shake_hands();
    TlsSession session() const;

    Expected<Step> read(std::span<std::byte> into);
    // Bytes that the socket has given already and nobody has read: it will not announce them again.
    bool has_read_ahead() const;
    // bytes: 1 when a read() would give something, or the end.
    Expected<Step> peek();
    // After one that waits, the same bytes have to be offered again, or more that begin with them.
    Expected<Step> write(std::span<const std::byte> bytes);
    // From a file: by the kernel where it encrypts. Errc::corrupt as Socket::send_file().
    Expected<Step> send_file(int file, std::uint64_t offset, std::uint64_t length);
    // Tells the other side that nothing more comes; its own goodbye is not waited for. Waits for
    // room to write, or nothing.
    Step say_goodbye();

    // What CONNECT named, for the callback that hears the SNI.
    const TlsTerms& terms() const { return terms_; }
    void refuse_name(std::string name) { refused_name_ = std::move(name); }

private:
    struct Free {
        void operator()(ssl_st* ssl) const;
    };
    void begin() const;
    Expected<Step> outcome(int result, std::size_t bytes) const;
    std::unexpected<Error> failure(int code, int error_number) const;
    Expected<Step> push_file(int file, std::uint64_t offset, std::uint64_t length);

    const std::shared_ptr<const TlsServer> server_;
    const TlsTerms terms_;
    const std::unique_ptr<TlsConnection> outer_;
    std::string refused_name_;
    std::unique_ptr<ssl_st, Free> ssl_;
    bool kernel_sends_ = false;
    bool said_goodbye_ = false;
};

}  // namespace hawker::net
