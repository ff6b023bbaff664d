#include "filters/url.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace hawker::filters {
namespace {

TEST(Url, IsTakenApartWithoutChangingAByte) {
    const auto url = parse_url("https://CDN-lfs.hf.co:8443/a%2fb/c?x=1&y=%7E");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->scheme, Scheme::https);
    EXPECT_EQ(url->host, "CDN-lfs.hf.co");
    EXPECT_EQ(url->port, 8443);
    EXPECT_EQ(url->path, "/a%2fb/c");
    EXPECT_EQ(url->query, "x=1&y=%7E");
    EXPECT_TRUE(url->has_query);
}

TEST(Url, AnEmptyPathIsASlash) {
    EXPECT_EQ(parse_url("http://example.org")->path, "/");
    EXPECT_EQ(parse_url("http://example.org?q")->path, "/");
    EXPECT_EQ(parse_url("http://example.org?q")->query, "q");
}

TEST(Url, AnEmptyQueryIsNotNone) {
    EXPECT_TRUE(parse_url("http://example.org/?")->has_query);
    EXPECT_FALSE(parse_url("http://example.org/")->has_query);
}

TEST(Url, TheSchemeMayBeInAnyCaseAndBringsItsPort) {
    EXPECT_EQ(parse_url("HTTP://example.org/")->port, 80);
    EXPECT_EQ(parse_url("hTTps://example.org/")->port, 443);
}

TEST(Url, AUserinfoIsRefused) {
    EXPECT_FALSE(parse_url("http://user@example.org/"));
    EXPECT_FALSE(parse_url("http://user:secret@example.org/"));
    EXPECT_FALSE(parse_url("http://example.org:80@evil.example/"));
    EXPECT_TRUE(parse_url("http://example.org/@scope/package"));
}

TEST(Url, AFragmentIsRefused) {
    EXPECT_FALSE(parse_url("http://example.org/#top"));
    EXPECT_FALSE(parse_url("http://example.org#@evil.example/"));
}

TEST(Url, AnotherSchemeIsRefused) {
    for (const char* text :
         {"ftp://example.org/", "//example.org/", "/path", "", "http:/example.org",
          "http:example.org", "file:///etc/passwd", "httpss://example.org/"})
        EXPECT_FALSE(parse_url(text)) << text;
}

TEST(Url, AMalformedHostIsRefused) {
    for (const char* host :
         {"", ".", "..", "a..b", ".a", "a%41b", "a b", "a,b", "[", "[]", "[::1", "::1", "[::1]x",
          "[g::]", "[::1%25eth0]", "[v1.fe80::a]", "ex\xC3\xA4mple.org"})
        EXPECT_FALSE(parse_url("http://" + std::string(host) + ":80/")) << host;
    EXPECT_FALSE(parse_url("http://" + std::string(64, 'a') + ".org/"));
    std::string long_name = "a";
    while (long_name.size() < 254) long_name += ".a";
    EXPECT_FALSE(parse_url("http://" + long_name + "/"));
}

TEST(Url, AnAddressHasOneSpellingOnly) {
    for (const char* host : {"0177.0.0.1", "0x7f.1", "0x7f000001", "2130706433", "127.1",
                             "127.0.0.1.", "1.2.3.256", "01.2.3.4"})
        EXPECT_FALSE(parse_url("http://" + std::string(host) + "/")) << host;
    EXPECT_TRUE(parse_url("http://127.0.0.1/"));
    EXPECT_EQ(parse_url("http://[::ffff:127.0.0.1]:81/")->host, "[::ffff:127.0.0.1]");
    EXPECT_EQ(parse_url("http://[::1]:81/")->port, 81);
}

TEST(Url, APortIsANumberFrom1To65535) {
    for (const char* port :
         {"0", "65536", "99999", "080", "+80", "-1", "8x", " 80", "", "00000000000080", "80:80"})
        EXPECT_FALSE(parse_url("http://example.org:" + std::string(port) + "/")) << port;
    EXPECT_EQ(parse_url("http://example.org:65535/")->port, 65535);
}

TEST(Url, AByteOutsideTheUriCharactersIsRefused) {
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        const bool is_uri = std::string(
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
                                ":/?[]@!$&'()*+,;=%")
                                .find(c) != std::string::npos;
        for (std::size_t place = 1; place < 20; ++place) {
            std::string path = "/" + std::string(20, 'a');
            path[place] = c;
            EXPECT_EQ(parse_url("http://example.org" + path).has_value(), is_uri) << byte;
        }
    }
}

TEST(Url, AnyBytesGetAnAnswer) {
    std::mt19937 random(7);  // NOLINT: the same every time
    const std::string alphabet = "htps:/[]@.?#%0189abz\\ \r\n";
    for (int round = 0; round < 20'000; ++round) {
        std::string text = round % 2 != 0 ? "http://" : "";
        for (auto length = random() % 24; length > 0; --length)
            text += alphabet[random() % alphabet.size()];
        const auto url = parse_url(text);
        if (!url) continue;
        EXPECT_FALSE(url->host.empty());
        EXPECT_NE(url->port, 0);
        EXPECT_TRUE(url->path.starts_with('/'));
    }
}

TEST(Authority, NeedsHostAndPort) {
    EXPECT_EQ(parse_authority("example.org:443")->host, "example.org");
    EXPECT_EQ(parse_authority("[::1]:443")->port, 443);
    for (const char* text :
         {"example.org", "example.org:", ":443", "user@example.org:443", "example.org:443/",
          "example.org:0", "[::1]", "http://example.org:443"})
        EXPECT_FALSE(parse_authority(text)) << text;
}

}  // namespace
}  // namespace hawker::filters
