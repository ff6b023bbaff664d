// An origin on loopback that says exactly what a test wrote for it, well-formed or not; and the
// client under test, on the same loop.
#pragma once

#include "base/task_group.h"
#include "daemon/net/listener.h"
#include "daemon/origin/client.h"

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace hawker::origin {

inline constexpr net::Deadline kSoon{5'000};            // will not pass unless something is broken
inline constexpr std::chrono::milliseconds kShort{30};  // is meant to pass

enum class After { keep, close, reset, hang };

struct Answer {
    std::string bytes;
    After after = After::keep;
    std::size_t body_first = 0;  // bytes of the request's body to read before answering
};

class ScriptedOrigin {
public:
    explicit ScriptedOrigin(net::Loop& loop)
        : loop_(loop),
          serving_(loop),
          listener_(std::move(*net::Listener::open(loop, *net::Address::parse("127.0.0.1:0")))) {
        serving_.spawn(accept_all());
    }

    // What the next request gets; requests beyond the script find the connection closed.
    void says(std::string bytes, After after = After::keep, std::size_t body_first = 0) {
        script_.push_back(Answer(std::move(bytes), after, body_first));
    }
    std::string url(std::string_view path = "/object") const {
        return fmt::format("http://127.0.0.1:{}{}", listener_->address().port(), path);
    }
    std::string authority() const {
        return fmt::format("127.0.0.1:{}", listener_->address().port());
    }

    Task<void> close() {
        listener_->close();
        for (const auto& socket : sockets_) socket->close();
        co_await serving_.drained();
    }

    std::vector<std::string> requests;  // heads as they came
    std::vector<std::string> peers;     // the address of every connection's other end
    std::string body;                   // of all requests
    std::size_t connections = 0;
    std::size_t bytes_sent = 0;

private:
    Task<void> accept_all() {
        for (;;) {
            auto socket = co_await listener_->accept();
            if (!socket) co_return;
            ++connections;
            const std::string peer = (*socket)->peer().to_string();
            peers.push_back(peer.substr(0, peer.rfind(':')));
            sockets_.push_back(std::move(*socket));
            serving_.spawn(serve(*sockets_.back()));
        }
    }

    // False at the end of the stream.
    static Task<bool> read_more(net::Socket& socket, std::string& into) {
        std::array<std::byte, 64 * 1024> buffer{};
        auto got = co_await socket.read(buffer, kSoon, "a request");
        if (!got || *got == 0) co_return false;
        into.append(reinterpret_cast<const char*>(buffer.data()), *got);
        co_return true;
    }

    Task<void> serve(net::Socket& socket) {
        std::string input;
        for (;;) {
            std::size_t end = std::string::npos;
            while ((end = input.find("\r\n\r\n")) == std::string::npos) {
                const bool more = co_await read_more(socket, input);
                if (!more) {
                    socket.close();
                    co_return;
                }
            }
            requests.push_back(input.substr(0, end + 4));
            input.erase(0, end + 4);
            const bool goes_on = co_await play(socket, input);
            if (!goes_on) co_return;
        }
    }

    Task<bool> play(net::Socket& socket, std::string& input) {
        if (script_.empty()) {
            socket.close();
            co_return false;
        }
        const Answer answer = std::move(script_.front());
        script_.pop_front();
        while (input.size() < answer.body_first) {
            const bool more = co_await read_more(socket, input);
            if (!more) break;
        }
        body += input.substr(0, answer.body_first);
        input.erase(0, answer.body_first);
        for (std::size_t at = 0; at < answer.bytes.size(); at += kPart) {
            auto sent =
                co_await socket.write(std::string_view(answer.bytes).substr(at, kPart), kSoon);
            if (!sent) co_return false;
            bytes_sent += std::min(kPart, answer.bytes.size() - at);
        }
        if (answer.after == After::keep) co_return true;
        if (answer.after == After::hang) {
            std::string ignored;
            for (bool more = true; more;) more = co_await read_more(socket, ignored);
        }
        if (answer.after == After::reset) {
            const linger at_once{1, 0};
            ::setsockopt(socket.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        }
        socket.close();
        co_return false;
    }

    static constexpr std::size_t kPart = 64UL * 1024;
    net::Loop& loop_;
    TaskGroup serving_;
    std::unique_ptr<net::Listener> listener_;
    std::vector<std::unique_ptr<net::Socket>> sockets_;
    std::deque<Answer> script_;
};

// "HTTP/1.1 200 OK" with a Content-Length.
inline std::string ok(std::string_view body, std::string_view fields = "") {
    return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{}\r\n{}", body.size(), fields,
                       body);
}

class WithOrigin : public testing::Test {
public:
    WithOrigin() : loop(std::move(*net::Loop::create())), origin(*loop) {
        net::DestinationPolicy policy;
        policy.allow.push_back(*net::Cidr::parse("127.0.0.0/8"));
        options.destinations = std::make_shared<const net::DestinationPolicy>(policy);
        options.connect_timeout = kSoon;
        options.first_byte_timeout = kSoon;
        options.stall_timeout = kSoon;
        use(options);
    }

    void use(const ClientOptions& with) { client = std::move(*Client::create(*loop, with, *log)); }

    // Runs the loop until `story` is told. Once a test.
    void run(Task<void> story) {
        TaskGroup group(*loop);
        group.spawn(tell(std::move(story)));
        loop->run();
    }

    static Request get(std::string url) {
        Request request;
        request.method = "GET";
        request.url = std::move(url);
        return request;
    }

    struct Outcome {
        std::string body;
        Errc error = Errc::invalid;
        bool whole = false;
    };
    static Task<Outcome> read_all(Response& response) {
        Outcome outcome;
        for (;;) {
            auto bytes = co_await response.read();
            if (!bytes) {
                outcome.error = bytes.error().code;
                co_return outcome;
            }
            if (bytes->empty()) break;
            outcome.body.append(reinterpret_cast<const char*>(bytes->data()), bytes->size());
        }
        outcome.whole = true;
        co_return outcome;
    }

    std::unique_ptr<Log> log = Log::silent();
    std::unique_ptr<net::Loop> loop;
    ScriptedOrigin origin;
    ClientOptions options;
    std::unique_ptr<Client> client;

private:
    Task<void> tell(Task<void> story) {
        co_await story;
        client.reset();  // its kept connections end, so the origin's do
        co_await origin.close();
        loop->stop();
    }
};

}  // namespace hawker::origin
