// Many requests over many connections from one thread, bodies dropped in the kernel (MSG_TRUNC), so
// that the client is not what is measured.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/ssl.h>

namespace hawker::bench {

using Clock = std::chrono::steady_clock;

struct Options {
    std::uint16_t port = 0;
    std::string host;
    std::string target;  // {i}: an object's number, {n}: a number never used before
    std::string tunnel;  // CONNECT to this first
    std::uint64_t objects = 1;
    std::size_t connections = 1;
    double seconds = 0;          // until then, what is under way is cut off; or
    std::uint64_t requests = 0;  // so many on each connection
    double within = 0;           // seconds over which the connections begin
    std::uint64_t range = 0;     // bytes of one; 0: whole
    std::uint64_t size = 0;      // of the object, where there are ranges
    double rate = 0;             // bytes a second of all connections together; 0: no limit
    bool in_order = false;       // ranges one after the other, not anywhere
    bool fresh = false;          // a connection for each request
    bool tls = false;            // behind the tunnel, if there is one; nothing is verified
    std::uint64_t seed = 1;
};

struct FreeTls {
    void operator()(SSL* tls) const { ::SSL_free(tls); }
    void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
};

struct Connection {
    int fd = -1;
    std::unique_ptr<SSL, FreeTls> tls;  // once it is spoken
    bool tunnelled = false;
    std::string out;
    std::uint64_t left = 0;  // of the body
    bool in_body = false;
    std::string head;
    Clock::time_point asked;
    bool first_seen = false;
    std::uint64_t done = 0;
    std::uint64_t offset = 0;
};

class Load {
public:
    explicit Load(Options options);
    void run();
    void print() const;

private:
    std::uint64_t random();
    std::uint64_t next_object();
    std::string request_for(Connection& connection);
    void dial(Connection& connection);
    void ask_for_tunnel(Connection& connection);
    void shake_hands_first();
    void open(Connection& connection);
    void begin(Connection& connection);
    void ask(Connection& connection);
    void flush(Connection& connection);
    void begin_tls(Connection& connection);
    void on_readable(Connection& connection);
    bool take(Connection& connection);
    ssize_t receive(Connection& connection, std::size_t most, bool drops);
    void take_head(Connection& connection, std::string_view got);
    void finish(Connection& connection);
    bool is_over(const Connection& connection) const;
    double ms_left() const;
    bool is_ahead() const;
    void go_on(Connection& connection);

    Options options_;
    int epoll_;
    std::uint64_t random_;
    std::uint64_t object_ = 0, serial_ = 0;
    std::vector<Connection> connections_;
    std::array<char, 1U << 17U> buffer_{};
    std::unique_ptr<SSL_CTX, FreeTls> tls_;
    std::vector<float> latencies_, first_bytes_;  // ms
    std::uint64_t bytes_ = 0, requests_ = 0;
    std::size_t running_ = 0;
    std::deque<Connection*> ahead_;  // of the rate: they ask again when it has caught up
    Clock::time_point started_, ended_;
};

}  // namespace hawker::bench
