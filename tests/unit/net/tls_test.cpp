// TLS on accepted connections, against OpenSSL's own client.
#include "daemon/net/tls.h"

#include "tests/unit/net/on_loop.h"
#include "tests/unit/net/tls_client.h"

#include <cstdio>
#include <filesystem>
#include <optional>

#include <gtest/gtest.h>
#include <unistd.h>

namespace hawker::net {
namespace {

constexpr const char* kHost = "cdn.example";

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
        if (is_orderly)
            self->near->shutdown_write();
        else
            self->near->close();
        self->near->shutdown_write();
        co_return;
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

    // The far end of `right` says `text` and ends; `heard` is what it hears.
    static Task<void> far_end(Socket* socket, std::string text, std::string* heard) {
        auto sent = co_await socket->write(text, kSoon);
        EXPECT_TRUE(sent);
        socket->shutdown_write();
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
        right->near->shutdown_write();
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
    std::string said;
    Expected<TlsSession> session = fail(Errc::invalid, "not tried");
    std::optional<Errc> error;
};

TEST_F(TlsTest, AClientThatTrustsTheAuthorityIsSatisfied) {
    shake(kHost);
    EXPECT_EQ(said, "ok");
    ASSERT_TRUE(session) << session.error().what;
    EXPECT_EQ(session->version, "TLSv1.3");
    EXPECT_FALSE(session->resumed);
    EXPECT_TRUE(near->is_tls());
}

TEST_F(TlsTest, NoNameIsFine) {
    shake();
    EXPECT_EQ(said, "ok");
    EXPECT_TRUE(session);
}

TEST_F(TlsTest, AnotherNameIsRefused) {
    shake("other.example");
    EXPECT_EQ(said, "tlsv1 unrecognized name");
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Errc::refused);
}

TEST_F(TlsTest, ANameIsTheSameInCapitals) {
    shake("CDN.Example");
    EXPECT_EQ(said, "ok");
}

TEST_F(TlsTest, TheOldestVersionIsTls12) {
    ::SSL_CTX_set_max_proto_version(client.context(), TLS1_2_VERSION);
    shake(kHost);
    EXPECT_EQ(said, "ok");
    EXPECT_EQ(session->version, "TLSv1.2");
    ::SSL_CTX_set_min_proto_version(client.context(), TLS1_1_VERSION);
    ::SSL_CTX_set_max_proto_version(client.context(), TLS1_1_VERSION);
    ::SSL_CTX_set_security_level(client.context(), 0);
    shake(kHost);
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Errc::invalid);
}

TEST_F(TlsTest, Http11IsAgreedUponAndNothingElse) {
    const std::string both = "\x02h2\x08http/1.1";
    ::SSL_CTX_set_alpn_protos(client.context(), reinterpret_cast<const unsigned char*>(both.data()),
                              static_cast<unsigned>(both.size()));
    shake(kHost);
    const unsigned char* chosen = nullptr;
    unsigned length = 0;
    ::SSL_get0_alpn_selected(client.ssl(), &chosen, &length);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), length), "http/1.1");
    ::SSL_CTX_set_alpn_protos(client.context(), reinterpret_cast<const unsigned char*>(both.data()),
                              3);
    shake(kHost);
    EXPECT_EQ(said, "tlsv1 alert no application protocol");
    EXPECT_FALSE(session);
}

TEST_F(TlsTest, ASessionIsResumedUnderItsOwnNameOnly) {
    ::SSL_CTX_set_max_proto_version(client.context(), TLS1_2_VERSION);
    shake(kHost);
    client.keep_session();
    shake(kHost);
    EXPECT_TRUE(client.resumed());
    EXPECT_TRUE(session->resumed);
    terms.expected_name = "other.example";
    shake();
    ASSERT_TRUE(session);
    EXPECT_FALSE(session->resumed);
}

TEST_F(TlsTest, BytesThatWereReadAlreadyBelongToTheHandshake) {
    connect([this](int fd) { said = client.shake_hands(fd, kHost); });
    while (early.size() < 100) {
        std::array<char, 100> some{};
        const ssize_t got = ::recv(near->fd(), some.data(), some.size() - early.size(), 0);
        if (got > 0) early.append(some.data(), static_cast<std::size_t>(got));
    }
    accept();
    EXPECT_EQ(said, "ok");
    EXPECT_TRUE(session);
}

TEST_F(TlsTest, SmallPartsAndLargeOnesArriveInOrder) {
    const std::vector<std::string> texts = {"head\r\n\r\n",  pattern(100),       "",
                                            pattern(50'000), pattern(1'000'000), "tail"};
    std::string wanted;
    for (const std::string& text : texts) wanted += text;
    std::string got;
    connect([&, this](int fd) {
        said = client.shake_hands(fd, kHost);
        got = client.receive(wanted.size());
    });
    accept([&, this] { return send(this, texts); });
    EXPECT_EQ(got, wanted);
}

TEST_F(TlsTest, AHeadAndASmallBodyAreOneRecord) {
    std::string got;
    connect([&, this](int fd) {
        said = client.shake_hands(fd, kHost);
        got.resize(1000);
        const int size = ::SSL_read(client.ssl(), got.data(), 1000);
        got.resize(static_cast<std::size_t>(std::max(size, 0)));
    });
    accept([this] { return send(this, {"head", "body"}); });
    EXPECT_EQ(got, "headbody");
}

TEST_F(TlsTest, AFileIsSentWholeAndFromAnyOffset) {
    const std::string content = pattern(3'000'000);
    const std::unique_ptr<std::FILE, CloseFile> file(std::tmpfile());
    ASSERT_EQ(std::fwrite(content.data(), 1, content.size(), file.get()), content.size());
    std::fflush(file.get());
    const std::size_t offset = 12'345;
    std::string got;
    connect([&, this](int fd) {
        said = client.shake_hands(fd, kHost);
        got = client.receive(content.size() - offset);
    });
    std::uint64_t sent = 0;
    accept([&, this] {
        return send_file(this, ::fileno(file.get()), offset, content.size() - offset, &sent);
    });
    EXPECT_FALSE(error);
    EXPECT_EQ(sent, content.size() - offset);
    EXPECT_EQ(got, content.substr(offset));
}

TEST_F(TlsTest, AFileThatIsTooShortIsCorrupt) {
    const std::unique_ptr<std::FILE, CloseFile> file(std::tmpfile());
    std::fputs("short", file.get());
    std::fflush(file.get());
    connect([this](int fd) { said = client.shake_hands(fd, kHost); });
    std::uint64_t sent = 0;
    accept([&, this] { return send_file(this, ::fileno(file.get()), 0, 100, &sent); });
    EXPECT_EQ(error, Errc::corrupt);
}

TEST_F(TlsTest, WhatTheClientSendsIsReadToItsGoodbye) {
    const std::string question = pattern(200'000);
    connect([&, this](int fd) {
        said = client.shake_hands(fd, kHost);
        for (std::size_t at = 0; at < question.size(); at += 10'000)
            client.send(std::string_view(question).substr(at, 10'000));
        ::SSL_shutdown(client.ssl());
    });
    std::string got;
    accept([&, this] { return read_all(this, &got); });
    EXPECT_EQ(got, question);
    EXPECT_FALSE(error);
}

TEST_F(TlsTest, AnEndWithoutAGoodbyeIsNoEnd) {
    connect([this](int fd) {
        said = client.shake_hands(fd, kHost);
        client.send("half a");
        ::shutdown(fd, SHUT_WR);
    });
    std::string got;
    accept([&, this] { return read_all(this, &got); });
    EXPECT_EQ(got, "half a");
    EXPECT_EQ(error, Errc::closed);
}

TEST_F(TlsTest, OursIsAGoodbyeAndACutIsNone) {
    for (const bool is_orderly : {true, false}) {
        bool ended_well = !is_orderly;
        connect([&, this](int fd) {
            said = client.shake_hands(fd, kHost);
            ended_well = client.has_ended_well();
        });
        accept([this, is_orderly] { return end(this, is_orderly); });
        EXPECT_EQ(ended_well, is_orderly);
    }
}

TEST_F(TlsTest, ReadableMeansPlaintext) {
    connect([this](int fd) {
        said = client.shake_hands(fd, kHost);
        client.send("x");
    });
    accept([this] { return read_one_byte(this); });
}

TEST_F(TlsTest, AHandshakeThatStallsTimesOut) {
    connect([](int fd) {
        const std::string start("\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 9);
        ::send(fd, start.data(), start.size(), MSG_NOSIGNAL);
        char byte = 0;
        ::recv(fd, &byte, 1, 0);
    });
    patience = kShort;
    accept();
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Errc::timed_out);
}

TEST_F(TlsTest, WhatIsNoTlsIsInvalid) {
    connect([](int fd) { ::send(fd, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL); });
    accept();
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Errc::invalid);
}

TEST_F(TlsTest, WhoLeavesInTheMiddleOfAHandshakeIsGone) {
    connect([](int fd) { ::shutdown(fd, SHUT_RDWR); });
    accept();
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Errc::closed);
}

TEST_F(TlsTest, ATunnelCarriesBothWaysThroughTls) {
    const std::string down = pattern(700'000);
    const std::string up = pattern(300'000);
    std::string got;
    connect([&, this](int fd) {
        said = client.shake_hands(fd, kHost);
        client.send(up);
        ::SSL_shutdown(client.ssl());
        got = client.receive(down.size() + 1);
    });
    const Pair right = make_tcp_pair();
    std::string arrived;
    TunnelBytes bytes;
    accept([&, this] { return tunnel_to(this, &right, down, &arrived, &bytes); });
    EXPECT_EQ(got, down);
    EXPECT_EQ(arrived, up);
    EXPECT_EQ(bytes.to_left, down.size());
    EXPECT_EQ(bytes.to_right, up.size());
}

}  // namespace
}  // namespace hawker::net
