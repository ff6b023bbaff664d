// A listening socket on one loop. With SO_REUSEPORT several loops listen on the same address, and
// the kernel spreads connections.
#pragma once

#include "daemon/net/socket.h"

#include <memory>
#include <optional>

namespace hawker::net {

class Listener {
public:
    // Nobody listens there yet, on behalf of this process or another: two that open() the same
    // address share its connections. Errc::invalid in words.
    static Expected<void> check_is_free(const Address& address);
    // Port 0 takes a free one; address() tells. Errc::invalid in words when the address is in use
    // or not ours.
    // `mode` is for the file of a Unix socket; without one the umask decides.
    static Expected<std::unique_ptr<Listener>> open(Loop& loop, const Address& address,
                                                    std::optional<unsigned> mode = std::nullopt);
    // A descriptor that somebody else (systemd, another loop's listener) has bound.
    static Expected<std::unique_ptr<Listener>> adopt(Loop& loop, UniqueFd fd);
    ~Listener();

    // The next connection: non-blocking, TCP_NODELAY, with at most 256 KiB in the kernel that are
    // not on their way. One at a time. Out of descriptors it turns one connection away, pauses and
    // returns Errc::exhausted: call again. Errc::closed after close().
    Task<Expected<std::unique_ptr<Socket>>> accept();
    // Ends a pending accept and gives up the descriptor: from now on connections are refused. The
    // object may be dropped once the accept has returned.
    void close();
    // Also after close().
    Address address() const;

private:
    struct State;
    explicit Listener(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace hawker::net
