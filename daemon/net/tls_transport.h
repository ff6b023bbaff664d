// What TLS reads from, and writes to where that is not simply the socket: bytes that somebody has
// read already, then the socket, or another TLS connection (an intercepted tunnel through an
// https:// proxy). For net/ alone.
#pragma once

#include "daemon/net/socket.h"

#include <array>
#include <cstddef>
#include <span>

#include <openssl/bio.h>

namespace hawker::net {

class TlsConnection;

// Gives `early`, which is copied, and then what the socket has; it outlives the BIO. For reading
// only.
BIO* read_early_bytes_first(std::span<const std::byte> early, Socket::State& socket);
// The same, and then what `outer` reads; writes through it. `outer` outlives the BIO.
BIO* through(TlsConnection& outer, std::span<const std::byte> early);
// Of both: the SSL that takes a BIO owns it.

// Of both: is some of `early` left?
bool has_early_bytes(BIO* bio);

// Lends a BIO room to read ahead into, for the time of one call of OpenSSL's. What that call did
// not take is copied at the end: nearly always nothing.
class RoomToReadAhead {
public:
    explicit RoomToReadAhead(BIO* bio);
    ~RoomToReadAhead();
    RoomToReadAhead(const RoomToReadAhead&) = delete;
    RoomToReadAhead& operator=(const RoomToReadAhead&) = delete;

private:
    BIO* bio_;
    // OpenSSL asks for a record's head, then for its body: what one recv(2) brings of both is
    // enough for a request.
    std::array<std::byte, 4096> room_;
};

// OpenSSL reads on for as long as a peer has something to say that is no plaintext (new keys, over
// and over): from here on so many reads are answered, and the rest as if there was nothing.
void begin_turn(BIO* bio);
bool turn_is_over(BIO* bio);

}  // namespace hawker::net
