// TLS with clients that leave, drip and garble, and ends of our own in the middle.
#include "tests/unit/net/tls_fixture.h"

#include <gtest/gtest.h>
#include <poll.h>

namespace hawker::net {
namespace {

class RoughTlsTest : public TlsTest {
public:
    // The first flight, as a client writes it.
    std::string hello() const {
        const std::unique_ptr<SSL, FreeSsl> ssl(::SSL_new(client.context()));
        BIO* const in = ::BIO_new(::BIO_s_mem());
        BIO* const out = ::BIO_new(::BIO_s_mem());
        ::SSL_set_bio(ssl.get(), in, out);
        ::SSL_connect(ssl.get());
        ::ERR_clear_error();
        std::string bytes(::BIO_ctrl_pending(out), '\0');
        ::BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
        return bytes;
    }
    static bool send_raw(int fd, std::string_view bytes) {
        return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(bytes.size());
    }
    static Task<void> close_soon(TlsTest* self) {
        co_await sleep_on(self->near->loop(), kShort);
        self->near->close();
    }
    static Task<void> handshake_that_we_end(TlsTest* self) {
        Task<void> end = close_soon(self);
        co_await accepted(self, {});
        co_await end;
    }
};

TEST_F(RoughTlsTest, AClientThatLeavesAtAnyByteOfItsHelloIsGone) {
    const std::string all = hello();
    ASSERT_GT(all.size(), 100U);
    for (std::size_t size = 0; size < all.size(); ++size) {
        connect([&](int fd) {
            send_raw(fd, all.substr(0, size));
            ::shutdown(fd, SHUT_RDWR);
        });
        accept();
        ASSERT_FALSE(session);
        EXPECT_EQ(session.error().code, Errc::closed) << size << ": " << session.error().what;
    }
}

// A deadline that every byte moved would be none: this client would take hours.
TEST_F(RoughTlsTest, ADripOfBytesDoesNotMoveTheDeadline) {
    const std::string all = hello();
    std::size_t dripped = 0;
    connect([&](int fd) {
        pollfd answer = {fd, POLLIN, 0};
        while (dripped < all.size() && send_raw(fd, all.substr(dripped, 1))) {
            ++dripped;
            if (::poll(&answer, 1, 2) > 0) break;
        }
    });
    patience = kShort;
    accept();
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Errc::timed_out);
    EXPECT_LT(dripped, all.size());
}

TEST_F(RoughTlsTest, AHandshakeThatWeEndIsClosed) {
    connect([](int fd) {
        char byte = 0;
        EXPECT_EQ(::recv(fd, &byte, 1, 0), 0);
    });
    run(handshake_that_we_end(this));
    other_side.join();
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Errc::closed);
}

TEST_F(RoughTlsTest, AClientThatLeavesInTheMiddleOfAFileIsClosed) {
    const std::string content = pattern(3'000'000);
    const std::unique_ptr<std::FILE, CloseFile> file(std::tmpfile());
    ASSERT_EQ(std::fwrite(content.data(), 1, content.size(), file.get()), content.size());
    std::fflush(file.get());
    connect([this](int fd) {
        said = client.shake_hands(fd, kHost);
        client.receive(100'000);
        ::shutdown(fd, SHUT_RDWR);
    });
    std::uint64_t sent = 0;
    accept([&, this] { return send_file(this, ::fileno(file.get()), 0, content.size(), &sent); });
    EXPECT_EQ(error, Errc::closed);
    EXPECT_LT(sent, content.size());
}

TEST_F(RoughTlsTest, RecordsThatWereTamperedWithAreInvalid) {
    const std::string forged("\x17\x03\x03\x00\x20", 5);
    connect([&, this](int fd) {
        said = client.shake_hands(fd, kHost);
        client.send("true");
        send_raw(fd, forged + pattern(0x20));
    });
    std::string got;
    accept([&, this] { return read_all(this, &got); });
    EXPECT_EQ(got, "true");
    EXPECT_EQ(error, Errc::invalid);
}

}  // namespace
}  // namespace hawker::net
