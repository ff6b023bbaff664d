// splice: the least that a tunnel can cost. CONNECT is taken from anybody to anywhere on loopback,
// and from then on each direction is a thread that moves bytes by splice(2) and does nothing else:
// no policy, no deadline, no counter. For one measure of the benchmark alone.
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr std::size_t kPipe = 1U << 20U;  // as hawker's of a busy tunnel

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void move_bytes(int from, int to) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    ::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(kPipe));
    for (;;) {
        ssize_t left = ::splice(from, nullptr, ends[1], nullptr, kPipe, SPLICE_F_MOVE);
        if (left <= 0) break;
        while (left > 0) {
            const ssize_t put = ::splice(ends[0], nullptr, to, nullptr,
                                         static_cast<std::size_t>(left), SPLICE_F_MOVE);
            if (put <= 0) break;
            left -= put;
        }
        if (left > 0) break;
    }
    ::shutdown(from, SHUT_RD);
    ::shutdown(to, SHUT_WR);
    ::close(ends[0]);
    ::close(ends[1]);
}

// The port of "CONNECT host:port HTTP/1.1", after the whole head; 0 when it is none.
std::uint16_t read_head(int client) {
    std::string head;
    std::array<char, 1024> buffer{};
    while (!head.ends_with("\r\n\r\n")) {
        const ssize_t got = ::recv(client, buffer.data(), buffer.size(), 0);
        if (got <= 0) return 0;
        head.append(buffer.data(), static_cast<std::size_t>(got));
    }
    const auto colon = head.find(':');
    if (colon == std::string::npos) return 0;
    return static_cast<std::uint16_t>(std::strtoul(head.c_str() + colon + 1, nullptr, 10));
}

void serve(int client) {
    const int origin = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(read_head(client));
    const std::string answer = "HTTP/1.1 200 OK\r\n\r\n";
    if (::connect(origin, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
        ::send(client, answer.data(), answer.size(), MSG_NOSIGNAL) > 0) {
        std::thread back(move_bytes, origin, client);
        move_bytes(client, origin);
        back.join();
    }
    ::close(origin);
    ::close(client);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    std::signal(SIGPIPE, SIG_IGN);
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address =
        loopback(static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10)));
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        ::listen(listener, 4096) != 0) {
        std::perror("listen");
        return 1;
    }
    std::vector<std::jthread> served;  // until the process is ended
    for (;;) {
        const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        const int on = 1;
        if (client < 0) continue;
        ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        served.emplace_back(serve, client);
    }
}
