// Whom a TLS server lets in: certificates of clients, and tickets of sessions from before.
#include "tests/unit/net/client_authority.h"
#include "tests/unit/net/tls_fixture.h"

#include <gtest/gtest.h>

namespace hawker::net {
namespace {

class TlsClientsTest : public TlsTest {
protected:
    void ask_for_certificates(ClientCertificates how, const ClientAuthority& vouching) {
        TlsServerOptions options;
        options.client_ca_file = vouching.file();
        options.client_certificates = how;
        options.before = server;
        server = TlsServer::create(options).value();
    }
    // As a reload does.
    void begin_anew(std::shared_ptr<const TlsServer> before) {
        TlsServerOptions options;
        options.before = std::move(before);
        server = TlsServer::create(options).value();
    }
    // TLS 1.3 tells a client that it is refused only after its handshake: the older version's
    // clients hear it at once, and have their tickets with it.
    void speak_tls_1_2() { ::SSL_CTX_set_max_proto_version(client.context(), TLS1_2_VERSION); }
    void remember_session() {
        shake(kHost);
        ASSERT_EQ(said, "ok");
        client.keep_session();
    }
    bool is_resumed() {
        shake(kHost);
        EXPECT_EQ(said, "ok");
        return session && session->resumed && client.resumed();
    }

    ClientAuthority staff;
    ClientAuthority strangers;
};

TEST_F(TlsClientsTest, WhoIsVouchedForIsLetInByName) {
    ask_for_certificates(ClientCertificates::required, staff);
    staff.certify(client, "alice");
    shake(kHost);
    ASSERT_TRUE(session) << session.error().what;
    EXPECT_EQ(session->client_name, "alice");
}

TEST_F(TlsClientsTest, WithoutACertificateNobodyIsLetInWhereOneIsRequired) {
    speak_tls_1_2();
    ask_for_certificates(ClientCertificates::required, staff);
    shake(kHost);
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Errc::refused);
    EXPECT_NE(said, "ok");
}

TEST_F(TlsClientsTest, ACertificateOfSomebodyElsesIsRefusedThoughNoneIsNeeded) {
    speak_tls_1_2();
    ask_for_certificates(ClientCertificates::wanted, staff);
    shake(kHost);
    ASSERT_TRUE(session);
    EXPECT_EQ(session->client_name, "");
    strangers.certify(client, "alice");
    shake(kHost);
    ASSERT_FALSE(session);
    EXPECT_EQ(session.error().code, Errc::refused);
}

TEST_F(TlsClientsTest, NobodyIsAskedWhereNobodyVouches) {
    staff.certify(client, "alice");
    shake(kHost);
    ASSERT_TRUE(session);
    EXPECT_EQ(session->client_name, "");
}

TEST_F(TlsClientsTest, AFileWithoutAnAuthorityIsRefused) {
    TlsServerOptions options;
    options.client_ca_file = "/dev/null";
    options.client_certificates = ClientCertificates::required;
    const auto made = TlsServer::create(options);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Errc::invalid);
}

TEST_F(TlsClientsTest, ASessionIsResumedWithTheNameOfItsCertificate) {
    speak_tls_1_2();
    ask_for_certificates(ClientCertificates::required, staff);
    staff.certify(client, "alice");
    remember_session();
    EXPECT_TRUE(is_resumed());
    EXPECT_EQ(session->client_name, "alice");
}

TEST_F(TlsClientsTest, TicketsOutliveAReload) {
    speak_tls_1_2();
    remember_session();
    begin_anew(server);
    EXPECT_TRUE(is_resumed());
    begin_anew(nullptr);
    EXPECT_FALSE(is_resumed());
}

TEST_F(TlsClientsTest, TicketsEndWithTheTrustThatTheyWereMadeUnder) {
    speak_tls_1_2();
    staff.certify(client, "alice");
    ask_for_certificates(ClientCertificates::required, staff);
    remember_session();
    ask_for_certificates(ClientCertificates::required, staff);
    EXPECT_TRUE(is_resumed());
    ask_for_certificates(ClientCertificates::wanted, staff);
    EXPECT_FALSE(is_resumed());
    ask_for_certificates(ClientCertificates::required, strangers);
    shake(kHost);
    EXPECT_FALSE(session);
}

TEST_F(TlsClientsTest, ATicketFromBeforeIsNoCertificate) {
    speak_tls_1_2();
    remember_session();
    ask_for_certificates(ClientCertificates::required, staff);
    shake(kHost);
    EXPECT_FALSE(session);
}

}  // namespace
}  // namespace hawker::net
