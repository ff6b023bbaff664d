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
    static Task<void> wait_in_vain(TlsTest* self, bool only_looks) {
        std::array<std::byte, 8> buffer{};
        if (only_looks) {
            auto ready = co_await self->near->readable(kShort, "a byte");
            if (!ready) self->error = ready.error().code;
        } else {
            auto got = co_await self->near->read(buffer, kShort, "a byte");
            if (!got) self->error = got.error().code;
        }
        self->near->close();
    }
    // What the client would send to change its keys so many times.
    std::string key_updates(int number) const {
        BIO* const socket = ::SSL_get_wbio(client.ssl());
        ::BIO_up_ref(socket);
        BIO* const memory = ::BIO_new(::BIO_s_mem());
        ::BIO_up_ref(memory);
        ::SSL_set0_wbio(client.ssl(), memory);
        for (int i = 0; i < number; ++i) {
            ::SSL_key_update(client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED);
            ::SSL_do_handshake(client.ssl());
        }
        ::SSL_set0_wbio(client.ssl(), socket);
        std::string bytes(::BIO_ctrl_pending(memory), '\0');
        ::BIO_read(memory, bytes.data(), static_cast<int>(bytes.size()));
        ::BIO_free(memory);
        return bytes;
    }
    static Task<void> count_turns(TlsTest* self, const bool* goes_on, std::size_t* turns) {
        while (*goes_on) {
            co_await resume_on(self->near->loop());
            ++*turns;
        }
    }
    // Begins when the flood is there; `turns` are those of somebody else on the same loop.
    static Task<void> read_beside_others(TlsTest* self, std::string* got, std::size_t* turns) {
        self->wait_for_go();
        bool goes_on = true;
        Task<void> other = count_turns(self, &goes_on, turns);
        co_await read_all(self, got);
        goes_on = false;
        co_await other;
    }
    static Task<void> close_soon(TlsTest* self) {
        co_await sleep_on(self->near->loop(), kShort);
        self->near->close();
    }
    static Task<void> handshake_that_we_end(TlsTest* self) {
        Task<void> end = close_soon(self);
        const Steps nothing_then;
        co_await accepted(self, nothing_then);
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

// Nothing of a record can be used before it is whole.
TEST_F(RoughTlsTest, ADripOfARecordDoesNotMoveADeadlineEither) {
    for (const bool only_looks : {true, false}) {
        std::size_t dripped = 0;
        connect([&, this](int fd) {
            said = client.shake_hands(fd, kHost);
            const std::string record = std::string("\x17\x03\x03\x40\x00", 5) + pattern(0x4000);
            pollfd answer = {fd, POLLRDHUP, 0};
            while (dripped < record.size() && send_raw(fd, record.substr(dripped, 1))) {
                ++dripped;
                if (::poll(&answer, 1, 2) > 0) break;
            }
        });
        accept([this, only_looks] { return wait_in_vain(this, only_looks); });
        EXPECT_EQ(error, Errc::timed_out);
        EXPECT_LT(dripped, 0x4000U);
    }
}

// RFC 8446 section 4.6.3 allows any number of them.
TEST_F(RoughTlsTest, AFloodOfNewKeysLeavesTheLoopToOthers) {
    connect([this](int fd) {
        said = client.shake_hands(fd, kHost);
        const std::string flood = key_updates(3000);
        EXPECT_TRUE(send_raw(fd, flood));
        go.release();
        client.send("x");
        ::SSL_shutdown(client.ssl());
    });
    std::string got;
    std::size_t turns = 0;
    accept([&, this] { return read_beside_others(this, &got, &turns); });
    EXPECT_EQ(got, "x");
    EXPECT_GE(turns, 30U);
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
