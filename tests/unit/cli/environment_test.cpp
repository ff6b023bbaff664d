// What `hawker env` prints, and how words survive a shell.
#include "cli/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::cli {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

std::string lines(const EnvironmentQuestion& question) {
    return environment_lines(question).value();
}

TEST(ShellWord, IsQuotedOnlyWhereItMust) {
    EXPECT_EQ(shell_word("/a/b-c_d.pem"), "/a/b-c_d.pem");
    EXPECT_EQ(shell_word(""), "''");
    EXPECT_EQ(shell_word("a b"), "'a b'");
    EXPECT_EQ(shell_word("$(id)`;"), "'$(id)`;'");
    EXPECT_EQ(shell_word("it's"), R"('it'\''s')");
    EXPECT_EQ(shell_word(R"(it's \)", Shell::fish), R"('it\'s \\')");
    EXPECT_EQ(shell_word("~"), "'~'");
}

TEST(Environment, NamesTheProxyInBothCases) {
    const std::string text = lines({});
    for (const char* name : {"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"})
        EXPECT_THAT(text, HasSubstr(std::string("export ") + name + "=http://127.0.0.1:65001\n"));
    EXPECT_THAT(text, AllOf(HasSubstr("export no_proxy="), HasSubstr("export NO_PROXY="),
                            HasSubstr("localhost,127.0.0.1,::1,"), HasSubstr(",.internal,"),
                            Not(HasSubstr("SSL_CERT_FILE"))));
}

TEST(Environment, FishHasWordsOfItsOwn) {
    EnvironmentQuestion question;
    question.shell = Shell::fish;
    EXPECT_THAT(lines(question), AllOf(HasSubstr("set -gx http_proxy "), Not(HasSubstr("export"))));
}

TEST(Environment, WhatNoProxyHadStaysAndNothingIsThereTwice) {
    EnvironmentQuestion question;
    question.no_proxy = "git.example, localhost,";
    const std::string text = lines(question);
    EXPECT_THAT(text, HasSubstr("no_proxy=git.example,localhost,127.0.0.1,"));
    question.no_proxy = text.substr(text.find("no_proxy=") + 9);
    question.no_proxy.erase(question.no_proxy.find('\n'));
    EXPECT_EQ(lines(question), text);  // eval twice is eval once
}

TEST(Environment, TheProxysOwnHostIsAskedDirectly) {
    EnvironmentQuestion question;
    const auto no_proxy_beside = [&question](const char* proxy) {
        question.proxy = proxy;
        const std::string text = lines(question);
        const std::size_t begin = text.find("no_proxy=");
        return text.substr(begin, text.find('\n', begin) - begin);
    };
    EXPECT_THAT(no_proxy_beside("http://hawker.example:65001"), EndsWith(",hawker.example"));
    EXPECT_THAT(no_proxy_beside("http://me:x@hawker.example/"), EndsWith(",hawker.example"));
    EXPECT_THAT(no_proxy_beside("http://[2001:db8::1]:65001"), EndsWith(",2001:db8::1"));
}

TEST(Environment, ABundleIsNamedForEveryClient) {
    EnvironmentQuestion question;
    question.bundle = "/my ca/bundle.pem";
    const std::string text = lines(question);
    for (const char* name : {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
                             "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS", "PIP_CERT"})
        EXPECT_THAT(text, HasSubstr(std::string("export ") + name + "='/my ca/bundle.pem'\n"));
}

TEST(Environment, GitAndPipGetCommands) {
    EnvironmentQuestion question;
    question.proxy = "proxy.example:3128";
    question.clients = {"git", "pip"};
    question.bundle = "/b.pem";
    EXPECT_EQ(lines(question),
              "git config --global http.proxy http://proxy.example:3128\n"
              "git config --global http.sslCAInfo /b.pem\n"
              "pip config set global.proxy http://proxy.example:3128\n"
              "pip config set global.cert /b.pem\n");
    question.clients = {"npm"};
    EXPECT_EQ(environment_lines(question).error().code, Errc::invalid);
}

TEST(Environment, WhatIsNoProxyIsRefused) {
    for (const char* proxy : {"", "http://", "socks5://a:1", "http:///x", "a\nb", "http://a b"}) {
        EnvironmentQuestion question;
        question.proxy = proxy;
        EXPECT_FALSE(environment_lines(question)) << proxy;
    }
}

}  // namespace
}  // namespace hawker::cli
