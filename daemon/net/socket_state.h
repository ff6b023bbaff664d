// A socket's waits; for net/ alone.
#pragma once

#include "daemon/net/loop_state.h"
#include "daemon/net/socket.h"
#include "daemon/net/tls_connection.h"

#include <cassert>
#include <coroutine>
#include <cstdint>
#include <optional>

namespace hawker::net {

// What one socket may move before the loop's other work gets its turn.
constexpr std::uint64_t kTurnBytes = Socket::kWindow;

enum class Wakened : std::uint8_t { ready, timed_out, closed };

// One of the two sides that a coroutine can wait on.
struct Side {
    std::coroutine_handle<> waiter;
    EventPtr timer;  // made at the first wait, kept
    Wakened outcome = Wakened::ready;
    bool claimed = false;
    bool ready = true;  // as far as the kernel has said: a call may find something to do
};

// Held by an operation for as long as it runs: there is one at a time on each side.
class Claim {
public:
    explicit Claim(Side& side) : side_(side) {
        assert(!side.claimed && "one await a side");
        side_.claimed = true;
    }
    ~Claim() { side_.claimed = false; }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

private:
    Side& side_;
};

struct Socket::State {
    State(Loop& its_loop, UniqueFd its_fd) : loop(its_loop), fd(std::move(its_fd)) {}

    Loop& loop;
    UniqueFd fd;
    EventPtr event;  // edge-triggered, both directions, for the life of the socket
    Side read_side;
    Side write_side;
    std::uint64_t moved = 0;             // bytes since the last wait or turn
    std::unique_ptr<TlsConnection> tls;  // since accept_tls()
    bool closed = false;
    bool peer_ended = false;  // its FIN has been announced
    // The last read took all that had come, and more will be announced. Only who has written since
    // may count on it: a reset that came with those bytes has been announced with them.
    bool drained = false;
    bool we_ended = false;  // ours has been sent

    static void on_event(int fd, short what, void* argument);
    static void on_read_timeout(int fd, short what, void* argument);
    static void on_write_timeout(int fd, short what, void* argument);
    // Who waits goes on as a job of the loop, as if the side were ready.
    void nudge(Side& side) const;
    // Pending waits and later ones return `closed`. The descriptor stays as it is.
    void end_waits();
    void close();
    // Nothing more is written: our FIN goes behind what was.
    void end_writing();

    // Would a read not block? As far as the kernel has said, and then by a look.
    std::optional<Expected<void>> look(std::string_view waiting_for);
    // One recv(2). nullopt where nothing has come.
    std::optional<Expected<std::size_t>> receive(std::span<std::byte> into,
                                                 std::string_view waiting_for);

    // The socket's operations where there is TLS. A deadline of reading is for plaintext, whatever
    // else arrives.
    Task<Expected<std::size_t>> read_tls(std::span<std::byte> into, Deadline deadline,
                                         std::string_view waiting_for);
    std::optional<Expected<std::size_t>> receive_tls(std::span<std::byte> into);
    Task<Expected<void>> readable_tls(Deadline deadline, std::string_view waiting_for);
    Task<Expected<void>> write_tls(std::span<const std::span<const std::byte>> parts,
                                   Deadline deadline);
    Task<Expected<void>> send_file_tls(int file, std::uint64_t offset, std::uint64_t length,
                                       Deadline deadline, std::uint64_t& sent);
    Task<void> say_goodbye(Deadline deadline);
    Task<Expected<void>> wait_to_read(Waits what, SteadyTime end, std::string_view waiting_for);
};

// co_await Wait(state, side, ...): until the descriptor is ready again on that side. To be used
// after EAGAIN only.
class Wait {
public:
    Wait(Socket::State& state, Side& side, Deadline deadline)
        : state_(state), side_(side), deadline_(deadline) {}
    bool await_ready() const noexcept { return state_.closed; }
    void await_suspend(std::coroutine_handle<> waiter);
    Wakened await_resume() const noexcept {
        return state_.closed ? Wakened::closed : side_.outcome;
    }

private:
    Socket::State& state_;
    Side& side_;
    Deadline deadline_;
};

// co_await Turn(state, bytes): after `bytes` moved. Goes on at once until kTurnBytes have moved
// without a wait, and then as a job, behind the neighbours'.
class Turn {
public:
    Turn(Socket::State& state, std::uint64_t bytes) : state_(state) { state_.moved += bytes; }
    bool await_ready() const noexcept { return state_.moved < kTurnBytes; }
    void await_suspend(std::coroutine_handle<> waiter) const;
    void await_resume() const noexcept {}

private:
    Socket::State& state_;
};

// What a wait's end means as an error; `ready` is none.
Expected<void> to_expected(Wakened outcome, std::string_view waiting_for);

}  // namespace hawker::net
