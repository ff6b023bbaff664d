#include "bench/load.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hawker::bench {

namespace {

double ms_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

[[noreturn]] void give_up(const std::string& what) { throw std::runtime_error(what); }

double own_cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double quantile(std::vector<float> values, double share) {
    if (values.empty()) return 0;
    const auto at = std::min(values.size() - 1,
                             static_cast<std::size_t>(share * static_cast<double>(values.size())));
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at),
                     values.end());
    return values[at];
}

}  // namespace

Load::Load(Options options)
    : options_(std::move(options)), epoll_(::epoll_create1(EPOLL_CLOEXEC)), random_(options_.seed) {
    connections_.resize(options_.connections);
    if (!options_.tls) return;
    tls_.reset(::SSL_CTX_new(::TLS_client_method()));
    ::SSL_CTX_set_read_ahead(tls_.get(), 1);
    ::SSL_CTX_set_default_read_buffer_len(tls_.get(), buffer_.size());
}

// xorshift64*
std::uint64_t Load::random() {
    random_ ^= random_ >> 12U;
    random_ ^= random_ << 25U;
    random_ ^= random_ >> 27U;
    return random_ * 2685821657736338717ULL;
}

std::uint64_t Load::next_object() {
    object_ = (object_ + 7919) % options_.objects;
    return object_;
}

std::string Load::request_for(Connection& connection) {
    std::string target = options_.target;
    if (const auto at = target.find("{i}"); at != std::string::npos)
        target.replace(at, 3, std::to_string(next_object()));
    if (const auto at = target.find("{n}"); at != std::string::npos)
        target.replace(at, 3, fmt::format("{:016x}{:08x}", random(), ++serial_));
    std::string request = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n", target, options_.host);
    if (options_.range > 0) {
        const std::uint64_t begin =
            options_.in_order ? connection.offset : random() % (options_.size - options_.range + 1);
        const std::uint64_t end = std::min(begin + options_.range, options_.size);
        connection.offset = end == options_.size ? 0 : end;
        request += fmt::format("Range: bytes={}-{}\r\n", begin, end - 1);
    }
    return request + "\r\n";
}

void Load::dial(Connection& connection) {
    connection.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection.asked = Clock::now();
    if (::connect(connection.fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
        give_up(fmt::format("connect: {}", std::strerror(errno)));
    const int on = 1;
    ::setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &connection;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
    connection.tunnelled = options_.tunnel.empty();
}

void Load::ask_for_tunnel(Connection& connection) {
    connection.out = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n\r\n", options_.tunnel);
    connection.head.clear();
    flush(connection);
}

// Before the time runs: they would be a good part of a short measure of what comes after them.
void Load::shake_hands_first() {
    for (Connection& connection : connections_) {
        dial(connection);
        if (!connection.tunnelled) {
            ask_for_tunnel(connection);
            const ssize_t got = ::recv(connection.fd, buffer_.data(), buffer_.size(), 0);
            const std::string_view answer(buffer_.data(),
                                          static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
            if (!answer.starts_with("HTTP/1.1 200") || !answer.ends_with("\r\n\r\n"))
                give_up("no tunnel: " + std::string(answer.substr(0, 400)));
            connection.tunnelled = true;
        }
        begin_tls(connection);
    }
}

void Load::open(Connection& connection) {
    if (connection.tls) return ask(connection);
    dial(connection);
    if (connection.tunnelled) return begin(connection);
    ask_for_tunnel(connection);
}

void Load::begin(Connection& connection) {
    if (options_.tls) begin_tls(connection);
    ask(connection);
}

void Load::begin_tls(Connection& connection) {
    connection.tls.reset(::SSL_new(tls_.get()));
    ::SSL_set_fd(connection.tls.get(), connection.fd);
    if (::SSL_connect(connection.tls.get()) != 1) give_up("TLS: the handshake failed");
    ::fcntl(connection.fd, F_SETFL, ::fcntl(connection.fd, F_GETFL) | O_NONBLOCK);
}

void Load::ask(Connection& connection) {
    connection.out = request_for(connection);
    connection.head.clear();
    connection.in_body = false;
    connection.first_seen = false;
    if (!options_.fresh) connection.asked = Clock::now();
    flush(connection);
}

// Requests are far smaller than a socket's buffer.
void Load::flush(Connection& connection) {
    const auto& out = connection.out;
    if (connection.tls) {
        std::size_t put = 0;
        if (::SSL_write_ex(connection.tls.get(), out.data(), out.size(), &put) != 1)
            give_up("TLS: nothing can be sent");
    } else if (::send(connection.fd, out.data(), out.size(), MSG_NOSIGNAL) !=
               static_cast<ssize_t>(out.size()))
        give_up(fmt::format("send: {}", std::strerror(errno)));
}

void Load::take_head(Connection& connection, std::string_view got) {
    connection.head.append(got);
    const auto end = connection.head.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const std::string_view head = std::string_view(connection.head).substr(0, end + 2);
    const std::uint64_t begun = connection.head.size() - end - 4;
    const std::string_view status = head.substr(9, 3);
    if (status != "200" && status != "206") give_up(std::string(head.substr(0, 400)));
    if (!connection.tunnelled) {
        connection.tunnelled = true;
        if (options_.range == 0 && options_.target.empty()) return finish(connection);
        return begin(connection);
    }
    for (const std::string_view name : {"\r\nContent-Length: ", "\r\ncontent-length: "}) {
        const auto at = head.find(name);
        if (at == std::string_view::npos) continue;
        const char* digits = head.data() + at + name.size();
        std::from_chars(digits, head.data() + head.size(), connection.left);
        connection.in_body = true;
        if (connection.left < begun) give_up("more than was announced");
        connection.left -= begun;
        bytes_ += begun;
        if (connection.left == 0) finish(connection);
        return;
    }
    give_up("no Content-Length: " + std::string(head.substr(0, 400)));
}

// Of TLS not a byte can be dropped unread: it is decrypted, by everybody's client alike. -1 with
// EAGAIN when there is nothing.
ssize_t Load::receive(Connection& connection, std::size_t most, bool drops) {
    if (!connection.tls)
        return ::recv(connection.fd, buffer_.data(), most, MSG_DONTWAIT | (drops ? MSG_TRUNC : 0));
    std::size_t got = 0;
    const int result =
        ::SSL_read_ex(connection.tls.get(), buffer_.data(), std::min(most, buffer_.size()), &got);
    if (result == 1) return static_cast<ssize_t>(got);
    errno = ::SSL_get_error(connection.tls.get(), result) == SSL_ERROR_WANT_READ ? EAGAIN : EPROTO;
    return -1;
}

// What OpenSSL has read ahead makes no socket readable.
void Load::on_readable(Connection& connection) {
    while (take(connection) && connection.tls && ::SSL_has_pending(connection.tls.get()) == 1) {
    }
}

bool Load::take(Connection& connection) {
    const bool drops = connection.in_body && connection.left > 0;
    const std::size_t most = drops ? std::min<std::uint64_t>(connection.left, 4U << 20U)
                                   : std::min<std::size_t>(buffer_.size(), 16U << 10U);
    const ssize_t got = receive(connection, most, drops);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (got <= 0) give_up(fmt::format("cut off with {} bytes left", connection.left));
    if (!connection.first_seen && connection.tunnelled) {
        connection.first_seen = true;
        first_bytes_.push_back(static_cast<float>(ms_since(connection.asked)));
    }
    const auto size = static_cast<std::size_t>(got);
    if (!drops) {
        take_head(connection, std::string_view(buffer_.data(), size));
        return true;
    }
    bytes_ += size;
    connection.left -= size;
    if (connection.left == 0) finish(connection);
    return true;
}

bool Load::is_over(const Connection& connection) const {
    return options_.requests > 0 ? connection.done >= options_.requests : ms_left() <= 0;
}

// A slow server's last responses would be a measure without most of its clients.
double Load::ms_left() const {
    constexpr double kAtMostWithoutAByte = 60'000;
    if (options_.requests > 0) return kAtMostWithoutAByte;
    return options_.seconds * 1e3 - ms_since(started_);
}

void Load::finish(Connection& connection) {
    latencies_.push_back(static_cast<float>(ms_since(connection.asked)));
    ++requests_;
    ++connection.done;
    if (is_ahead()) return ahead_.push_back(&connection);
    go_on(connection);
}

void Load::go_on(Connection& connection) {
    const bool over = is_over(connection);
    if (over || options_.fresh) {
        connection.tls.reset();
        ::close(connection.fd);
    }
    if (over) {
        --running_;
        return;
    }
    if (options_.fresh) return open(connection);
    ask(connection);
}

bool Load::is_ahead() const {
    return options_.rate > 0 &&
           static_cast<double>(bytes_) > options_.rate * ms_since(started_) / 1e3;
}

void Load::run() {
    if (options_.tls) shake_hands_first();
    started_ = Clock::now();
    running_ = connections_.size();
    std::size_t opened = 0;
    std::array<epoll_event, 256> events{};
    for (double left = ms_left(); running_ > 0 && left > 0; left = ms_left()) {
        const double count = static_cast<double>(connections_.size());
        while (opened < connections_.size() &&
               ms_since(started_) >= options_.within * 1e3 * static_cast<double>(opened) / count)
            open(connections_[opened++]);
        if (!ahead_.empty() && !is_ahead()) {
            go_on(*ahead_.front());
            ahead_.pop_front();
            continue;
        }
        const bool has_time = opened == connections_.size() && ahead_.empty();
        const int timeout = has_time ? static_cast<int>(left) + 1 : 1;
        const int ready =
            ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
        if (ready == 0 && has_time && options_.requests > 0) give_up("nothing came for a minute");
        for (int i = 0; i < ready; ++i)
            on_readable(*static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr));
    }
    ended_ = Clock::now();
}

void Load::print() const {
    const double seconds = std::chrono::duration<double>(ended_ - started_).count();
    fmt::print(
        R"({{"requests": {}, "bytes": {}, "seconds": {:.6f}, "p50_ms": {:.4f}, "p99_ms": {:.4f}, )"
        R"("first_byte_p50_ms": {:.4f}, "first_byte_max_ms": {:.4f}, "cpu_seconds": {:.4f}}})"
        "\n",
        requests_, bytes_, seconds, quantile(latencies_, 0.5), quantile(latencies_, 0.99),
        quantile(first_bytes_, 0.5), quantile(first_bytes_, 1.0), own_cpu_seconds());
}

}  // namespace hawker::bench
