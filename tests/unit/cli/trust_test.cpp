// Which lines are printed for which system and which client.
#include "cli/trust.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kDebian =
    "PRETTY_NAME=\"Debian GNU/Linux 12\"\nVERSION_ID=\"12\"\nID=debian\n";

class TrustTest : public testing::Test {
protected:
    TrustTest() {
        question.authority.certificate = "/ca/ca.pem";
        question.authority.description.fingerprint = "AB:CD";
        question.store = trust_store(kDebian, "Linux");
        question.bundle = "/ca/bundle.pem";
    }
    std::string lines(std::vector<std::string> clients = {}) {
        question.clients = std::move(clients);
        return trust_lines(question).value();
    }

    TrustQuestion question;
};

std::string first_line(const char* os_release, const char* kernel = "Linux") {
    const TrustStore store = trust_store(os_release, kernel);
    return store.lines.empty() ? "unknown" : store.lines.front();
}

TEST(TrustStore, IsFoundByWhatTheSystemCallsItself) {
    EXPECT_THAT(first_line(kDebian), HasSubstr("/usr/local/share/ca-certificates/hawker.crt"));
    EXPECT_THAT(first_line("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"), HasSubstr("hawker.crt"));
    EXPECT_THAT(first_line("NAME=x\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"),
                HasSubstr("/etc/pki/ca-trust/source/anchors/"));
    EXPECT_THAT(first_line("ID=alpine\n"), HasSubstr("hawker.crt"));
    EXPECT_EQ(first_line("ID=manjaro\nID_LIKE=arch\n"), "trust anchor --store {ca}");
    EXPECT_THAT(first_line("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n"),
                HasSubstr("/etc/pki/trust/anchors/"));
    EXPECT_THAT(first_line("", "Darwin"), HasSubstr("security add-trusted-cert"));
    EXPECT_EQ(first_line("ID=plan9\n"), "unknown");
    EXPECT_EQ(first_line(""), "unknown");
}

TEST_F(TrustTest, RootNeedsNoSudoAndEverybodyElseDoes) {
    EXPECT_THAT(lines({"system"}), HasSubstr("\nsudo update-ca-certificates\n"));
    question.is_root = true;
    EXPECT_THAT(lines(), Not(HasSubstr("sudo")));
}

TEST_F(TrustTest, TheBundleIsMadeBeforeItIsNamed) {
    const std::string text = lines({"git"});
    EXPECT_THAT(text, HasSubstr("cat /etc/ssl/certs/ca-certificates.crt /ca/ca.pem > "
                                "/ca/bundle.pem && chmod 644 /ca/bundle.pem\n"));
    EXPECT_LT(text.find("cat "), text.find("git config"));
    EXPECT_THAT(lines({"java"}), Not(HasSubstr("/ca/bundle.pem")));
}

TEST_F(TrustTest, OnlyWhatWasAskedForIsPrinted) {
    EXPECT_THAT(lines({"node"}), AllOf(HasSubstr("NODE_EXTRA"), Not(HasSubstr("git"))));
    EXPECT_THAT(lines({"containers"}), AllOf(HasSubstr("podman run"), HasSubstr("restart docker"),
                                             HasSubstr("#   COPY"), Not(HasSubstr("PIP_CERT"))));
    const std::string all = lines();
    for (const std::string& client : known_clients()) {
        if (client == "containers" || client == "dockerfile") continue;
        const std::string text = lines({client});
        const std::string last = text.substr(text.rfind('\n', text.size() - 2));
        EXPECT_THAT(last, Not(HasSubstr("#"))) << client;
        // What stops containers is not run by who wanted everything.
        const bool stops = client == "docker" || client == "containerd" || client == "podman";
        EXPECT_THAT(all, HasSubstr(stops ? "\n#   " + last.substr(1) : last)) << client;
    }
    for (const char* part :
         {"git config", "CURL_CA_BUNDLE", "PIP_CERT", "keytool", "SSL_CERT_FILE"})
        EXPECT_THAT(all, HasSubstr(part));
}

TEST_F(TrustTest, ADockerfilesLinesAloneAreADockerfile) {
    EXPECT_THAT(lines({"dockerfile"}), HasSubstr("\nCOPY hawker.crt"));
    EXPECT_THAT(lines(), Not(HasSubstr("\nCOPY")));
}

TEST_F(TrustTest, AnUnknownClientIsRefusedWithTheKnownOnes) {
    question.clients = {"wget2"};
    const auto refused = trust_lines(question);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, AllOf(HasSubstr("wget2"), HasSubstr("git, curl")));
}

TEST_F(TrustTest, PathsAreQuotedForTheShell) {
    question.authority.certificate = "/it's here/ca.pem";
    EXPECT_THAT(lines({"java"}), HasSubstr(R"(-file '/it'\''s here/ca.pem')"));
}

TEST_F(TrustTest, CommentsHoldNothingThatAShellActsOn) {
    std::istringstream text(lines());
    for (std::string line; std::getline(text, line);) {
        const bool is_comment = line.starts_with('#') && !line.starts_with("#   ");
        EXPECT_FALSE(is_comment && line.find_first_of("'\"`$;()<>&|*?!") != std::string::npos)
            << line;
    }
}

}  // namespace
}  // namespace hawker::cli
