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
    EXPECT_EQ(go["intercept"].size(), 1U);
    EXPECT_EQ(go["destinations"]["allow_hosts"][0].Scalar(), "git.example");
    const YAML::Node rust = config(
        "gc: {policy: {distHighThresholdPercent: 90, distLowThresholdPercent: 72}}\nproxy: "
        "{server: {}}\n");
    EXPECT_EQ(rust["cache"]["low_watermark"].Scalar(), "0.80");
}

TEST(DragonflyImport, RefusesWhatIsNoDfdaemonsFile) {
    for (const char* const text : {"", "[]", "a: b", "proxy: 3", "proxy: {", "\t"})
        EXPECT_FALSE(import_dfdaemon(text, "df.yaml")) << text;
}

}  // namespace
}  // namespace hawker::cli
