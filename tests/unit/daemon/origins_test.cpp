// `origins:` and `origin.*`: what is read, what is refused, and what stays unsaid.
#include "daemon/config_file.h"
#include "daemon/option_docs.h"
#include "daemon/route_config.h"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::daemon {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class Folder {
public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "hawker-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string file(std::string_view name, std::string_view content,
                     std::filesystem::perms mode = std::filesystem::perms(0600)) const {
        const auto path = path_ / name;
        std::ofstream(path) << content;
        std::filesystem::permissions(path, mode);
        return path.string();
    }

private:
    std::filesystem::path path_;
};

Expected<ConfiguredRoutes> routes_from(const std::string& yaml) {
    const auto file = parse_config(yaml, "h.yaml");
    if (!file) return fail(file.error());
    const auto options = Options::resolve(file->assignments);
    if (!options) return fail(options.error());
    return routes_of(*options, file->origins, "h.yaml");
}

std::string refusal_of(const std::string& yaml) {
    const auto routes = routes_from(yaml);
    return routes ? "taken" : routes.error().what;
}

TEST(Origins, AMemberSaysHowItsHostsAreReached) {
    const Folder folder;
    const std::string authority =
        folder.file("ca", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");
    const auto configured = routes_from(fmt::format(R"(
origin: {{proxy: "http://usual:1", no_proxy: [corp.example], source_address: [192.0.2.1]}}
origins:
  - hosts: ["*.lab.example", other.example]
    ca_file: {}
    proxy: none
    connect_to: [192.0.2.7, "2001:db8::7"]
    source_address: 192.0.2.2
  - hosts: far.example
    proxy: http://me:pw@far:2
)",
                                                    authority));
    ASSERT_TRUE(configured) << configured.error().what;
    const auto lab = configured->routes->find("a.lab.example");
    EXPECT_EQ(lab.ca_file, authority);
    EXPECT_EQ(lab.proxy, nullptr);
    EXPECT_THAT(lab.addresses, SizeIs(2));
    EXPECT_EQ(lab.sources.at(0).to_string(), "192.0.2.2:0");
    EXPECT_EQ(configured->routes->find("far.example").proxy->password, "pw");
    EXPECT_EQ(configured->routes->find("usual.example").proxy->name(), "http://usual:1");
    EXPECT_EQ(configured->routes->find("git.corp.example").proxy, nullptr);
    EXPECT_THAT(configured->remarks, SizeIs(0));
}

TEST(Origins, WhatIsNotVerifiedIsARemark) {
    const auto configured = routes_from("origins: [{hosts: old.example, insecure: on}]");
    ASSERT_TRUE(configured);
    EXPECT_TRUE(configured->routes->find("old.example").insecure);
    EXPECT_FALSE(configured->routes->find("new.example").insecure);
    ASSERT_THAT(configured->remarks, SizeIs(1));
    EXPECT_THAT(configured->remarks[0], AllOf(HasSubstr("insecure"), HasSubstr("old.example")));
}

TEST(Origins, AnUnknownKeyNamesItsLineAndTheNearestKnownOne) {
    EXPECT_THAT(refusal_of("origins:\n  - hosts: a\n    insecur: true\n"),
                AllOf(HasSubstr("h.yaml:3"), HasSubstr("did you mean 'insecure'")));
    EXPECT_THAT(refusal_of("origin:\n  proxi: x\n"), HasSubstr("did you mean 'origin.proxy'"));
    EXPECT_THAT(refusal_of("origins:\n  - insecure: true\n"),
                AllOf(HasSubstr("h.yaml:2"), HasSubstr("'hosts'")));
    EXPECT_THAT(refusal_of("origins:\n  hosts: a\n"), HasSubstr("expected a list"));
    EXPECT_THAT(refusal_of("origins:\n  - hosts: a\n    hosts: b\n"), HasSubstr("twice"));
}

TEST(Origins, ABadValueNamesItsLineAndKey) {
    EXPECT_THAT(refusal_of("origins:\n  - hosts: 'https://a'\n"),
                AllOf(HasSubstr("h.yaml:2"), HasSubstr("hosts")));
    EXPECT_THAT(refusal_of("origins:\n  - hosts: a\n    ca_file: /no/such\n"),
                AllOf(HasSubstr("ca_file"), HasSubstr("/no/such")));
    EXPECT_THAT(refusal_of("origins:\n  - hosts: a\n    connect_to: b.example\n"),
                HasSubstr("connect_to"));
    EXPECT_THAT(refusal_of("origins:\n  - hosts: a\n    client_key: /k\n"),
                HasSubstr("client_certificate"));
    EXPECT_THAT(refusal_of("origin: {hosts: [a.example]}"), HasSubstr("git.example=192.0.2.7"));
    EXPECT_THAT(refusal_of("origin: {ca_file: /no/such}"), HasSubstr("/no/such"));
}

TEST(Origins, AFileWithoutPemIsRefused) {
    const Folder folder;
    const std::string file = folder.file("text", "hello");
    EXPECT_THAT(refusal_of("origins: [{hosts: a, ca_file: " + file + "}]"), HasSubstr("PEM"));
    EXPECT_THAT(refusal_of("origins: [{hosts: a, client_certificate: " + file + "}]"),
                HasSubstr("PEM"));
}

TEST(Origins, ASecretThatEverybodyCanReadIsRefused) {
    const Folder folder;
    const std::string file = folder.file("secret", "me:CANARY\n", std::filesystem::perms(0644));
    for (const std::string& yaml :
         {"origin: {proxy: 'http://p:1', proxy_credentials_file: " + file + "}",
          "origins: [{hosts: a, client_certificate: " + file + "}]"})
        EXPECT_THAT(refusal_of(yaml),
                    AllOf(HasSubstr("chmod 600 "), HasSubstr(file), Not(HasSubstr("CANARY"))));
}

TEST(Origins, CredentialsComeFromAFile) {
    const Folder folder;
    const std::string file = folder.file("secret", "me:p:w\n");
    const auto configured =
        routes_from("origin: {proxy: 'http://p:1', proxy_credentials_file: " + file + "}");
    ASSERT_TRUE(configured) << configured.error().what;
    EXPECT_EQ(configured->routes->find("a").proxy->user, "me");
    EXPECT_EQ(configured->routes->find("a").proxy->password, "p:w");
    EXPECT_THAT(refusal_of("origin: {proxy_credentials_file: " + file + "}"),
                HasSubstr("origin.proxy"));
}

TEST(Origins, CredentialsAreNeverRepeated) {
    for (const auto* yaml :
         {"origin: {proxy: 'https://u:CANARY@p'}", "origins: [{hosts: a, proxy: 'u:CANARY@p:1'}]"})
        EXPECT_THAT(refusal_of(yaml), AllOf(HasSubstr("proxy"), Not(HasSubstr("CANARY"))));
    const auto file = parse_config("origin: {proxy: 'http://u:CANARY@p:1'}", "h.yaml");
    const auto options = Options::resolve(file->assignments);
    EXPECT_THAT(effective_config(*options),
                AllOf(HasSubstr("origin.proxy = (set)"), Not(HasSubstr("CANARY"))));
}

}  // namespace
}  // namespace hawker::daemon
