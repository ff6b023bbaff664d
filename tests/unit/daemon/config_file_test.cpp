#include "daemon/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

ConfigFile parsed(const std::string& text) {
    auto file = parse_config(text, "hawker.yaml");
    if (file) return std::move(*file);
    ADD_FAILURE() << file.error().what;
    return ConfigFile();
}

std::string complaint(const std::string& text) {
    const auto file = parse_config(text, "hawker.yaml");
    return file ? "" : file.error().what;
}

TEST(ConfigFile, NestedKeysBecomeDottedOnesWithTheirLines) {
    const ConfigFile file = parsed("listen: [127.0.0.1:1, '[::1]:2']\ncache:\n  max_size: 1GiB\n");
    ASSERT_THAT(file.assignments, SizeIs(2));
    EXPECT_THAT(file.assignments[0].parts, ElementsAre("127.0.0.1:1", "[::1]:2"));
    EXPECT_EQ(file.assignments[1].key, "cache.max_size");
    EXPECT_EQ(file.assignments[1].where, "hawker.yaml:3");
    EXPECT_FALSE(file.rules);
}

TEST(ConfigFile, AnEmptyFileAndAnEmptySectionSayNothing) {
    EXPECT_THAT(parsed("").assignments, SizeIs(0));
    EXPECT_THAT(parsed("# only a comment\ncache:\n  # max_size: 1GiB\n").assignments, SizeIs(0));
}

TEST(ConfigFile, AnUnknownKeyNamesItsLineAndTheNearestKnownOne) {
    EXPECT_EQ(complaint("listen: a\ncache:\n  max_sise: 1\n"),
              "hawker.yaml:3: unknown option 'cache.max_sise'; did you mean 'cache.max_size'?");
    EXPECT_EQ(complaint("cahce: {max_size: 1}\n"),
              "hawker.yaml:1: unknown option 'cahce'; did you mean 'cache'?");
    EXPECT_EQ(complaint("\nruels: []\n"),
              "hawker.yaml:2: unknown option 'ruels'; did you mean 'rules'?");
}

TEST(ConfigFile, AValueOfTheWrongKindNamesItsLineAndWhatWasExpected) {
    EXPECT_EQ(complaint("cache:\n  max_size: [1, 2]\n"),
              "hawker.yaml:2: cache.max_size: expected size, found a list");
    EXPECT_EQ(complaint("cache:\n  max_size:\n"),
              "hawker.yaml:2: cache.max_size: expected size, found nothing");
    EXPECT_THAT(complaint("cache: 7\n"),
                HasSubstr("hawker.yaml:1: cache: expected options of this section"));
    EXPECT_THAT(complaint("- listen\n"), HasSubstr("hawker.yaml:1: expected a mapping"));
    EXPECT_THAT(complaint("listen: [[a]]\n"),
                HasSubstr("hawker.yaml:1: listen: expected addresses"));
}

TEST(ConfigFile, AKeyStandsOnlyOnce) {
    EXPECT_EQ(complaint("threads: 1\nthreads: 2\n"),
              "hawker.yaml:2: 'threads' stands in the file twice");
    EXPECT_EQ(complaint("cache: {}\ncache: {}\n"),
              "hawker.yaml:2: 'cache' stands in the file twice");
}

TEST(ConfigFile, WhatIsNotYamlNamesItsLine) {
    EXPECT_THAT(complaint("listen: a\ncache: {max_size: 1\n"), HasSubstr("hawker.yaml:"));
    EXPECT_THAT(complaint("listen: a\ncache: {max_size: 1\n"), HasSubstr("this is not YAML"));
}

TEST(ConfigFile, AMissingFileAndADirectoryAreNamed) {
    EXPECT_EQ(read_config_file("/nowhere/hawker.yaml").error().code, Errc::not_found);
    EXPECT_THAT(read_config_file("/").error().what, HasSubstr("directory"));
}

constexpr const char* kRules = R"(rules:
  - name: lfs
    match: '^https?://lfs\.example/(?P<sha256>[0-9a-f]{64})$'
    key:
      strip: [aws-sigv4, "x-*"]
      keep: versionId
      sort: on
    digest: sha256
    policy: immutable
    origin_scheme: https
    access: capability
    on_unverifiable: serve
    piece_size: 8MiB
    connections: 6
    follow_redirects: true
    ignore_credentials: yes
    content_types: [application/octet-stream]
  - match: '^http://b/'
    policy: bypass
    learn_digest: true
)";

TEST(Rules, EveryKeyIsRead) {
    const ConfigFile file = parsed(kRules);
    ASSERT_TRUE(file.rules);
    ASSERT_THAT(*file.rules, SizeIs(2));
    const filters::RuleSpec& lfs = file.rules->front();
    EXPECT_EQ(lfs.name, "lfs");
    EXPECT_EQ(lfs.line, 2);
    EXPECT_THAT(lfs.strip, ElementsAre("aws-sigv4", "x-*"));
    EXPECT_THAT(lfs.keep, ElementsAre("versionId"));
    EXPECT_TRUE(lfs.sort);
    EXPECT_EQ(lfs.digest, "sha256");
    EXPECT_EQ(lfs.policy, filters::Policy::immutable);
    EXPECT_EQ(lfs.origin_scheme, filters::Scheme::https);
    EXPECT_EQ(lfs.access, filters::Access::capability);
    EXPECT_EQ(lfs.on_unverifiable, filters::OnUnverifiable::serve);
    EXPECT_EQ(lfs.piece_size, 8U << 20U);
    EXPECT_EQ(lfs.connections, 6U);
    EXPECT_TRUE(lfs.follow_redirects);
    EXPECT_TRUE(lfs.ignore_credentials);
    EXPECT_THAT(lfs.content_types, ElementsAre("application/octet-stream"));
    EXPECT_EQ(file.rules->back().name, "rule 2");
    EXPECT_EQ(file.rules->back().policy, filters::Policy::bypass);
    EXPECT_FALSE(lfs.learn_digest);
    EXPECT_TRUE(file.rules->back().learn_digest);
    EXPECT_EQ(file.rules->back().on_unverifiable, filters::OnUnverifiable::deny);
}

TEST(Rules, NoRulesIsNotTheSameAsNotSpeakingOfRules) {
    ASSERT_TRUE(parsed("rules: []\n").rules);
    EXPECT_THAT(*parsed("rules: []\n").rules, SizeIs(0));
}

TEST(Rules, AnUnknownKeyNamesItsLineAndTheNearestKnownOne) {
    EXPECT_EQ(complaint("rules:\n  - match: a\n    acces: shared\n"),
              "hawker.yaml:3: unknown key 'acces' in a rule; did you mean 'access'?");
    EXPECT_EQ(complaint("rules:\n  - match: a\n    key:\n      stripp: [b]\n"),
              "hawker.yaml:4: unknown key 'key.stripp' in a rule; did you mean 'strip'?");
}

TEST(Rules, AWrongValueNamesItsLineAndKey) {
    EXPECT_THAT(complaint("rules:\n  - match: a\n    access: everybody\n"),
                HasSubstr("hawker.yaml:3: access: "));
    EXPECT_THAT(complaint("rules:\n  - match: a\n    on_unverifiable: hope\n"),
                HasSubstr("hawker.yaml:3: on_unverifiable: 'hope' is not a choice"));
    EXPECT_THAT(complaint("rules:\n  - match: a\n    piece_size: big\n"),
                HasSubstr("hawker.yaml:3: piece_size: 'big'"));
    EXPECT_THAT(complaint("rules:\n  - match: [a]\n"),
                HasSubstr("hawker.yaml:2: match: expected one value, found a list"));
    EXPECT_THAT(complaint("rules:\n  - match: a\n    connections: 65\n"),
                HasSubstr("from 1 to 64"));
    EXPECT_THAT(complaint("rules:\n  - match: a\n    origin_scheme: ftp\n"),
                HasSubstr("neither http nor https"));
    EXPECT_THAT(complaint("rules:\n  - match: a\n    key: b\n"),
                HasSubstr("hawker.yaml:3: expected a mapping"));
    EXPECT_THAT(complaint("rules: 7\n"), HasSubstr("hawker.yaml:1: rules: expected a list"));
    EXPECT_THAT(complaint("rules: [7]\n"), HasSubstr("hawker.yaml:1: expected a mapping"));
}

TEST(Rules, ARuleNeedsAPatternAndANameOfItsOwn) {
    EXPECT_THAT(complaint("rules:\n  - name: a\n"),
                HasSubstr("hawker.yaml:2: this rule has no 'match'"));
    EXPECT_THAT(complaint("rules:\n  - {name: a, match: x}\n  - {name: a, match: y}\n"),
                HasSubstr("hawker.yaml:3: there are two rules of the name 'a'"));
}

TEST(ConfigFile, UsersAreNamesWithTerms) {
    const ConfigFile file = parsed(
        "users:\n  ci: {connections: 32, bandwidth: 2MiB}\n  '*': {shared: false}\n  bob: {}\n");
    ASSERT_THAT(file.users, SizeIs(3));
    EXPECT_EQ(file.users.at("ci").connections, 32U);
    EXPECT_EQ(file.users.at("ci").bandwidth, 2U << 20U);
    EXPECT_TRUE(file.users.at("ci").shared);
    EXPECT_FALSE(file.users.at("*").shared);
    EXPECT_TRUE(file.users.at("bob").shared);
}

TEST(ConfigFile, WhatIsWrongWithAUserNamesItsLine) {
    EXPECT_THAT(complaint("users:\n  ci: {conections: 1}\n"),
                HasSubstr("hawker.yaml:2: unknown key 'conections' in users; did you mean "
                          "'connections'"));
    EXPECT_THAT(complaint("users:\n  ci: {connections: -1}\n"), HasSubstr("hawker.yaml:2:"));
    EXPECT_THAT(complaint("users:\n  ci: {bandwidth: fast}\n"), HasSubstr("hawker.yaml:2:"));
    EXPECT_THAT(complaint("users:\n  ci: {shared: perhaps}\n"), HasSubstr("hawker.yaml:2:"));
    EXPECT_THAT(complaint("users:\n  ci: 4\n"), HasSubstr("expected a mapping"));
    EXPECT_THAT(complaint("users: [ci]\n"), HasSubstr("expected a mapping of names"));
    EXPECT_THAT(complaint("users:\n  ci: {}\n  ci: {}\n"), HasSubstr("twice"));
    EXPECT_THAT(complaint("users:\n  '': {}\n"), HasSubstr("hawker.yaml:2:"));
}

}  // namespace
}  // namespace hawker::daemon
