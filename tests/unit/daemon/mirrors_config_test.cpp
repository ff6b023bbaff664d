#include "daemon/mirrors_config.h"

#include "daemon/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::daemon {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

Expected<std::vector<ListenerSpec>> mirrors(const std::string& text) {
    auto file = parse_config(text, "file.yaml");
    if (!file) return fail(file.error());
    auto options = Options::resolve(file->assignments);
    if (!options) return fail(options.error());
    return resolve_mirrors(file->mirrors, *options);
}

std::string error_of_mirrors(const std::string& text) {
    const auto specs = mirrors(text);
    return specs ? "no error" : specs.error().what;
}

TEST(Mirrors, EveryKeyArrives) {
    const auto specs = mirrors(R"(
mirrors:
  - listen: [0.0.0.0:8090, "127.0.0.1:8091"]
    kind: generic
    upstreams: [https://one.example/, "http://two.example:8080/base"]
    token: hf_secret
    offline: true
    clients: [10.0.0.0/8]
    bandwidth: 1MiB
)");
    ASSERT_TRUE(specs) << specs.error().what;
    ASSERT_THAT(*specs, SizeIs(2));
    const ListenerSpec& first = specs->front();
    EXPECT_EQ(first.where, "file.yaml:3");
    EXPECT_EQ(first.address, "0.0.0.0:8090");
    EXPECT_EQ(first.offer, Offer::mirror);
    EXPECT_EQ(first.bandwidth, 1ULL << 20U);
    ASSERT_TRUE(first.mirror);
    EXPECT_THAT(first.mirror->upstreams,
                ElementsAre("https://one.example", "http://two.example:8080/base"));
    EXPECT_EQ(first.mirror->token, "hf_secret");
    EXPECT_TRUE(first.mirror->offline);
    EXPECT_TRUE(first.mirror->kind);
    EXPECT_EQ(specs->back().mirror, first.mirror) << "two listeners of one mirror";
}

TEST(Mirrors, OfTheHubNeedNoUpstreamsAndKnowRepositories) {
    const auto specs = mirrors(
        "mirrors: [{listen: 127.0.0.1:1, kind: huggingface, access: shared, ref_ttl: 5m, "
        "patience: 2s, offline_access: [10.0.0.0/8, 192.0.2.7]}]\n");
    ASSERT_TRUE(specs) << specs.error().what;
    const proxy::Mirror& mirror = *specs->front().mirror;
    EXPECT_THAT(mirror.upstreams, ElementsAre("https://huggingface.co"));
    EXPECT_EQ(mirror.access, filters::Access::shared);
    EXPECT_EQ(mirror.ref_ttl, std::chrono::minutes(5));
    EXPECT_EQ(mirror.patience, std::chrono::seconds(2));
    EXPECT_THAT(mirror.offline_access, SizeIs(2));
    EXPECT_EQ(mirror.rule->access, filters::Access::shared);
}

TEST(Mirrors, XetIsStrippedUnlessTheMirrorServesIt) {
    const auto plain = mirrors("mirrors: [{listen: 127.0.0.1:1, kind: huggingface}]\n");
    ASSERT_TRUE(plain) << plain.error().what;
    EXPECT_FALSE(plain->front().mirror->serves_xet);
    EXPECT_TRUE(any_matches(plain->front().mirror->xet_servers, "cas-server.xethub.hf.co"));
    const auto served = mirrors(
        "mirrors: [{listen: 127.0.0.1:1, kind: huggingface, xet: serve, "
        "xet_hosts: [cas.example]}]\n");
    ASSERT_TRUE(served) << served.error().what;
    EXPECT_TRUE(served->front().mirror->serves_xet);
    EXPECT_TRUE(any_matches(served->front().mirror->xet_servers, "cas.example"));
    EXPECT_FALSE(any_matches(served->front().mirror->xet_servers, "cas-server.xethub.hf.co"));
    const std::string hub = "mirrors: [{listen: 127.0.0.1:1, kind: huggingface, ";
    EXPECT_THAT(error_of_mirrors(hub + "xet: half}]\n"),
                HasSubstr("'half' is neither strip nor serve"));
    EXPECT_THAT(error_of_mirrors(hub + "xet: serve, offline: true}]\n"), HasSubstr("xet: strip"));
    EXPECT_THAT(
        error_of_mirrors("mirrors: [{listen: 127.0.0.1:1, upstreams: [http://a.b], xet: serve}]\n"),
        HasSubstr("knows no repositories"));
}

TEST(Mirrors, ARegistryMayAnswerForOthers) {
    const std::string registry =
        "mirrors: [{listen: 127.0.0.1:1, kind: registry, upstreams: [https://a.example], ";
    const auto specs =
        mirrors(registry + "ref_ttl: 5s, namespaces: [docker.io, \"b.example:5000\"]}]\n");
    ASSERT_TRUE(specs) << specs.error().what;
    EXPECT_EQ(specs->front().mirror->namespaces.size(), 2U);
    EXPECT_THAT(error_of_mirrors(registry + "namespaces: [\"https://a.example\"]}]\n"),
                HasSubstr("is no host"));
    EXPECT_THAT(error_of_mirrors(registry + "xet: serve}]\n"), HasSubstr("has no Xet"));
    EXPECT_THAT(error_of_mirrors(
                    "mirrors: [{listen: 127.0.0.1:1, kind: huggingface, namespaces: [a.b]}]\n"),
                HasSubstr("is no registry"));
}

TEST(Mirrors, AMirrorAsksForNoProxyPassword) {
    const auto specs = mirrors(
        "mirrors: [{listen: 127.0.0.1:1, upstreams: https://a.example}]\n"
        "clients: [10.0.0.0/8]\n");
    ASSERT_TRUE(specs) << specs.error().what;
    EXPECT_FALSE(specs->front().authentication);
}

TEST(Mirrors, WhatIsWrongIsNamedWithItsCure) {
    const auto with = [](const std::string& keys) {
        return error_of_mirrors(
            "mirrors:\n  - {listen: 127.0.0.1:1, upstreams: [https://a.example], " + keys + "}\n");
    };
    EXPECT_THAT(with("upstream: x"),
                AllOf(HasSubstr("file.yaml:2: unknown key 'upstream'"), HasSubstr("'upstreams'")));
    EXPECT_THAT(with("auth: none"), HasSubstr("clients:"));
    EXPECT_THAT(with("kind: generik"), HasSubstr("did you mean 'generic'"));
    EXPECT_THAT(with("ref_ttl: 60s"), HasSubstr("take 'ref_ttl' away"));
    EXPECT_THAT(with("kind: huggingface, access: capability"), HasSubstr("verify nor shared"));
    EXPECT_THAT(with("kind: huggingface, ref_ttl: soon"), HasSubstr("ref_ttl"));
    EXPECT_THAT(with("kind: huggingface, offline_access: [me]"), HasSubstr("offline_access"));
    EXPECT_THAT(with("token: a, token_file: b"), HasSubstr("keep one"));
    EXPECT_THAT(with("token: \"two words\""), HasSubstr("token"));
    EXPECT_THAT(error_of_mirrors("mirrors: [{upstreams: [https://a.example]}]"),
                HasSubstr("'listen'"));
    EXPECT_THAT(error_of_mirrors("mirrors: [{listen: 127.0.0.1:1}]"), HasSubstr("'upstreams'"));
    EXPECT_THAT(error_of_mirrors("mirrors: [{listen: 127.0.0.1:1, upstreams: [ftp://a]}]"),
                HasSubstr("https://host.example"));
    EXPECT_THAT(error_of_mirrors("mirrors: [{listen: 127.0.0.1:1, upstreams: ['https://a/?b']}]"),
                HasSubstr("take the query away"));
    EXPECT_THAT(error_of_mirrors("mirrors: [{listen: 127.0.0.1:1, listen: 127.0.0.1:2}]"),
                HasSubstr("twice"));
    EXPECT_THAT(error_of_mirrors("mirrors: {listen: 127.0.0.1:1}"), HasSubstr("expected a list"));
    EXPECT_THAT(error_of_mirrors("listeners: [{address: 127.0.0.1:1, offers: mirror}]"),
                HasSubstr("`mirrors:`"));
}

TEST(Mirrors, NoneIsOpenToOtherMachinesByMistake) {
    EXPECT_THAT(
        error_of_mirrors("mirrors: [{listen: 0.0.0.0:8090, upstreams: [https://a.example]}]"),
        AllOf(HasSubstr("0.0.0.0:8090 can be reached from other machines"),
              HasSubstr("clients: [10.0.0.0/8]"), HasSubstr("client_ca")));
}

TEST(Mirrors, ATokenFileThatOthersCanReadIsRefused) {
    EXPECT_THAT(error_of_mirrors("mirrors: [{listen: 127.0.0.1:1, upstreams: [https://a.example], "
                                 "token_file: /etc/passwd}]"),
                HasSubstr("chmod 600 /etc/passwd"));
}

}  // namespace
}  // namespace hawker::daemon
