// A socket's waits; for net/ alone.
#pragma once

#include "daemon/net/loop_state.h"
#include "daemon/net/socket.h"

#include <coroutine>

namespace hawker::net {

enum class Wakened : std::uint8_t { ready, timed_out, closed };

// One of the two sides that a coroutine can wait on.
struct Side {
    std::coroutine_handle<> waiter;
    EventPtr timer;  // made at the first wait, kept
    Wakened outcome = Wakened::ready;
};

struct Socket::State {
    State(Loop& its_loop, UniqueFd its_fd) : loop(its_loop), fd(std::move(its_fd)) {}

    Loop& loop;
    UniqueFd fd;
    EventPtr event;  // edge-triggered, both directions, for the life of the socket
    Side read_side;
    Side write_side;
    bool closed = false;

    static void on_event(int fd, short what, void* argument);
    static void on_read_timeout(int fd, short what, void* argument);
    static void on_write_timeout(int fd, short what, void* argument);
    void close();
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

// What a wait's end means as an error; `ready` is none.
Expected<void> to_expected(Wakened outcome, std::string_view waiting_for);

}  // namespace hawker::net
