// Which way leads to an origin, and through an upstream proxy.
#include "daemon/origin/routes.h"

#include "tests/unit/origin/one_request.h"

#include <gmock/gmock.h>

namespace hawker::origin {
namespace {

using testing::HasSubstr;
using testing::Not;

Via proxy_at(std::string_view url) {
    auto proxy = UpstreamProxy::parse(url);
    EXPECT_TRUE(proxy) << url;
    return std::make_shared<const UpstreamProxy>(std::move(*proxy));
}

TEST(UpstreamProxy, AUrlGivesHostPortAndCredentials) {
    const Via proxy = proxy_at("http://me%40corp:p%3Aw@proxy.example:3128/");
    EXPECT_EQ(proxy->name(), "http://proxy.example:3128");
    EXPECT_EQ(proxy->user, "me@corp");
    EXPECT_EQ(proxy->password, "p:w");
    EXPECT_EQ(proxy_at("http://[::1]")->name(), "http://[::1]:80");
}

TEST(UpstreamProxy, CredentialsAreBasicOnes) {
    EXPECT_EQ(proxy_at("http://Aladdin:open%20sesame@p:1")->authorization(),
              "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");  // the example of RFC 7617
    EXPECT_EQ(proxy_at("http://a:b@p:1")->authorization(), "Basic YTpi");
    EXPECT_EQ(proxy_at("http://p:1")->authorization(), "");
}

TEST(UpstreamProxy, ABadUrlIsRefusedWithoutRepeatingIt) {
    for (const auto* url : {"proxy:3128", "https://u:CANARY@p:1", "socks5://u:CANARY@p",
                            "http://u:CANARY%@p:1", "http://u:CANARY%0a@p:1", "http://u:CANARY@",
                            "http://u:CANARY@p:0", "http://u:CANARY@p:x", "http://:CANARY@p:1",
                            "http://u:CANARY@p/path", "http://u:CANARY@0x7f.1:1", ""}) {
        const auto proxy = UpstreamProxy::parse(url);
        ASSERT_FALSE(proxy) << url;
        EXPECT_THAT(proxy.error().what, Not(HasSubstr("CANARY")));
    }
}

TEST(NoProxy, NamesHostsAsTheVariableDoes) {
    NoProxy no_proxy;
    for (const auto* text : {"corp.example", ".lab.example", "*.only.example", "10.0.0.0/8", "::1"})
        EXPECT_TRUE(no_proxy.add(text)) << text;
    for (const auto* host : {"corp.example", "git.CORP.example.", "lab.example", "a.lab.example",
                             "a.only.example", "10.1.2.3", "[::1]"})
        EXPECT_TRUE(no_proxy.names(host)) << host;
    for (const auto* host : {"notcorp.example", "only.example", "11.1.2.3", "10.example"})
        EXPECT_FALSE(no_proxy.names(host)) << host;
    EXPECT_FALSE(no_proxy.add("http://corp.example"));
    NoProxy all;
    EXPECT_TRUE(all.add("*"));
    EXPECT_TRUE(all.names("anything.example"));
}

TEST(Routes, TheFirstExceptionThatMatchesHoldsAndTheRestStaysAsItIs) {
    RouteOptions options;
    options.ca_file = "/usual";
    options.proxy = proxy_at("http://usual:1");
    options.hosts["git.example"] = {"192.0.2.1", "192.0.2.2"};
    RouteException& first = options.exceptions.emplace_back();
    first.hosts.push_back(*HostPattern::parse("*.lab.example"));
    first.insecure = true;
    first.proxy = Via();
    RouteException& second = options.exceptions.emplace_back();
    second.hosts = {*HostPattern::parse("a.lab.example"), *HostPattern::parse("git.example")};
    second.ca_file = "/own";
    second.connect_to = {"192.0.2.9"};
    const Routes routes(std::move(options));
    const Route lab = routes.find("A.lab.example");
    EXPECT_TRUE(lab.insecure);
    EXPECT_EQ(lab.proxy, nullptr);
    EXPECT_EQ(lab.ca_file, "/usual");
    const Route git = routes.find("git.example.");
    EXPECT_FALSE(git.insecure);
    EXPECT_EQ(git.proxy->name(), "http://usual:1");
    EXPECT_EQ(git.ca_file, "/own");
    EXPECT_EQ(git.addresses, std::vector<std::string>{"192.0.2.9"});
    EXPECT_TRUE(routes.find("elsewhere.example").addresses.empty());
}

class RouteTest : public OneRequest {
public:
    void use_routes(RouteOptions with) {
        options.routes = std::make_shared<const Routes>(std::move(with));
        use(options);
    }
    void use_proxy(std::string_view userinfo = "") {
        RouteOptions with;
        with.proxy = proxy_at(fmt::format("http://{}{}", userinfo, origin.authority()));
        use_routes(std::move(with));
    }
};

TEST_F(RouteTest, AnOverrideIsDialledInsteadOfTheName) {
    RouteOptions with;
    with.hosts["no-such-name.example"] = {"127.0.0.1"};
    use_routes(std::move(with));
    origin.says(ok("hello"));
    const std::string authority =
        "No-Such-Name.example:" + origin.authority().substr(origin.authority().rfind(':') + 1);
    fetch(get("http://" + authority + "/x"));
    EXPECT_EQ(outcome.body, "hello") << head_error->what;
    EXPECT_THAT(origin.requests.at(0), HasSubstr("Host: " + authority));
}

TEST_F(RouteTest, AnOverrideIsNoWayAroundThePolicy) {
    RouteOptions with;
    with.hosts["public.example"] = {"169.254.169.254"};
    use_routes(std::move(with));
    fetch(get("http://public.example/"));
    EXPECT_EQ(head_error->code, Errc::denied);
}

TEST_F(RouteTest, APlainRequestGoesToTheProxyWholeAndWithItsCredentials) {
    use_proxy("me:secret@");
    options.destinations = std::make_shared<const net::DestinationPolicy>();  // it was configured
    use(options);
    origin.says(ok("from the proxy"));
    fetch(get("http://origin.example/a/../b?x=%2f"));
    EXPECT_EQ(outcome.body, "from the proxy");
    EXPECT_TRUE(origin.requests.at(0).starts_with(
        "GET http://origin.example/a/../b?x=%2f HTTP/1.1\r\nHost: origin.example\r\n"))
        << origin.requests.at(0);
    EXPECT_THAT(origin.requests.at(0), HasSubstr("Proxy-Authorization: Basic bWU6c2VjcmV0\r\n"));
}

TEST_F(RouteTest, ASecureRequestAsksTheProxyForATunnel) {
    use_proxy("me:secret@");
    origin.says("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
                After::close);
    Request request = get("https://origin.example/a");
    request.fields.add("Authorization", "Bearer for-the-origin");
    fetch(std::move(request));
    EXPECT_TRUE(origin.requests.at(0).starts_with("CONNECT origin.example:443 HTTP/1.1\r\n"));
    EXPECT_THAT(origin.requests.at(0), HasSubstr("Proxy-Authorization: Basic bWU6c2VjcmV0\r\n"));
    EXPECT_THAT(origin.requests.at(0), Not(HasSubstr("for-the-origin")));
    EXPECT_EQ(head_error->code, Errc::unavailable);
    EXPECT_THAT(head_error->what, HasSubstr("upstream proxy http://127.0.0.1:"));
    EXPECT_THAT(head_error->what, Not(HasSubstr("secret")));
}

TEST_F(RouteTest, AProxyThatWantsCredentialsOfUsIsNotTheClientsBusiness) {
    use_proxy();
    origin.says("HTTP/1.1 407 X\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n");
    fetch(get("http://origin.example/a"));
    ASSERT_TRUE(head_error);
    EXPECT_EQ(head_error->code, Errc::unavailable);
    EXPECT_THAT(head_error->what, HasSubstr("origin.proxy_credentials_file"));
}

TEST_F(RouteTest, BehindAProxyLiteralsAndLocalhostAreStillChecked) {
    use_proxy();
    fetch(get("http://169.254.169.254/latest"));
    EXPECT_EQ(head_error->code, Errc::denied);
    EXPECT_TRUE(origin.requests.empty());
}

TEST_F(RouteTest, ADeniedHostIsNeverAskedFor) {
    net::DestinationPolicy policy;
    policy.deny_hosts.push_back(*HostPattern::parse("*.evil.example"));
    options.destinations = std::make_shared<const net::DestinationPolicy>(policy);
    use(options);
    fetch(get("http://A.Evil.Example./"));
    EXPECT_EQ(head_error->code, Errc::denied);
    EXPECT_THAT(head_error->what, HasSubstr("destinations.deny_hosts"));
    EXPECT_EQ(proxy_error, "http_request_denied");
}

TEST_F(RouteTest, ASourceAddressIsWhereWeComeFrom) {
    RouteOptions with;
    with.sources.push_back(*net::Address::parse("127.0.0.9:0"));
    use_routes(std::move(with));
    origin.says(ok("hello"));
    fetch();
    EXPECT_EQ(origin.peers.at(0), "127.0.0.9");
}

TEST_F(RouteTest, AnAddressThatIsNotOursIsSaid) {
    RouteOptions with;
    with.sources.push_back(*net::Address::parse("192.0.2.1:0"));
    use_routes(std::move(with));
    fetch();
    EXPECT_EQ(head_error->code, Errc::unavailable);
    EXPECT_THAT(head_error->what, HasSubstr("source address 192.0.2.1"));
    EXPECT_EQ(origin.connections, 0U);
}

}  // namespace
}  // namespace hawker::origin
