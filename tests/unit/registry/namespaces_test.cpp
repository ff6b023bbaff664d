#include "daemon/registry/namespaces.h"

#include <gtest/gtest.h>

namespace hawker::registry {
namespace {

TEST(Namespaces, TheParameterIsTakenOutAndTheRestStaysAsItWas) {
    const Asked only = take_namespace("/v2/a/manifests/x?ns=Docker.io");
    EXPECT_EQ(only.target, "/v2/a/manifests/x");
    EXPECT_EQ(only.ns, "docker.io");
    EXPECT_EQ(take_namespace("/v2/a?n=1&ns=ghcr.io&last=x%20y").target, "/v2/a?n=1&last=x%20y");
    EXPECT_EQ(take_namespace("/v2/a?ns=ghcr.io&n=1").target, "/v2/a?n=1");
    EXPECT_EQ(take_namespace("/v2/a?%6es=ghcr.io%3A5000").ns, "ghcr.io:5000");
}

TEST(Namespaces, WithoutItNothingChanges) {
    for (const std::string_view target : {"/v2/a", "/v2/a?", "/v2/a?n=1&&nsx=2", "/v2/a?&"}) {
        EXPECT_EQ(take_namespace(target).target, target);
        EXPECT_FALSE(take_namespace(target).ns);
    }
}

TEST(Namespaces, SaidTwiceItIsNobodysName) {
    EXPECT_EQ(take_namespace("/v2/?ns=a.example&ns=b.example").ns, "a.example, b.example");
    EXPECT_FALSE(is_namespace_of("a.example, b.example", "https://a.example"));
}

TEST(Namespaces, DockersRegistryHasAnotherNameThanItsImages) {
    EXPECT_TRUE(is_namespace_of("docker.io", "https://registry-1.docker.io"));
    EXPECT_TRUE(is_namespace_of("docker.io", "https://index.docker.io"));
    EXPECT_FALSE(is_namespace_of("docker.io", "https://docker.io.example"));
}

TEST(Namespaces, ARegistryIsNamedByItsHostAndPort) {
    EXPECT_TRUE(is_namespace_of("ghcr.io", "https://ghcr.io"));
    EXPECT_TRUE(is_namespace_of("ghcr.io:443", "https://GHCR.io/path"));
    EXPECT_TRUE(is_namespace_of("127.0.0.1:5000", "http://127.0.0.1:5000"));
    EXPECT_FALSE(is_namespace_of("127.0.0.1", "http://127.0.0.1:5000"));
    EXPECT_FALSE(is_namespace_of("quay.io", "https://ghcr.io"));
    EXPECT_FALSE(is_namespace_of("", "https://ghcr.io"));
}

TEST(Namespaces, ARegistryHasOneUrlHoweverItIsWritten) {
    for (const std::string_view text : {"ghcr.io", "https://GHCR.io/", "https://ghcr.io:443"})
        EXPECT_EQ(upstream_url(text).value_or(""), "https://ghcr.io") << text;
    for (const std::string_view text : {"docker.io", "docker.io.", "https://Docker.io:443/"})
        EXPECT_EQ(upstream_url(text).value_or(""), "https://registry-1.docker.io") << text;
    EXPECT_EQ(upstream_url("http://127.0.0.1:5000/a/").value_or(""), "http://127.0.0.1:5000/a");
    for (const std::string_view text : {"", "ftp://a", "https://u@a", "a?b", "https:// a"})
        EXPECT_FALSE(upstream_url(text)) << text;
}

}  // namespace
}  // namespace hawker::registry
