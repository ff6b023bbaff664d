// Bytes from a client: request heads and request bodies, in order, pipelined or not.
//
// Owner:   the connection. Thread: the loop's.
// While the connection is idle no buffer is held.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/task.h"
#include "daemon/http/chunked.h"
#include "daemon/http/request_parser.h"
#include "daemon/net/socket.h"
#include "daemon/proxy/exchange_memory.h"
#include "daemon/proxy/proxy.h"

#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

namespace hawker::proxy {

inline constexpr std::size_t kBodyRead = 64UL * 1024;  // bytes asked of the kernel at once

class ClientInput {
public:
    ClientInput(net::Socket& socket, const Clock& clock, ExchangeSpares& spares)
        : socket_(socket), clock_(clock), spares_(spares) {}

    // A request head, in what its exchange will need; or what was wrong with it; or why there is
    // none (closed: the client is done; timed_out).
    using Head = std::variant<ExchangeSpares::Lent, http::BadRequest, Error>;
    Task<Head> next_head(const Settings& settings);

    // Bytes that have arrived and belong to nobody yet.
    std::span<const std::byte> buffered() const { return std::span(buffer_).subspan(begin_); }
    void consume(std::size_t bytes);
    // Waits for more; Errc::closed at the end of the stream.
    Task<Expected<void>> fill(net::Deadline deadline, std::string_view waiting_for,
                              std::size_t at_once = kBodyRead);

private:
    // Of what has come already, without a wait; nullopt where that is nothing, or a part of a head,
    // which is then buffered.
    std::optional<Head> head_at_once(const Settings& settings);
    // nullopt: not complete yet. `consumed`: how many of the bytes belong to it.
    std::optional<Head> read_head(std::span<const std::byte> bytes, const Settings& settings,
                                  std::size_t& consumed);

    net::Socket& socket_;
    const Clock& clock_;
    ExchangeSpares& spares_;
    std::vector<std::byte> buffer_;
    std::size_t begin_ = 0;
};

// The body of one request, framing undone.
class RequestBody {
public:
    RequestBody(ClientInput& input, const http::RequestHead& head, net::Deadline deadline);
    RequestBody(const RequestBody&) = delete;
    RequestBody& operator=(const RequestBody&) = delete;
    // Gives back what was lent: the next byte of the input is the next request's.
    ~RequestBody() { input_.consume(lent_); }

    // The next bytes, valid until the next call; empty at the end. Errc::invalid for a broken
    // chunk, closed, timed_out.
    Task<Expected<std::span<const std::byte>>> read();
    bool finished() const { return finished_; }
    bool is_empty() const { return framing_ == http::Framing::none; }
    std::uint64_t received() const { return received_; }

private:
    Expected<std::span<const std::byte>> take_from(std::span<const std::byte> available);

    ClientInput& input_;
    http::Framing framing_;
    net::Deadline deadline_;
    std::uint64_t remaining_;
    http::ChunkDecoder decoder_;
    std::size_t lent_ = 0;  // bytes at the front of the input that the caller is looking at
    std::uint64_t received_ = 0;
    bool finished_;
};

}  // namespace hawker::proxy
