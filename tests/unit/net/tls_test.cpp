// TLS on accepted connections, against OpenSSL's own client.
#include "certificates/openssl_objects.h"
#include "tests/unit/net/tls_fixture.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace hawker::net {
namespace {

TEST_F(TlsTest, AClientThatTrustsTheAuthorityIsSatisfied) {
    shake(kHost);
    EXPECT_EQ(said, "ok");
    ASSERT_TRUE(session) << session.error().what;
    EXPECT_EQ(session->version, "TLSv1.3");
    EXPECT_FALSE(session->resumed);
    EXPECT_TRUE(near->is_tls());
}

TEST_F(TlsTest, TheChainBehindACertificateIsShownToo) {
    const auto file = std::filesystem::path(::testing::TempDir()) /
                      ("chain" + std::to_string(::getpid()) + ".pem");
    {
        std::ofstream out(file);
        out << certificates::certificate_pem(leaf->leaf()) << authority->certificate_pem()
            << certificates::key_pem(leaf->key());
    }
    std::filesystem::permissions(file, std::filesystem::perms::owner_read);
    terms.identity = certificates::Identity::load(file, file).value();
    std::filesystem::remove(file);
    shake(kHost);
    EXPECT_EQ(said, "ok");
    EXPECT_EQ(sk_X509_num(::SSL_get_peer_cert_chain(client.ssl())), 2);
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

TEST_F(TlsTest, TlsTravelsInsideOfTls) {
    const std::string question = pattern(100'000);
    const std::string answer = pattern(900'000);
    std::string got;
    connect([&, this](int fd) {
        said = client.shake_hands(fd, kHost);
        TlsClient inner(authority->certificate_pem());
        said = inner.shake_hands_inside(client, kHost);
        inner.send(question);
        got = inner.receive(answer.size());
        ::SSL_shutdown(inner.ssl());
    });
    std::string heard;
    accept([&, this] { return talk_inside(this, question.size(), answer, &heard); });
    EXPECT_EQ(said, "ok");
    EXPECT_EQ(heard, question);
    EXPECT_EQ(got, answer);
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

TEST_F(TlsTest, AGoodbyeArrivesThoughThereWasNoRoomForIt) {
    std::string got;
    bool ended_well = false;
    connect([&, this](int fd) {
        said = client.shake_hands(fd, kHost);
        wait_for_go();
        got = client.receive(sent_until_full.size());
        ended_well = client.has_ended_well();
    });
    accept([this] { return fill_and_end(this); });
    EXPECT_EQ(got, sent_until_full);
    EXPECT_TRUE(ended_well);
}

TEST_F(TlsTest, ReadableMeansPlaintext) {
    connect([this](int fd) {
        said = client.shake_hands(fd, kHost);
        client.send("x");
    });
    accept([this] { return read_one_byte(this); });
}

// RFC 8446 section 4.6.3: whoever is asked for new keys answers in between.
TEST_F(TlsTest, AClientMayAskForNewKeysInTheMiddleOfADownload) {
    const std::string down = pattern(3'000'000);
    const std::string up = pattern(100);
    std::string got;
    connect([&, this](int fd) {
        said = client.shake_hands(fd, kHost);
        wait_for_go();
        ::SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED);
        client.send(up);
        got = client.receive(down.size());
        ::SSL_shutdown(client.ssl());
    });
    std::string heard;
    accept([&, this] { return send_and_hear(this, down, &heard); });
    EXPECT_FALSE(error);
    EXPECT_EQ(heard, up);
    EXPECT_EQ(got, down);
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
