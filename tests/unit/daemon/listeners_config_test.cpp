#include "daemon/listeners_config.h"

#include "daemon/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::daemon {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

Expected<std::vector<ListenerSpec>> listeners(const std::string& text) {
    auto file = parse_config(text, "file.yaml");
    if (!file) return fail(file.error());
    auto options = Options::resolve(file->assignments);
    if (!options) return fail(options.error());
    return resolve_listeners(std::move(file->listeners), *options);
}

std::string error_of(const std::string& text) {
    const auto specs = listeners(text);
    return specs ? "no error" : specs.error().what;
}

TEST(Listeners, WithoutAWordThereIsOneOfEachOnLoopback) {
    const auto specs = listeners("");
    ASSERT_TRUE(specs) << specs.error().what;
    ASSERT_THAT(*specs, SizeIs(2));
    EXPECT_EQ(specs->front().address, "127.0.0.1:65001");
    EXPECT_EQ(specs->front().offer, Offer::proxy);
    EXPECT_EQ(specs->back().address, "127.0.0.1:65002");
    EXPECT_EQ(specs->back().offer, Offer::admin);
}

TEST(Listeners, EveryKeyArrives) {
    const auto specs = listeners(R"(
listeners:
  - address: 0.0.0.0:65001
    offers: [proxy]
    clients: [10.0.0.0/8, fd00::/8]
    auth: none
    bandwidth: 100MiB
  - {address: "unix:/run/hawker/admin.sock", mode: 0660, offers: admin}
)");
    ASSERT_TRUE(specs) << specs.error().what;
    ASSERT_THAT(*specs, SizeIs(2));
    const ListenerSpec& proxy = specs->front();
    EXPECT_EQ(proxy.where, "file.yaml:3");
    EXPECT_THAT(proxy.clients, SizeIs(2));
    EXPECT_EQ(proxy.authentication, proxy::ProxyAuthentication::none);
    EXPECT_EQ(proxy.bandwidth, 100ULL << 20U);
    EXPECT_EQ(specs->back().mode, 0660U);
    EXPECT_EQ(specs->back().offer, Offer::admin);
}

TEST(Listeners, AShortOptionThatIsSetAddsToTheSection) {
    const auto specs = listeners("listen: 127.0.0.1:1\nlisteners: [{address: '127.0.0.1:2'}]\n");
    ASSERT_TRUE(specs) << specs.error().what;
    ASSERT_THAT(*specs, SizeIs(3));
    EXPECT_EQ((*specs)[0].address, "127.0.0.1:2");
    EXPECT_EQ((*specs)[1].address, "127.0.0.1:1");
    EXPECT_EQ((*specs)[2].address, "127.0.0.1:65002");
}

TEST(Listeners, ASectionThatOffersTheAdminApiTakesThePlaceOfItsDefault) {
    const auto specs =
        listeners("listeners: [{address: '127.0.0.1:2', offers: admin}]\nlisten: 127.0.0.1:1\n");
    ASSERT_TRUE(specs) << specs.error().what;
    ASSERT_THAT(*specs, SizeIs(2));
    EXPECT_EQ(specs->back().address, "127.0.0.1:2");
}

TEST(Listeners, WhoCanBeReachedFromElsewhereIsToldTheTwoLines) {
    for (const std::string address : {"0.0.0.0:65001", "[::]:65001", "192.0.2.7:65001"})
        EXPECT_THAT(error_of("listeners: [{address: '" + address + "'}]\n"),
                    AllOf(HasSubstr("file.yaml:1: " + address + " can be reached"),
                          HasSubstr("\n  clients: [10.0.0.0/8]"),
                          HasSubstr("\n  auth: {htpasswd: /etc/hawker/users}")))
            << address;
    EXPECT_THAT(
        error_of("admin.listen: 0.0.0.0:65002\n"),
        AllOf(HasSubstr("file.yaml:1: admin.listen: 0.0.0.0:65002 can be reached"),
              HasSubstr("\n  clients: [10.0.0.0/8]"), HasSubstr("\n  tls: {certificate: FILE")));
}

TEST(Listeners, NetworksOfTheirOwnOrOfAllOpenThem) {
    EXPECT_EQ(error_of("listeners: [{address: '0.0.0.0:1', clients: 10.0.0.0/8}]\n"), "no error");
    const auto specs = listeners("listen: [0.0.0.0:1, 127.0.0.1:1]\nclients: 10.0.0.0/8\n");
    ASSERT_TRUE(specs) << specs.error().what;
    EXPECT_THAT((*specs)[0].clients, SizeIs(1));
    EXPECT_THAT((*specs)[1].clients, SizeIs(0)) << "this machine reaches its own loopback";
}

TEST(Listeners, UnixSocketsAreNotReachedFromElsewhere) {
    EXPECT_EQ(error_of("listen: unix:/run/hawker/proxy.sock\n"), "no error");
}

TEST(Listeners, ASocketFromSystemdIsCheckedOnceItIsKnown) {
    const auto specs = listeners("listen: systemd:proxy\n");
    ASSERT_TRUE(specs) << specs.error().what;
    EXPECT_EQ(specs->front().passed_name(), "proxy");
    EXPECT_TRUE(at_address(specs->front(), *net::Address::parse("127.0.0.1:1")));
    EXPECT_FALSE(at_address(specs->front(), *net::Address::parse("0.0.0.0:1")));
    const auto limited = listeners("listen: systemd:proxy\nclients: [10.0.0.0/8]\n");
    ASSERT_TRUE(limited) << limited.error().what;
    const auto here = at_address(limited->front(), *net::Address::parse("127.0.0.1:1"));
    ASSERT_TRUE(here);
    EXPECT_THAT(here->clients, SizeIs(0)) << "they are for other machines";
    const auto outside = at_address(limited->front(), *net::Address::parse("0.0.0.0:1"));
    ASSERT_TRUE(outside);
    EXPECT_THAT(outside->clients, SizeIs(1));
}

TEST(Listeners, AnAuthorityForClientsMeansThatTheyNeedACertificate) {
    const std::string head = "listeners: [{address: '0.0.0.0:1', tls: {certificate: a, key: b";
    const auto specs = listeners(head + ", client_ca: c}}]\n");
    ASSERT_TRUE(specs) << specs.error().what;
    EXPECT_EQ(specs->front().tls->client_certificates, net::ClientCertificates::required);
    for (const std::string open : {", client_ca: c, client_certificates: wanted}}]\n", "}}]\n"})
        EXPECT_THAT(error_of(head + open), HasSubstr("can be reached from other machines"));
}

TEST(Listeners, AuthenticationWithoutUsersIsAnError) {
    EXPECT_THAT(error_of("listeners: [{address: '127.0.0.1:1', auth: required}]\n"),
                HasSubstr("nothing says who the users are"));
}

TEST(Listeners, AMistakeIsNamedWithItsLine) {
    const std::string head = "listeners:\n  - address: 127.0.0.1:1\n    ";
    EXPECT_THAT(
        error_of(head + "client: 10.0.0.0/8\n"),
        HasSubstr("file.yaml:3: unknown key 'client' in a listener; did you mean 'clients'"));
    EXPECT_THAT(error_of(head + "clients: 10.0.0.0/99\n"), HasSubstr("file.yaml:3: clients: "));
    EXPECT_THAT(error_of(head + "offers: [mirror]\n"), HasSubstr("below `mirrors:`"));
    EXPECT_THAT(error_of(head + "offers: [proxy, admin]\n"), HasSubstr("offers one thing"));
    EXPECT_THAT(error_of(head + "offers: []\n"), HasSubstr("expected a list"));
    EXPECT_THAT(error_of(head + "mode: 0660\n"), HasSubstr("mode: is for the file"));
    EXPECT_THAT(error_of(head + "tls: {certificate: a}\n"), HasSubstr("needs certificate: FILE"));
    EXPECT_THAT(error_of(head + "tls: {certificate: a, key: b, client_certificates: wanted}\n"),
                HasSubstr("needs client_ca: FILE"));
    EXPECT_THAT(error_of(head + "tls: {certificate: a, key: b, client_certificates: maybe}\n"),
                HasSubstr("neither required nor wanted"));
    EXPECT_THAT(error_of(head + "auth: maybe\n"), HasSubstr("'maybe' is not required"));
    EXPECT_THAT(error_of(head + "auth: {htpasswd: /etc/hawker/users}\n"),
                HasSubstr("once for all listeners"));
    EXPECT_THAT(error_of(head + "bandwidth: fast\n"), HasSubstr("bandwidth: "));
    EXPECT_THAT(error_of(head + "address: 127.0.0.1:2\n"), HasSubstr("twice"));
    EXPECT_THAT(error_of("listeners: [{offers: proxy}]\n"), HasSubstr("no 'address'"));
    EXPECT_THAT(error_of("listeners: [{address: example:1}]\n"), HasSubstr("address: "));
    EXPECT_THAT(error_of("listeners: {address: 127.0.0.1:1}\n"), HasSubstr("expected a list"));
}

TEST(Listeners, NoProxyAtAllIsAnError) {
    EXPECT_THAT(error_of("listen: []\n"), HasSubstr("no address to listen on"));
}

}  // namespace
}  // namespace hawker::daemon
