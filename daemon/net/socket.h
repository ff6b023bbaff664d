// A connected stream socket (TCP or Unix) whose waits are awaits.
//
// Thread:   the loop's.
// Failure:  Errc::closed (peer reset, EPIPE, or close() of ours), Errc::timed_out (no progress for
//           `deadline`; the text names what was waited for).
// Stop:     close() ends every pending await with Errc::closed, as a job of the loop; the object
// may
//           be dropped once they have returned. At most one pending reader-side and one pending
//           writer-side await at a time (asserted).
// Fairness: after 2 MiB without a wait an await goes on behind the loop's other work, however fast
// the
//           other side is.
#pragma once

#include "base/error.h"
#include "base/executor.h"
#include "base/task.h"
#include "base/unique_fd.h"
#include "daemon/net/address.h"
#include "daemon/net/loop.h"
#include "daemon/net/tls.h"

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <sys/uio.h>

namespace hawker::net {

using Deadline = std::chrono::milliseconds;  // without progress

class Socket {
public:
    // Takes a non-blocking descriptor.
    Socket(Loop& loop, UniqueFd fd);
    ~Socket();
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    // Makes this connection the server's side of a TLS connection; from then on every other
    // operation moves plaintext. On a TLS connection: another one inside of it. `early` is what was
    // read already and belongs to the handshake. `deadline` is for the whole handshake.
    // Errors: timed_out, closed, invalid (not TLS, no common version), refused (the name, the
    // client's certificate).
    Task<Expected<TlsSession>> accept_tls(std::shared_ptr<const TlsServer> server, TlsTerms terms,
                                          std::span<const std::byte> early, Deadline deadline);
    bool is_tls() const;

    // At least one byte, or 0 at the end of the stream. Tries the system call before it waits.
    Task<Expected<std::size_t>> read(std::span<std::byte> into, Deadline deadline,
                                     std::string_view waiting_for);
    // What has come already, without a wait; nullopt where nothing has.
    std::optional<Expected<std::size_t>> read_now(std::span<std::byte> into,
                                                  std::string_view waiting_for);
    // Returns when a read would not block: there is a byte, the end, or an error for it to tell.
    // Holds no buffer meanwhile.
    Task<Expected<void>> readable(Deadline deadline, std::string_view waiting_for);
    // co_await socket.rest(): as readable(), for a connection that may have nothing to say for
    // long. Until then it costs the socket alone: no deadline, no timer, no frame. close() ends it.
    // With TLS it ends at once: what arrives need not be plaintext.
    class Rest;
    Rest rest();
    // All bytes of all parts (writev). With Follows::more the kernel may keep back what fills no
    // segment until the next write or send_file.
    enum class Follows : std::uint8_t { nothing, more };
    Task<Expected<void>> write(std::span<const std::span<const std::byte>> parts, Deadline deadline,
                               Follows follows = Follows::nothing);
    Task<Expected<void>> write(std::string_view text, Deadline deadline);
    // `length` bytes of the file from `offset`, by sendfile. Returns what was sent before the error
    // through `sent`. Errc::corrupt when the file is shorter or cannot be read.
    Task<Expected<void>> send_file(int file, std::uint64_t offset, std::uint64_t length,
                                   Deadline deadline, std::uint64_t& sent);
    // The same of what may not be in memory: a thread of `pool` waits for the disk, and sends. The
    // `ahead` bytes that follow are read meanwhile, as a hint. Not with TLS.
    Task<Expected<void>> send_cold_file(Executor& pool, int file, std::uint64_t offset,
                                        std::uint64_t length, std::uint64_t ahead,
                                        Deadline deadline, std::uint64_t& sent);
    // What one call of the kernel moves of a file, and what moves before the loop's other work gets
    // its turn.
    static constexpr std::uint64_t kWindow = 2ULL << 20U;
    // TCP_CORK: nothing but full segments leaves, for at most 200 ms.
    void cork();
    void uncork();
    // Nothing more comes from us. With TLS that is said in so many words, and `deadline` is for the
    // room it takes; whoever does not hear it takes what he has for cut off.
    Task<void> shutdown_write(Deadline deadline);
    void close();
    // The same, and the other side hears a reset, not an end: what it has not got is lost.
    void reset();
    bool is_closed() const;
    Loop& loop();
    int fd() const;
    // Of no family when the connection has ended.
    Address peer() const;

    struct State;  // for net/ alone
    State& state() { return *state_; }

private:
    std::unique_ptr<State> state_;
};

class Socket::Rest {
public:
    explicit Rest(State& state) : state_(state) {}
    bool await_ready() const;
    void await_suspend(std::coroutine_handle<> waiter) const;
    void await_resume() const noexcept;

private:
    State& state_;
};
inline Socket::Rest Socket::rest() { return Rest(*state_); }

// Who pays for bytes before they go: see tunnel().
class Pace {
public:
    virtual std::uint64_t quantum() const = 0;
    virtual Task<void> before(std::uint64_t bytes) = 0;

protected:
    ~Pace() = default;
};

// Moves bytes both ways by splice(2) until both sides have ended; half-closes are passed on. Ends
// with Errc::timed_out when neither side moved for `idle`, and with Errc::closed when either side
// is reset, behind what that side had said, or closed by its owner. `to_right`/`to_left` count
// bytes that were handed over. A quiet tunnel holds no pipe. With a `pace` both directions wait for
// it before they hand over. Whoever called it closes both sockets when it has ended with an error.
struct TunnelBytes {
    std::uint64_t to_right = 0;
    std::uint64_t to_left = 0;
};
Task<Expected<void>> tunnel(Socket& left, Socket& right, Deadline idle, TunnelBytes& bytes,
                            Pace* pace = nullptr);

// Tries the addresses in turn, each until `deadline`. The last one's error: Errc::unavailable when
// it refused, Errc::timed_out when it did not answer, Errc::exhausted when we have no descriptor
// left. `sources`: as socket_towards() has it.
Task<Expected<std::unique_ptr<Socket>>> connect(Loop& loop, std::span<const Address> addresses,
                                                Deadline deadline,
                                                std::span<const Address> sources = {});

// A new non-blocking socket, bound to the first of `sources` of the destination's family; with no
// sources the kernel chooses. Errc::unavailable when there are some, but none that fits or can be
// bound: nothing ever leaves from another address than the configured ones.
Expected<UniqueFd> socket_towards(const Address& destination, std::span<const Address> sources);

}  // namespace hawker::net
