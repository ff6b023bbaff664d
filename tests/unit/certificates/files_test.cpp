// The authority on disk: who may read it, what is refused, what is never replaced.
#include "certificates/certificate_builder.h"
#include "certificates/secret_file.h"
#include "verifier.h"

#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hawker::certificates {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class FilesTest : public testing::Test {
protected:
    FilesTest() {
        std::string pattern = std::filesystem::temp_directory_path() / "hawker-ca-XXXXXX";
        root = ::mkdtemp(pattern.data());
        directory = root / "state" / "ca";
    }
    ~FilesTest() override { std::filesystem::remove_all(root); }

    static unsigned mode(const std::filesystem::path& path) {
        struct stat status{};
        ::stat(path.c_str(), &status);
        return status.st_mode & 07777U;
    }
    static std::string text(const std::filesystem::path& path) { return read_file(path).value(); }
    static void write(const std::filesystem::path& path, std::string_view content) {
        std::ofstream(path) << content;
        ::chmod(path.c_str(), 0600);
    }
    Error problem(WallTime now = kToday) const { return Authority::load(directory, now).error(); }

    std::filesystem::path root;
    std::filesystem::path directory;
    std::shared_ptr<const Authority> authority = authority_for({"git.example"});
};

TEST_F(FilesTest, WhatWasSavedIsLoaded) {
    ASSERT_TRUE(authority->save(directory));
    EXPECT_EQ(mode(directory), 0700U);
    EXPECT_EQ(mode(directory / "ca.key"), 0600U);
    const auto loaded = Authority::load(directory, kToday).value();
    EXPECT_EQ(loaded->fingerprint(), authority->fingerprint());
    EXPECT_EQ(loaded->fingerprint().size(), 95U);
    EXPECT_THAT(loaded->permitted_domains(), testing::ElementsAre("git.example"));
    const auto leaf = loaded->mint("git.example", kToday, 24h).value();
    EXPECT_EQ(verdict(*authority, *leaf, "git.example"), "ok");
}

TEST_F(FilesTest, IsNeverReplaced) {
    ASSERT_TRUE(authority->save(directory));
    const std::string key = text(directory / "ca.key");
    const auto again = authority_for()->save(directory);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::invalid);
    EXPECT_THAT(again.error().what, HasSubstr("never replaced"));
    EXPECT_EQ(text(directory / "ca.key"), key);
}

TEST_F(FilesTest, ACertificateInTheWayLeavesNoKeyBehind) {
    ASSERT_TRUE(authority->save(directory));
    std::filesystem::remove(directory / "ca.key");
    EXPECT_FALSE(authority_for()->save(directory));
    EXPECT_FALSE(std::filesystem::exists(directory / "ca.key"));
    EXPECT_THAT(text(directory / "ca.pem"), testing::StrEq(authority->certificate_pem()));
}

TEST_F(FilesTest, ALinkInTheWayIsNotFollowed) {
    std::filesystem::create_directories(directory);
    std::filesystem::create_symlink(root / "elsewhere", directory / "ca.key");
    EXPECT_FALSE(authority->save(directory));
    EXPECT_FALSE(std::filesystem::exists(root / "elsewhere"));
}

TEST_F(FilesTest, ADirectoryWhereOthersWriteIsRefused) {
    std::filesystem::create_directories(directory);
    ::chmod(directory.c_str(), 0777);
    EXPECT_THAT(authority->save(directory).error().what, HasSubstr("chmod 700"));
}

TEST_F(FilesTest, NothingThereIsNotFoundAndNamesTheCommand) {
    EXPECT_EQ(problem().code, Errc::not_found);
    EXPECT_THAT(problem().what, HasSubstr("hawker ca init --directory " + directory.native()));
}

TEST_F(FilesTest, AKeyThatOthersCanReadIsRefusedAlsoBehindALink) {
    ASSERT_TRUE(authority->save(directory));
    for (const unsigned wrong : {0604U, 0620U, 0602U, 0660U, 0644U}) {
        ::chmod((directory / "ca.key").c_str(), wrong);
        EXPECT_EQ(problem().code, Errc::invalid);
        EXPECT_THAT(problem().what, HasSubstr("chmod 600 '" + (directory / "ca.key").native()));
    }
    std::filesystem::rename(directory / "ca.key", root / "real.key");
    std::filesystem::create_symlink(root / "real.key", directory / "ca.key");
    EXPECT_THAT(problem().what, HasSubstr("chmod 600"));
    ::chmod((root / "real.key").c_str(), 0600);
    EXPECT_TRUE(Authority::load(directory, kToday));
}

TEST_F(FilesTest, AKeyOfSomebodyElseIsRefused) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
    ASSERT_TRUE(authority->save(directory));
    ASSERT_EQ(::chown((directory / "ca.key").c_str(), 12345, 12345), 0);
    EXPECT_EQ(problem().code, Errc::invalid);
    EXPECT_THAT(problem().what, AllOf(HasSubstr("sudo chown 0"), HasSubstr("12345")));
}

TEST_F(FilesTest, AsRootTheDaemonsUserGetsWhatLiesInItsFolder) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
    std::filesystem::create_directories(root / "state");
    ASSERT_EQ(::chown((root / "state").c_str(), 12345, 12346), 0);
    ASSERT_TRUE(authority->save(directory));
    for (const auto& path : {directory, directory / "ca.key", directory / "ca.pem"}) {
        struct stat status{};
        ::stat(path.c_str(), &status);
        EXPECT_EQ(status.st_uid, 12345U) << path;
    }
}

TEST_F(FilesTest, AKeyOfAnotherCertificateIsRefused) {
    ASSERT_TRUE(authority->save(directory));
    ASSERT_TRUE(authority_for()->save(root / "other"));
    std::filesystem::rename(root / "other" / "ca.key", directory / "ca.key");
    EXPECT_THAT(problem().what, HasSubstr("is not the key of"));
}

TEST_F(FilesTest, ALeafIsNoAuthority) {
    ASSERT_TRUE(authority->save(directory));
    const auto leaf = authority->mint("git.example", kToday, 24h).value();
    write(directory / "ca.pem", certificate_pem(leaf->leaf()));
    write(directory / "ca.key", key_pem(leaf->key()));
    EXPECT_THAT(problem().what, HasSubstr("not one of a certificate authority"));
    EXPECT_FALSE(describe(directory / "ca.pem"));
}

TEST_F(FilesTest, AnExpiredAuthorityIsRefused) {
    ASSERT_TRUE(authority->save(directory));
    EXPECT_THAT(problem(kToday + std::chrono::days(3651)).what, HasSubstr("has expired"));
}

TEST_F(FilesTest, HalfOfItIsInvalidAndSaysWhichHalf) {
    ASSERT_TRUE(authority->save(directory));
    std::filesystem::remove(directory / "ca.pem");
    EXPECT_EQ(problem().code, Errc::invalid);
    EXPECT_THAT(problem().what, HasSubstr("ca.pem"));
}

TEST_F(FilesTest, NoErrorHoldsAnythingOfTheKey) {
    ASSERT_TRUE(authority->save(directory));
    const std::string key = text(directory / "ca.key");
    const std::string body = key.substr(key.find('\n') + 1, 40);
    write(directory / "ca.key", key.substr(0, key.size() / 2));
    EXPECT_THAT(problem().what, AllOf(Not(HasSubstr(body)), HasSubstr("no private key")));
    write(directory / "ca.key", body);
    EXPECT_THAT(problem().what, Not(HasSubstr(body)));
    EXPECT_THAT(Identity::load(directory / "ca.pem", directory / "ca.key").error().what,
                AllOf(Not(HasSubstr(body)), HasSubstr("openssl pkey")));
}

TEST_F(FilesTest, ADescriptionNeedsNoKey) {
    ASSERT_TRUE(authority->save(directory));
    std::filesystem::remove(directory / "ca.key");
    const Description shown = describe(directory / "ca.pem").value();
    EXPECT_EQ(shown.subject, "CN=hawker proxy CA");
    EXPECT_EQ(shown.fingerprint, authority->fingerprint());
    EXPECT_EQ(shown.not_after, kToday + std::chrono::days(3650));
    EXPECT_EQ(describe(root / "nothing").error().code, Errc::not_found);
}

TEST_F(FilesTest, AnIdentityIsLeafThenChainAndTheLeafsKey) {
    const auto leaf = authority->mint("git.example", kToday, 24h).value();
    const std::string chain = certificate_pem(leaf->leaf()) + authority->certificate_pem();
    write(root / "chain.pem", chain);
    write(root / "both.pem", chain + key_pem(leaf->key()));
    write(root / "key.pem", key_pem(leaf->key()));
    for (const char* const key : {"both.pem", "key.pem"}) {
        const auto identity = Identity::load(root / "both.pem", root / key).value();
        EXPECT_EQ(identity->chain().size(), 1U);
        EXPECT_EQ(identity->not_after(), leaf->not_after());
    }
    ASSERT_TRUE(authority->save(directory));
    EXPECT_THAT(Identity::load(root / "chain.pem", directory / "ca.key").error().what,
                HasSubstr("is not the key"));
    EXPECT_EQ(Identity::load(root / "none", root / "key.pem").error().code, Errc::invalid);
    write(root / "broken.pem", chain.substr(0, chain.size() - 40));
    EXPECT_FALSE(Identity::load(root / "broken.pem", root / "key.pem"));
}

TEST_F(FilesTest, AKeyThatOthersMayReadIsNoIdentity) {
    const auto leaf = authority->mint("git.example", kToday, 24h).value();
    const auto file = root / "both.pem";
    write(file, certificate_pem(leaf->leaf()) + key_pem(leaf->key()));
    for (const unsigned mode : {0600U, 0640U, 0400U}) {
        std::filesystem::permissions(file, std::filesystem::perms(mode));
        EXPECT_TRUE(Identity::load(file, file)) << mode;
    }
    for (const unsigned mode : {0644U, 0604U, 0660U, 0602U}) {
        std::filesystem::permissions(file, std::filesystem::perms(mode));
        EXPECT_THAT(Identity::load(file, file).error().what,
                    HasSubstr("chmod 600 '" + file.native() + "' first"))
            << mode;
    }
}

TEST_F(FilesTest, AnIntermediateShowsItselfWithEveryLeaf) {
    const Key root_key(::EVP_EC_gen("P-256"));
    const Key key(::EVP_EC_gen("P-256"));
    CertificateBuilder above(kToday, kToday + 240h, root_key.get());
    above.subject("a company");
    above.authority();
    const Certificate company = std::move(above).sign(nullptr, root_key.get()).value();
    CertificateBuilder ours(kToday, kToday + 240h, key.get());
    ours.subject("its proxies");
    ours.authority();
    const Certificate intermediate = std::move(ours).sign(company.get(), root_key.get()).value();
    std::filesystem::create_directories(directory);
    write(directory / "ca.pem",
          certificate_pem(intermediate.get()) + certificate_pem(company.get()));
    write(directory / "ca.key", key_pem(key.get()));
    const auto loaded = Authority::load(directory, kToday).value();
    const auto leaf = loaded->mint("git.example", kToday, 24h).value();
    ASSERT_EQ(leaf->chain().size(), 1U);  // not the root
    EXPECT_EQ(::X509_cmp(leaf->chain().front().get(), intermediate.get()), 0);
}

TEST(DefaultDirectory, IsTheStateFolderOfWhoeverRuns) {
    std::map<std::string, const char*> variables;
    const auto place = [&variables](bool is_root) {
        return default_authority_directory(
            [&variables](const char* name) { return variables[name]; }, is_root);
    };
    EXPECT_EQ(place(true), "/var/lib/hawker/ca");
    EXPECT_EQ(place(false), "/var/lib/hawker/ca");
    variables["HOME"] = "/home/ada";
    EXPECT_EQ(place(false), "/home/ada/.local/state/hawker/ca");
    variables["XDG_STATE_HOME"] = "relative";
    EXPECT_EQ(place(false), "/home/ada/.local/state/hawker/ca");
    variables["XDG_STATE_HOME"] = "/state";
    EXPECT_EQ(place(false), "/state/hawker/ca");
    EXPECT_EQ(place(true), "/var/lib/hawker/ca");
    variables["STATE_DIRECTORY"] = "/var/lib/private/hawker:/other";
    EXPECT_EQ(place(true), "/var/lib/private/hawker/ca");
}

}  // namespace
}  // namespace hawker::certificates
