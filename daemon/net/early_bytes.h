// A BIO for a TLS handshake whose first bytes somebody has read already. For net/ alone.
#pragma once

#include <cstddef>
#include <span>

#include <openssl/bio.h>

namespace hawker::net {

// Gives `early`, which is copied, and then what the socket has. For reading only. The caller, or
// the SSL that takes it, owns it; the descriptor stays its owner's.
BIO* read_early_bytes_first(std::span<const std::byte> early, int fd);

}  // namespace hawker::net
