// The counters, as Prometheus reads them. Every label has a small, fixed set of values: no host, no
// URL, no task.
//
// Thread: any. Counting is an atomic addition to a counter that was looked up before.
#pragma once

#include "base/error.h"
#include "cache/cache.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace hawker::admin {

// How a fetch ended.
enum class FetchEnd : std::uint8_t { done, failed, stopped };

// What is missing for one more client.
enum class Shortage : std::uint8_t { none, connections, descriptors, memory };

// Whose TLS handshakes: a listener's clients, or those of a tunnel that is opened.
enum class Handshakes : std::uint8_t { listener, intercept };

enum class Asked : std::uint8_t { admitted, missing, wrong, busy };

class Metrics {
public:
    explicit Metrics(std::string_view version);
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    // One exchange. `source` is one of hit, partial, miss, joined, pass, tunnel, intercept, error;
    // anything else counts as `error`. `status` 0: nothing was sent. `sent` and `received` are
    // bytes of bodies.
    void exchange(std::string_view source, int status, std::uint64_t sent, std::uint64_t received);
    void connection_opened();
    void connection_closed();
    void connection_refused(Shortage of);
    // An accept that pauses until there is room again.
    void accept_paused(Shortage of);
    // Idle connections that were closed to make room.
    void connections_shed(std::size_t number);
    // What the process holds in memory of its own.
    void set_memory(std::uint64_t bytes);
    // Clients that wait for what another has asked: whether a hit may be read, or what a mirror's
    // upstream says.
    void set_access_waiting(std::size_t clients);
    std::uint64_t open_connections() const;
    // A tunnel to a host that a caching rule could have matched.
    void tunnel_could_have_been_cached();
    void handshake_done(Handshakes where, bool resumed, bool kernel_sends);
    void handshake_failed(Handshakes where, Errc error);
    // What came of asking a client who it is.
    void asked_for_user(Asked what);
    // A client whose own line was full.
    void client_turned_away();
    // Requests that wait for their client's turn, and those that wait for a place at their origin.
    void set_waiting(std::size_t for_clients, std::size_t for_origins);
    // `bytes` came from origins.
    void fetch(FetchEnd end, std::uint64_t bytes, std::chrono::milliseconds cost);

    // The text format. `usage` is what the cache says now.
    std::string text(const cache::Usage& usage);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace hawker::admin
