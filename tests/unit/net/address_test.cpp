#include "daemon/net/address.h"

#include "base/thread_pool.h"
#include "tests/unit/net/on_loop.h"

#include <set>

#include <gtest/gtest.h>

namespace hawker::net {
namespace {

Address at(std::string_view host) {
    const bool v6 = host.find(':') != std::string_view::npos;
    return *Address::parse(v6 ? "[" + std::string(host) + "]:80" : std::string(host) + ":80");
}

TEST(AddressTest, PrintsAsItIsWritten) {
    for (const char* text : {"127.0.0.1:65001", "[::1]:80", "unix:/run/hawker.sock"})
        EXPECT_EQ(Address::parse(text)->to_string(), text);
    for (const char* text : {"localhost:80", "127.0.0.1", "127.0.0.1:70000", "unix:", "[::1:80",
                             ":80", "::1:80", "[127.0.0.1]:80", "127.0.0.1:", "[::1]"})
        EXPECT_FALSE(Address::parse(text)) << text;
}

TEST(AddressTest, AClientIsCountedByItsAddressAndWithIPv6ByItsNetwork) {
    EXPECT_EQ(at("10.1.2.3").client(), "10.1.2.3");
    EXPECT_EQ(at("2001:db8:1:2:3::4").client(), at("2001:db8:1:2::5").client());
    EXPECT_NE(at("2001:db8:1:2::4").client(), at("2001:db8:1:3::4").client());
    EXPECT_NE(at("::ffff:10.1.2.3").client(), at("::ffff:10.1.2.4").client());
    EXPECT_EQ(Address::parse("unix:/a")->client(), Address::parse("unix:/b")->client());
}

TEST(DestinationPolicyTest, WhatIsNotThePublicInternetIsDenied) {
    const DestinationPolicy policy;
    for (const char* host : {"127.0.0.1",
                             "127.8.8.8",
                             "0.0.0.0",
                             "10.1.2.3",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.168.1.1",
                             "169.254.169.254",
                             "100.64.0.1",
                             "100.100.100.200",
                             "224.0.0.1",
                             "255.255.255.255",
                             "192.0.2.1",
                             "198.18.0.1",
                             "::",
                             "::1",
                             "fe80::1",
                             "fc00::1",
                             "fd00:ec2::254",
                             "ff02::1",
                             "2001:db8::1",
                             "::ffff:127.0.0.1",
                             "::ffff:10.0.0.1",
                             "::127.0.0.1",
                             "64:ff9b::7f00:1",
                             "64:ff9b::a9fe:a9fe",
                             "2002:7f00:1::",
                             "2002:a00:1::1",
                             "2001:0:7f00:1::",
                             "2001:0:808:808:0:0:80ff:fffe",
                             "::ffff:0:7f00:1",
                             "2606:4700::5efe:a00:1",
                             "2606:4700::200:5efe:a00:1",
                             "64:ff9b:1::1",
                             "168.63.129.16",
                             "::ffff:169.254.169.254",
                             "240.0.0.1",
                             "192.0.0.192",
                             "fec0::1"})
        EXPECT_FALSE(policy.check(at(host))) << host;
    for (const char* host :
         {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808"})
        EXPECT_TRUE(policy.check(at(host))) << host;
}

TEST(DestinationPolicyTest, AllowOpensAndDenyClosesAgain) {
    DestinationPolicy policy;
    policy.allow.push_back(*Cidr::parse("10.0.0.0/8"));
    policy.deny.push_back(*Cidr::parse("10.9.0.0/16"));
    policy.deny.push_back(*Cidr::parse("8.8.8.8"));
    EXPECT_TRUE(policy.check(at("10.1.2.3")));
    EXPECT_TRUE(policy.check(at("::ffff:10.1.2.3")));
    EXPECT_FALSE(policy.check(at("10.9.1.1")));
    EXPECT_FALSE(policy.check(at("8.8.8.8")));
    EXPECT_FALSE(policy.check(at("64:ff9b::808:808")));
}

TEST(DestinationPolicyTest, WhatIsEmbeddedIsAllowedAndDeniedAsWhatItStandsFor) {
    DestinationPolicy policy;
    policy.allow.push_back(*Cidr::parse("10.0.0.0/8"));
    policy.allow.push_back(*Cidr::parse("64:ff9b::/96"));
    policy.deny.push_back(*Cidr::parse("10.9.0.0/16"));
    EXPECT_TRUE(policy.check(at("2002:a01:101::1")));
    EXPECT_TRUE(policy.check(at("64:ff9b::c0a8:101")));
    EXPECT_FALSE(policy.check(at("2002:a09:101::1")));
    EXPECT_FALSE(policy.check(at("64:ff9b::a09:101")));
    EXPECT_FALSE(policy.check(at("2002:c0a8:101::1")));
}

TEST(DestinationPolicyTest, AUnixSocketIsNoDestination) {
    const DestinationPolicy policy;
    EXPECT_FALSE(policy.check(*Address::parse("unix:/run/hawker.sock")));
}

TEST(DestinationPolicyTest, ARefusalNamesTheCure) {
    const DestinationPolicy policy;
    EXPECT_NE(policy.check(at("127.0.0.1")).error().what.find("destinations.allow"),
              std::string::npos);
    EXPECT_NE(policy.check_connect_port(22).error().what.find("destinations.connect_ports"),
              std::string::npos);
    EXPECT_TRUE(policy.check_connect_port(443));
}

TEST(DestinationPolicyTest, HostsAreAllowedAndDeniedByName) {
    DestinationPolicy policy;
    EXPECT_TRUE(policy.check_host("anything.example"));
    policy.deny_hosts.push_back(*HostPattern::parse("*.evil.example"));
    policy.deny_hosts.push_back(*HostPattern::parse("2001:db8::7"));
    EXPECT_FALSE(policy.check_host("A.Evil.Example."));
    EXPECT_FALSE(policy.check_host("[2001:DB8::7]"));
    EXPECT_TRUE(policy.check_host("evil.example"));
    policy.allow_hosts.push_back(*HostPattern::parse("*.example"));
    EXPECT_TRUE(policy.check_host("good.example"));
    EXPECT_FALSE(policy.check_host("a.evil.example"));
    const auto refused = policy.check_host("elsewhere.test");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::denied);
    EXPECT_NE(refused.error().what.find("destinations.allow_hosts"), std::string::npos);
}

TEST(DestinationPolicyTest, PortsAreAnyUntilSomeAreNamed) {
    DestinationPolicy policy;
    EXPECT_TRUE(policy.check_port(8080));
    policy.ports = {80, 443};
    EXPECT_TRUE(policy.check_port(443));
    EXPECT_FALSE(policy.check_port(8080));
}

TEST(DestinationPolicyTest, WhatSomebodyElseResolvesIsCheckedAsFarAsItIsWritten) {
    const DestinationPolicy policy;
    EXPECT_TRUE(policy.check_unresolved("origin.example", 443));
    EXPECT_TRUE(policy.check_unresolved("8.8.8.8", 443));
    for (const auto* host : {"169.254.169.254", "127.0.0.1", "[::1]", "[::ffff:10.0.0.1]",
                             "[64:ff9b::a9fe:a9fe]", "localhost", "A.LocalHost."})
        EXPECT_EQ(policy.check_unresolved(host, 80).error().code, Errc::denied) << host;
    for (const auto* host : {"2130706433", "0x7f.1", "0177.0.0.1", "a:b", "fe80::1%eth0"})
        EXPECT_EQ(policy.check_unresolved(host, 80).error().code, Errc::invalid) << host;
}

TEST(CidrTest, BadRangesAreRefused) {
    for (const char* text :
         {"10.0.0.0/33", "10.0.0/8", "::/129", "x", "", "10.0.0.0/", "10.0.0.0/8x"})
        EXPECT_FALSE(Cidr::parse(text)) << text;
}

class ResolveTest : public OnLoop {
protected:
    ThreadPool pool{1};
    Expected<std::vector<Address>> look_up(std::string host) {
        Expected<std::vector<Address>> result;
        run([](Executor& threads, Loop& home, std::string name,
               Expected<std::vector<Address>>& out) -> Task<void> {
            out = co_await resolve(threads, home, name, 443);
        }(pool, *loop, std::move(host), result));
        return result;
    }
};

TEST_F(ResolveTest, LiteralsNeedNoResolver) {
    EXPECT_EQ(look_up("192.0.2.1")->front().to_string(), "192.0.2.1:443");
}
TEST_F(ResolveTest, ABracketedLiteralIsOne) {
    EXPECT_EQ(look_up("[::1]")->front().to_string(), "[::1]:443");
}
TEST_F(ResolveTest, LocalhostIsLoopback) {
    EXPECT_TRUE(look_up("localhost")->front().is_loopback());
}
TEST_F(ResolveTest, DottedOctalIsRefused) {
    EXPECT_EQ(look_up("0177.1").error().code, Errc::invalid);
}
TEST_F(ResolveTest, ABareNumberIsRefused) {
    EXPECT_EQ(look_up("2130706433").error().code, Errc::invalid);
}
TEST_F(ResolveTest, HexadecimalIsRefused) {
    EXPECT_EQ(look_up("0x7f.1").error().code, Errc::invalid);
}

TEST_F(ResolveTest, WhatIsNoHostNameIsRefused) {
    run([](Executor& threads, Loop& home) -> Task<void> {
        for (const std::string host :
             {"", "fe80::1%lo", "a:b", "[x]", "[127.0.0.1]", "[]", "a b", "1.2.3.4.", "127.0.0.01",
              "0x7f000001", "127.1", "host.0x1"}) {
            auto found = co_await resolve(threads, home, host, 443);
            EXPECT_FALSE(found) << host;
            if (!found) {
                EXPECT_EQ(found.error().code, Errc::invalid) << host;
            }
        }
    }(pool, *loop));
}

TEST_F(ResolveTest, NoAddressIsFoundTwice) {
    auto found = look_up("localhost");
    ASSERT_TRUE(found);
    std::set<std::string> names;
    for (const Address& address : *found) names.insert(address.to_string());
    EXPECT_EQ(names.size(), found->size());
}

}  // namespace
}  // namespace hawker::net
