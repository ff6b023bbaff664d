// A client with TLS on a thread, and our side of the connection on the test's loop.
#pragma once

#include "tests/unit/net/on_loop.h"
#include "tests/unit/net/tls_client.h"

#include <cstdio>
#include <functional>
#include <optional>
#include <semaphore>

#include <linux/sockios.h>
#include <sys/ioctl.h>

namespace hawker::net {

inline constexpr const char* kHost = "cdn.example";

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

class TlsTest : public OnLoop {
public:  // for the coroutines of single tests
    TlsTest()
        : authority(certificates::Authority::create({}, clock.wall()).value()),
          leaf(authority->mint(kHost, clock.wall(), std::chrono::hours(24)).value()),
          client(authority->certificate_pem()) {
        server = TlsServer::create({}).value();
        terms.identity = leaf;
        terms.expected_name = kHost;
    }
    ~TlsTest() override { hang_up(); }

    using Steps = std::function<Task<void>()>;

    // A new connection on a new loop; `talk` is the client, on a thread of its own.
    void connect(const std::function<void(int fd)>& talk) {
        hang_up();
        loop = std::move(*Loop::create());
        std::array<int, 2> ends{};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
        ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
        near = std::make_unique<Socket>(*loop, UniqueFd(ends[0]));
        far = UniqueFd(ends[1]);
        other_side = std::thread([talk, fd = ends[1]] { talk(fd); });
    }
    void hang_up() {
        if (near) near->close();
        if (other_side.joinable()) other_side.join();
        near.reset();
    }
    // Our side: the handshake, `then` the rest; until the client has done its part, too.
    void accept(const Steps& then = {}) {
        run(accepted(this, then));
        if (!session) near->close();
        other_side.join();
    }
    static Task<void> accepted(TlsTest* self, Steps then) {
        auto made = co_await self->near->accept_tls(
            self->server, self->terms, std::as_bytes(std::span(self->early)), self->patience);
        self->session = std::move(made);
        if (!self->session || !then) co_return;
        auto rest = then();
        co_await rest;
    }
    // One handshake with a client that means `name`.
    void shake(const std::string& name = {}) {
        connect([this, name](int fd) { said = client.shake_hands(fd, name); });
        accept();
    }

    static Task<void> send(TlsTest* self, std::vector<std::string> texts) {
        std::vector<std::span<const std::byte>> parts;
        for (const std::string& text : texts) parts.push_back(std::as_bytes(std::span(text)));
        auto written = co_await self->near->write(parts, kSoon);
        EXPECT_TRUE(written) << written.error().what;
    }
    static Task<void> send_file(TlsTest* self, int file, std::uint64_t from, std::uint64_t length,
                                std::uint64_t* sent) {
        auto done = co_await self->near->send_file(file, from, length, kSoon, *sent);
        if (!done) self->error = done.error().code;
    }
    static Task<void> end(TlsTest* self, bool is_orderly) {
        if (!is_orderly) self->near->close();
        co_await self->near->shutdown_write(kSoon);
        co_await self->near->shutdown_write(kSoon);
    }
    // Until the kernel takes nothing more, and then the end; the client begins to read after it.
    static Task<void> fill_and_end(TlsTest* self) {
        int room = 0;
        socklen_t length = sizeof(room);
        ::getsockopt(self->near->fd(), SOL_SOCKET, SO_SNDBUF, &room, &length);
        for (int queued = 0; queued < room; ::ioctl(self->near->fd(), SIOCOUTQ, &queued)) {
            const std::string text = pattern(1000);
            auto written = co_await self->near->write(text, kSoon);
            EXPECT_TRUE(written) << written.error().what;
            self->sent_until_full += text;
        }
        Task<void> ending = self->near->shutdown_write(kSoon);
        EXPECT_FALSE(ending.done()) << "there was room";
        self->go.release();
        co_await ending;
    }
    void wait_for_go() { go.acquire(); }
    // Both at once; the client begins to speak and to read once we are stuck.
    static Task<void> send_and_hear(TlsTest* self, std::string text, std::string* heard) {
        Task<Expected<void>> sending = self->near->write(text, kSoon);
        EXPECT_FALSE(sending.done());
        self->go.release();
        co_await read_all(self, heard);
        auto sent = co_await sending;
        EXPECT_TRUE(sent) << sent.error().what;
    }
    static Task<void> read_one_byte(TlsTest* self) {
        auto ready = co_await self->near->readable(kSoon, "a byte");
        EXPECT_TRUE(ready);
        std::array<std::byte, 8> buffer{};
        auto got = co_await self->near->read(buffer, kSoon, "a byte");
        EXPECT_EQ(got.value_or(0), 1U);
        auto more = co_await self->near->readable(kShort, "another byte");
        EXPECT_FALSE(more);
        EXPECT_EQ(more.error().code, Errc::timed_out);
    }
    static Task<void> read_all(TlsTest* self, std::string* into) {
        std::array<std::byte, 1000> buffer{};
        for (;;) {
            auto got = co_await self->near->read(buffer, kSoon, "bytes");
            self->error = got ? std::nullopt : std::optional(got.error().code);
            if (!got || *got == 0) co_return;
            into->append(reinterpret_cast<const char*>(buffer.data()), *got);
        }
    }

    // A second handshake inside of the first; then `size` bytes are heard, and answered.
    static Task<void> talk_inside(TlsTest* self, std::size_t size, std::string answer,
                                  std::string* heard) {
        const std::span<const std::byte> none;
        auto made = co_await self->near->accept_tls(self->server, self->terms, none, kSoon);
        EXPECT_TRUE(made) << made.error().what;
        std::array<std::byte, 5000> buffer{};
        while (heard->size() < size) {
            auto got = co_await self->near->read(buffer, kSoon, "bytes");
            if (!got || *got == 0) break;
            heard->append(reinterpret_cast<const char*>(buffer.data()), *got);
        }
        auto sent = co_await self->near->write(answer, kSoon);
        EXPECT_TRUE(sent);
        auto end = co_await self->near->read(buffer, kSoon, "the end");
        EXPECT_EQ(end.value_or(1), 0U);
    }
    // The far end of `right` says `text` and ends; `heard` is what it hears.
    static Task<void> far_end(Socket* socket, std::string text, std::string* heard) {
        auto sent = co_await socket->write(text, kSoon);
        EXPECT_TRUE(sent);
        co_await socket->shutdown_write(kSoon);
        std::array<std::byte, 10'000> buffer{};
        for (;;) {
            auto more = co_await socket->read(buffer, kSoon, "the client");
            if (!more || *more == 0) co_return;
            heard->append(reinterpret_cast<const char*>(buffer.data()), *more);
        }
    }
    static Task<void> tunnel_to(TlsTest* self, const Pair* right, std::string text,
                                std::string* heard, TunnelBytes* bytes) {
        TaskGroup others(*self->loop);
        others.spawn(far_end(right->far.get(), std::move(text), heard));
        auto ended = co_await tunnel(*self->near, *right->near, kSoon, *bytes);
        EXPECT_TRUE(ended) << ended.error().what;
        co_await right->near->shutdown_write(kSoon);
        co_await others.drained();
    }

    SystemClock clock;
    std::shared_ptr<const certificates::Authority> authority;
    std::shared_ptr<const certificates::Identity> leaf;
    std::shared_ptr<const TlsServer> server;
    TlsClient client;
    TlsTerms terms;
    std::string early;
    Deadline patience = kSoon;
    std::unique_ptr<Socket> near;
    UniqueFd far;
    std::thread other_side;
    std::binary_semaphore go{0};
    std::string sent_until_full;
    std::string said;
    Expected<TlsSession> session = fail(Errc::invalid, "not tried");
    std::optional<Errc> error;
};

}  // namespace hawker::net
