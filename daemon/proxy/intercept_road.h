// CONNECT to a host whose tunnels are opened: TLS is ended here, with a leaf of our own.
#pragma once

#include "daemon/proxy/exchange.h"
#include "filters/url.h"

#include <cstdint>
#include <string_view>

namespace hawker::proxy {

enum class Opening : std::uint8_t {
    opened,   // context.opened is set; requests follow on the same socket
    not_tls,  // the client was told 200 and speaks something else: its tunnel stays opaque
    failed,   // nothing is left to be said; context.record tells why
};

// Answers 200 and does the handshake, all of it within `timeouts.handshake`.
Task<Opening> open_for_inspection(Context& context, filters::Authority authority);

inline constexpr std::string_view kEstablished = "HTTP/1.1 200 Connection established\r\n\r\n";

}  // namespace hawker::proxy
