#include "cli/dragonfly_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

namespace hawker::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Imported import(const std::string& text) {
    auto imported = import_dfdaemon(text, "df.yaml");
    if (!imported) throw std::runtime_error(imported.error().what);
    return *imported;
}
YAML::Node config(const std::string& text) { return YAML::Load(import(text).text); }
YAML::Node first_rule(const std::string& text) { return config(text)["rules"][0]; }

TEST(DragonflyImport, TakesARustRuleForWhatItIs) {
    const YAML::Node rule = first_rule(
        "proxy:\n  rules:\n  - regex: 'repos.*'\n    useTLS: true\n"
        "    filteredQueryParams: [Signature, X-Mine]\n");
    EXPECT_EQ(rule["match"].Scalar(), "^[^?]*(?:repos[^?]*)");
    EXPECT_EQ(rule["origin_scheme"].Scalar(), "https");
    EXPECT_EQ(rule["key"]["strip"].size(), 2U);
    EXPECT_EQ(rule["key"]["strip"][1].Scalar(), "X-Mine");
    EXPECT_EQ(rule["access"].Scalar(), "verify");
}

TEST(DragonflyImport, TakesAGoRuleForWhatItIs) {
    const std::string text =
        "proxy:\n  defaultFilter: 'Expires&Signature&ns'\n  tcpListen: {listen: 127.0.0.1, port: "
        "65001}\n"
        "  proxies:\n  - regx: no-proxy\n    direct: true\n  - regx: repos.*\n    useHTTPS: true\n";
    const YAML::Node all = config(text);
    EXPECT_EQ(all["listen"][0].Scalar(), "127.0.0.1:65001");
    EXPECT_FALSE(all["clients"].IsDefined());
    EXPECT_EQ(all["rules"][0]["policy"].Scalar(), "bypass");
    EXPECT_EQ(all["rules"][1]["match"].Scalar(), "repos.*");
    EXPECT_EQ(all["rules"][1]["origin_scheme"].Scalar(), "https");
    EXPECT_EQ(all["rules"][1]["key"]["strip"].size(), 3U);
    EXPECT_THAT(import(text).lost, IsEmpty());
}

TEST(DragonflyImport, TakesOverThatRangesPrefetch) {
    EXPECT_EQ(first_rule("proxy: {prefetch: true, rules: [{regex: a}]}")["prefetch"].Scalar(),
              "true");
    EXPECT_EQ(first_rule("download: {prefetch: true}\nproxy: {proxies: [{regx: a}]}")["prefetch"]
                  .Scalar(),
              "true");
    EXPECT_FALSE(first_rule("proxy: {rules: [{regex: a}]}")["prefetch"].IsDefined());
}

TEST(DragonflyImport, ReadsTheClientOutOfAChartsValues) {
    const std::string chart =
        "manager: {config: {verbose: true}}\nclient:\n  config:\n    proxy:\n      server: {port: "
        "4001}\n"
        "      rules: [{regex: repos}]\n";
    EXPECT_EQ(config(chart)["listen"][0].Scalar(), "0.0.0.0:4001");
    EXPECT_TRUE(config(chart)["clients"].IsDefined());
}

TEST(DragonflyImport, SaysWhatIsLostAndWhere) {
    const Imported imported = import(
        "proxy:\n  prefetch: true\n  invented: 7\n  rules:\n"
        "  - regex: a\n    redirect: b.example\n  - regex: '[a&&b]'\n");
    EXPECT_THAT(imported.lost, Contains(HasSubstr("df.yaml:3: proxy.invented: not a key")));
    EXPECT_THAT(imported.lost, Contains(HasSubstr("df.yaml:5: proxy.rules: a rule sends nothing")));
    EXPECT_THAT(imported.lost, Contains(HasSubstr("df.yaml:7: proxy.rules: RE2 cannot say")));
    EXPECT_EQ(YAML::Load(imported.text)["rules"].size(), 0U) << imported.text;
}

TEST(DragonflyImport, PrintsNoPasswordAndOpensNoDoorWithoutIt) {
    const Imported imported = import(
        "proxy:\n  server: {basicAuth: {username: admin, password: hunter22}}\n  rules: [{regex: "
        "a}]\n");
    EXPECT_THAT(imported.text, AllOf(Not(HasSubstr("hunter22")), HasSubstr("htpasswd -cB")));
    EXPECT_THAT(imported.lost, Contains(HasSubstr("proxy.server.basicAuth.password")));
    EXPECT_EQ(YAML::Load(imported.text)["listen"][0].Scalar(), "127.0.0.1:4001");
}

TEST(DragonflyImport, WhatAFileSaysNeverLeavesItsComment) {
    const Imported imported = import(
        "proxy:\n  \"x\\nlisten: ['0.0.0.0:1']\\n#\": 1\n  rules:\n  - regex: \"a\\nclients: "
        "[0.0.0.0/0]\"\n");
    const YAML::Node all = YAML::Load(imported.text);
    EXPECT_EQ(all["listen"][0].Scalar(), "0.0.0.0:4001");
    EXPECT_NE(all["clients"].size(), 1U);
}

TEST(DragonflyImport, TakesOverSizesAndHosts) {
    const YAML::Node go = config(
        "storage: {diskGCThreshold: 50Gi, diskGCThresholdPercent: 80}\n"
        "proxy:\n  hijackHTTPS:\n    hosts: [{regx: 'mirror.aliyuncs.com:443'}, {regx: 'a.*'}]\n"
        "  whiteList: [{host: git.example}]\n  proxies: []\n");
    EXPECT_EQ(go["cache"]["max_size"].Scalar(), "50GiB");
    EXPECT_EQ(go["cache"]["max_used_percent"].Scalar(), "80");
    EXPECT_THAT(YAML::Dump(go["intercept"]),
                AllOf(HasSubstr("mirror.aliyuncs.com"), HasSubstr("*.mirror.aliyuncs.com")))
        << "their expressions match anywhere";
    EXPECT_EQ(go["destinations"]["allow_hosts"][0].Scalar(), "git.example");
    const YAML::Node rust = config(
        "gc: {policy: {distHighThresholdPercent: 90, distLowThresholdPercent: 72}}\nproxy: "
        "{server: {}}\n");
    EXPECT_EQ(rust["cache"]["low_watermark"].Scalar(), "0.80");
}

TEST(DragonflyImport, ReadsValuesAsDfdaemonSpellsThem) {
    const YAML::Node rust = config(
        "gc: {policy: {diskThreshold: 500gib, diskHighThresholdPercent: '80%', "
        "diskLowThresholdPercent: 60.0}}\nproxy: {prefetch: True, server: {}, rules: [{regex: "
        "a}]}\n");
    EXPECT_EQ(rust["cache"]["max_size"].Scalar(), "400GiB") << "the percentages are the quota's";
    EXPECT_FALSE(rust["cache"]["max_used_percent"].IsDefined());
    EXPECT_EQ(rust["cache"]["low_watermark"].Scalar(), "0.75");
    EXPECT_EQ(rust["rules"][0]["prefetch"].Scalar(), "true");
    const auto max_size = [](const std::string& text) {
        return config(text)["cache"]["max_size"].Scalar();
    };
    // The Go dfdaemon counts in 1024s whatever is written; the Rust one does as it is written.
    EXPECT_EQ(max_size("storage: {diskGCThreshold: 50G}\nproxy: {proxies: []}"), "50GiB");
    EXPECT_EQ(max_size("storage: {diskGCThreshold: 50mb}\nproxy: {proxies: []}"), "50MiB");
    EXPECT_EQ(max_size("gc: {policy: {diskThreshold: 50G}}\nproxy: {rules: []}"), "50GB");
    EXPECT_EQ(max_size("gc: {policy: {diskThreshold: 1000}}\nproxy: {rules: []}"), "1000");
}

TEST(DragonflyImport, SaysOfEachTranslatedKeyWhenItsValueGivesNothing) {
    const auto lost = [](const std::string& text) { return import(text).lost; };
    const auto says = [](const std::string& key) {
        return testing::ElementsAre(HasSubstr(": " + key + ": "));
    };
    const std::string rust = "\nproxy: {rules: []}";
    for (const std::string key : {"diskThreshold", "diskHighThresholdPercent",
                                  "diskLowThresholdPercent", "distHighThresholdPercent"})
        for (const std::string value : {"much", "-1", "[]x", "[80, 90]", "101%"})
            EXPECT_THAT(lost("gc: {policy: {" + key + ": '" + value + "'}}" + rust),
                        says("gc.policy." + key));
    EXPECT_THAT(lost("gc: {policy: {diskThreshold: 0, diskHighThresholdPercent: 0}}" + rust),
                IsEmpty());
    EXPECT_THAT(lost("download: {concurrentPieceCount: many}" + rust),
                says("download.concurrentPieceCount"));
    EXPECT_THAT(lost("log: {level: loud}" + rust), says("log.level"));
    EXPECT_THAT(lost("proxy: {prefetch: perhaps, rules: []}"), says("proxy.prefetch"));
    EXPECT_THAT(lost("proxy: {rules: [{regex: a, useTLS: perhaps}]}"), says("proxy.rules"));
    EXPECT_THAT(lost("proxy: {rules: [{regex: a, filteredQueryParams: b}]}"), says("proxy.rules"));
    EXPECT_THAT(lost("proxy: {rules: {regex: a}}"), Contains(HasSubstr(": proxy.rules: write")));
    EXPECT_THAT(lost("storage: {diskGCThresholdPercent: 0.8}\nproxy: {proxies: []}"),
                says("storage.diskGCThresholdPercent"));
    EXPECT_THAT(lost("proxy: {proxies: [], tcpListen: {port: {start: 1, end: 9}}}"), IsEmpty());
    EXPECT_THAT(lost("proxy: {proxies: [], tcpListen: {port: {start: 70000}}}"),
                says("proxy.tcpListen.port.start"));
}

TEST(DragonflyImport, TakesTheMostConnectionsThereAreAndSaysSo) {
    const Imported imported = import("download: {concurrentPieceCount: 128}\nproxy: {rules: []}");
    EXPECT_EQ(YAML::Load(imported.text)["fetch"]["connections"].Scalar(), "64");
    EXPECT_THAT(imported.lost, testing::ElementsAre(HasSubstr("fetch.connections is 64")));
}

TEST(DragonflyImport, AnEmptyListOfParametersReplacesTheUsualOne) {
    EXPECT_EQ(
        first_rule("proxy: {rules: [{regex: a, filteredQueryParams: []}]}")["key"]["strip"].size(),
        0U);
    EXPECT_GT(
        first_rule("proxy: {rules: [{regex: a, filteredQueryParams: }]}")["key"]["strip"].size(),
        0U);
}

TEST(DragonflyImport, LeavesOutWhatTheConfigurationWouldRefuse) {
    for (const char* const url :
         {"https://user:hunter22@reg.example/?x=1", "https://user:hunter22@reg.example",
          "index.docker.io", "https://reg.example:99999", "https://reg.example/?x=1"}) {
        const Imported imported =
            import("proxy: {registryMirror: {addr: '" + std::string(url) + "'}, rules: []}");
        EXPECT_FALSE(YAML::Load(imported.text)["registry_mirror"].IsDefined()) << url;
        EXPECT_THAT(imported.lost, testing::ElementsAre(HasSubstr("proxy.registryMirror.addr: ")));
        EXPECT_THAT(imported.text + imported.lost[0], Not(HasSubstr("hunter22")));
    }
    const Imported imported = import("proxy: {server: {ip: myhost, port: 99999}}");
    EXPECT_EQ(YAML::Load(imported.text)["listen"][0].Scalar(), "127.0.0.1:4001");
    EXPECT_THAT(imported.lost, testing::UnorderedElementsAre(HasSubstr("proxy.server.ip: "),
                                                             HasSubstr("proxy.server.port: ")));
}

TEST(DragonflyImport, SaysThatAPrivateRegistryIsNotDialledUntilItIsAllowed) {
    for (const char* const url : {"http://10.0.0.5:5000", "http://localhost:5000", "http://[::1]"})
        EXPECT_THAT(
            import("proxy: {registryMirror: {addr: '" + std::string(url) + "'}, rules: []}").lost,
            testing::ElementsAre(HasSubstr("destinations.allow")));
    EXPECT_THAT(import("proxy: {registryMirror: {addr: 'https://ghcr.io'}, rules: []}").lost,
                IsEmpty());
}

TEST(DragonflyImport, KnowsAGoFileByAnyKeyOfThatEra) {
    for (const char* const key :
         {"registryMirror: {url: 'https://ghcr.io'}", "whiteList: [{host: git.example}]",
          "maxConcurrency: 9", "basicAuth: {username: a, password: b}"})
        EXPECT_THAT(config("proxy: {" + std::string(key) + "}")["listen"][0].Scalar(),
                    testing::EndsWith(":65001"))
            << key;
    EXPECT_EQ(
        config("proxy: {registryMirror: {url: 'https://ghcr.io'}}")["registry_mirror"].Scalar(),
        "https://ghcr.io");
}

TEST(DragonflyImport, HostsAreWhatTheirExpressionsMatch) {
    const auto hosts = [](const std::string& regx) {
        return config("proxy: {hijackHTTPS: {hosts: [{regx: '" + regx + "'}]}}")["intercept"];
    };
    EXPECT_EQ(hosts(R"(^cdn\.example:443$)").size(), 1U);
    EXPECT_EQ(hosts(R"(cdn\.example)").size(), 2U);
    EXPECT_FALSE(hosts(R"(^cdn\d\.example)").IsDefined()) << "a class is no letter";
}

TEST(DragonflyImport, AListOfHostsThatCannotBeSaidClosesAllOfThem) {
    for (const char* const list :
         {"[{regx: 'a.*'}]", "[git.example]", "git.example", "{regx: a}"}) {
        const Imported imported = import("proxy: {whiteList: " + std::string(list) + "}");
        const YAML::Node destinations = YAML::Load(imported.text)["destinations"];
        EXPECT_EQ(destinations["deny_hosts"][0].Scalar(), "*") << list;
        EXPECT_THAT(imported.lost, Contains(HasSubstr("take '*' out of deny_hosts"))) << list;
    }
    const Imported imported =
        import("proxy: {whiteList: [{regx: 'a.*'}, {host: git.example, regx: 'b.*'}]}");
    const YAML::Node destinations = YAML::Load(imported.text)["destinations"];
    EXPECT_EQ(destinations["allow_hosts"].size(), 1U);
    EXPECT_FALSE(destinations["deny_hosts"].IsDefined());
    EXPECT_EQ(imported.lost.size(), 2U) << "one for each expression";
    EXPECT_FALSE(config("proxy: {whiteList: []}")["destinations"].IsDefined());
}

TEST(DragonflyImport, RefusesWhatIsNoDfdaemonsFile) {
    for (const char* const text : {"", "[]", "a: b", "proxy: 3", "proxy: {", "\t"})
        EXPECT_FALSE(import_dfdaemon(text, "df.yaml")) << text;
}

}  // namespace
}  // namespace hawker::cli
