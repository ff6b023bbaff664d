// What is minted, seen by a strict client.
#include "certificates/certificate_builder.h"
#include "verifier.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

namespace hawker::certificates {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr auto kWeek = std::chrono::hours(7 * 24);

class LeafTest : public testing::Test {
protected:
    std::shared_ptr<const Authority> authority = authority_for();

    std::shared_ptr<const Identity> leaf(std::string_view host, WallTime now = kToday) const {
        return authority->mint(host, now, kWeek).value();
    }
    // Is the leaf minted for `written` good for a client that means `host`?
    std::string verdict_on(std::string_view written, const std::string& host) const {
        return verdict(*authority, *leaf(written), host);
    }
    Errc refusal(std::string_view host) const {
        const auto minted = authority->mint(host, kToday, kWeek);
        return minted ? Errc::cancelled : minted.error().code;
    }
};

bool is_critical(X509* certificate, int what) {
    const int place = ::X509_get_ext_by_NID(certificate, what, -1);
    return place >= 0 && ::X509_EXTENSION_get_critical(::X509_get_ext(certificate, place)) == 1;
}

TEST_F(LeafTest, IsGoodForItsNameAndForNoOther) {
    EXPECT_EQ(verdict_on("git.example", "git.example"), "ok");
    EXPECT_EQ(verdict_on("localhost", "localhost"), "ok");
    EXPECT_EQ(verdict_on("a_b.example", "a_b.example"), "ok");
    EXPECT_THAT(verdict_on("git.example", "example"), HasSubstr("mismatch"));
    EXPECT_THAT(verdict_on("git.example", "www.git.example"), HasSubstr("mismatch"));
}

TEST_F(LeafTest, CaseAndATrailingDotDoNotCount) {
    EXPECT_EQ(verdict_on("GIT.Example.", "git.example"), "ok");
    EXPECT_EQ(verdict_on("XN--Mnchen-3ya.example", "xn--mnchen-3ya.example"), "ok");
}

TEST_F(LeafTest, AWildcardIsGoodForOneLabel) {
    EXPECT_EQ(verdict_on("*.git.example", "a.git.example"), "ok");
    EXPECT_THAT(verdict_on("*.git.example", "git.example"), HasSubstr("mismatch"));
    EXPECT_THAT(verdict_on("*.git.example", "a.b.git.example"), HasSubstr("mismatch"));
}

TEST_F(LeafTest, AnAddressIsAnAddressAndNotAName) {
    EXPECT_EQ(verdict_on("192.0.2.7", "192.0.2.7"), "ok");
    EXPECT_EQ(verdict_on("2001:db8::7", "2001:db8::7"), "ok");
    EXPECT_EQ(verdict_on("[2001:DB8:0::7]", "2001:db8::7"), "ok");
    EXPECT_THAT(verdict_on("192.0.2.7", "192.0.2.8"), HasSubstr("mismatch"));
    const auto minted = leaf("192.0.2.7");
    EXPECT_EQ(::X509_check_host(minted->leaf(), "192.0.2.7", 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                                nullptr),
              0);
}

TEST_F(LeafTest, WhatIsNoHostIsRefused) {
    const std::string label(63, 'a');
    const std::string too_long = label + "." + label + "." + label + "." + label;
    for (const std::string& host : {std::string(),
                                    std::string("."),
                                    std::string("a..b"),
                                    std::string(".a"),
                                    std::string("git.example\0.evil.example", 25),
                                    std::string(64, 'a'),
                                    too_long,
                                    std::string("*"),
                                    std::string("*.example"),
                                    std::string("a.*.example"),
                                    std::string("g\xc3\xbc.example"),
                                    std::string("a b"),
                                    std::string("a,DNS:evil.example"),
                                    std::string("-a.example"),
                                    std::string("[192.0.2.7]"),
                                    std::string("[::1"),
                                    std::string("[git.example]"),
                                    std::string("fe80::1%eth0"),
                                    std::string("1.2.3"),
                                    std::string("2130706433"),
                                    std::string("127.0.0.0x1"),
                                    std::string("a:443"),
                                    std::string(100000, 'a')})
        EXPECT_EQ(refusal(host), Errc::invalid) << host.substr(0, 80);
    const auto problem = authority->mint("a\nb", kToday, kWeek).error().what;
    EXPECT_EQ(problem.find('\n'), std::string::npos) << problem;
}

TEST_F(LeafTest, ALongNameLeavesTheSubjectEmptyAndTheAlternativeCritical) {
    const std::string longest = std::string(60, 'a') + ".example";
    EXPECT_EQ(verdict_on(longest, longest), "ok");
    const auto minted = leaf(longest);
    EXPECT_EQ(::X509_NAME_entry_count(::X509_get_subject_name(minted->leaf())), 0);
    EXPECT_TRUE(is_critical(minted->leaf(), NID_subject_alt_name));
    const auto fitting = leaf(longest.substr(4));  // 64 bytes
    EXPECT_EQ(::X509_NAME_entry_count(::X509_get_subject_name(fitting->leaf())), 1);
    EXPECT_FALSE(is_critical(fitting->leaf(), NID_subject_alt_name));
}

TEST_F(LeafTest, SerialsAreRandomPositiveAndShortEnough) {
    std::set<std::string> serials;
    for (int i = 0; i < 50; ++i) {
        const auto minted = leaf("git.example");
        const ASN1_INTEGER* const serial = ::X509_get0_serialNumber(minted->leaf());
        EXPECT_LE(::ASN1_STRING_length(serial), 20);
        EXPECT_GE(::ASN1_STRING_length(serial), 8);
        EXPECT_NE(::ASN1_STRING_type(serial), V_ASN1_NEG_INTEGER);
        serials.emplace(reinterpret_cast<const char*>(::ASN1_STRING_get0_data(serial)),
                        static_cast<std::size_t>(::ASN1_STRING_length(serial)));
    }
    EXPECT_EQ(serials.size(), 50U);
}

TEST_F(LeafTest, AClockAnHourBehindAndTheWholeWeekAreFine) {
    const auto minted = leaf("git.example", kToday + 24h);
    EXPECT_EQ(verdict(*authority, *minted, "git.example", kToday + 23h), "ok");
    EXPECT_EQ(verdict(*authority, *minted, "git.example", kToday + 8 * 24h - 1s), "ok");
    EXPECT_THAT(verdict(*authority, *minted, "git.example", kToday + 22h),
                HasSubstr("not yet valid"));
    EXPECT_THAT(verdict(*authority, *minted, "git.example", kToday + 8 * 24h + 1s),
                HasSubstr("expired"));
}

TEST_F(LeafTest, NeverOutlivesItsAuthority) {
    authority = authority_for({}, std::chrono::days(3));
    EXPECT_EQ(leaf("git.example")->not_after(), authority->not_after());
    EXPECT_EQ(authority->mint("git.example", kToday + 73h, kWeek).error().code, Errc::invalid);
}

TEST_F(LeafTest, SaysWhoItIsAndWhoSignedIt) {
    const auto held = leaf("git.example");
    const Certificate root = root_of(*authority);
    EXPECT_EQ(::X509_check_issued(root.get(), held->leaf()), X509_V_OK);
    EXPECT_EQ(::ASN1_OCTET_STRING_cmp(::X509_get0_authority_key_id(held->leaf()),
                                      ::X509_get0_subject_key_id(root.get())),
              0);
    EXPECT_NE(::X509_get0_subject_key_id(held->leaf()), nullptr);
    EXPECT_EQ(::X509_check_ca(held->leaf()), 0);
    EXPECT_EQ(::X509_get_extended_key_usage(held->leaf()), unsigned{XKU_SSL_SERVER});
    EXPECT_EQ(::X509_get_key_usage(held->leaf()), unsigned{KU_DIGITAL_SIGNATURE});
    EXPECT_EQ(::X509_check_private_key(held->leaf(), held->key()), 1);
    EXPECT_TRUE(held->chain().empty());  // clients have the root
}

TEST_F(LeafTest, TheAuthorityIssuesLeavesForServersOnly) {
    const Certificate root = root_of(*authority);
    EXPECT_EQ(::X509_check_ca(root.get()), 1);
    EXPECT_EQ(::X509_get_pathlen(root.get()), 0);
    EXPECT_EQ(::X509_get_key_usage(root.get()), unsigned{KU_KEY_CERT_SIGN});
    EXPECT_TRUE(is_critical(root.get(), NID_basic_constraints));
    EXPECT_TRUE(is_critical(root.get(), NID_key_usage));
    EXPECT_EQ(::X509_get_extended_key_usage(root.get()), unsigned{XKU_SSL_SERVER});
    EXPECT_EQ(::EVP_PKEY_get_bits(::X509_get0_pubkey(root.get())), 256);
}

TEST_F(LeafTest, TheAuthoritysTrueIsTheOneThatGoTakes) {
    unsigned char* der = nullptr;
    const Certificate root = root_of(*authority);
    const int size = ::i2d_X509(root.get(), &der);
    const std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    ::OPENSSL_free(der);
    EXPECT_TRUE(bytes.contains("\x30\x06\x01\x01\xff\x02\x01" + std::string(1, '\0')));
}

TEST(Constraints, TheVerifierAndPermitsAgree) {
    const auto authority = authority_for({"git.example", "Models.Example.", "a.git.example"});
    EXPECT_THAT(authority->permitted_domains(),
                testing::ElementsAre("git.example", "models.example"));
    // Minted by the same key without asking permits(): what somebody who stole the key could do.
    const Key key(::EVP_EC_gen("P-256"));
    CertificateBuilder thief(kToday, kToday + 240h, key.get());
    thief.subject("hawker proxy CA");
    thief.authority();
    const std::vector<std::string> domains = {"git.example", "models.example"};
    thief.constrain_to(domains);
    const Certificate stolen = std::move(thief).sign(nullptr, key.get()).value();
    for (const std::string host :
         {"git.example", "a.git.example", "a.b.models.example", "example", "notgit.example",
          "git.example.evil.example", "evil.example", "192.0.2.7", "2001:db8::7", "localhost"}) {
        const Subject subject = parse_subject(host).value();
        CertificateBuilder builder(kToday, kToday + 24h, key.get());
        builder.subject(host);
        builder.server(subject);
        const Certificate leaf = std::move(builder).sign(stolen.get(), key.get()).value();
        EXPECT_EQ(verdict(leaf.get(), stolen.get(), host) == "ok", authority->permits(host))
            << host << ": " << verdict(leaf.get(), stolen.get(), host);
    }
}

TEST(Constraints, WhatTheyForbidIsNotMinted) {
    const auto authority = authority_for({"git.example"});
    EXPECT_EQ(authority->mint("evil.example", kToday, kWeek).error().code, Errc::denied);
    EXPECT_EQ(authority->mint("192.0.2.7", kToday, kWeek).error().code, Errc::denied);
    const auto leaf = authority->mint("a.git.example", kToday, kWeek).value();
    EXPECT_EQ(verdict(*authority, *leaf, "a.git.example"), "ok");
}

TEST(Constraints, OnlyDomainsAreTaken) {
    for (const std::string domain :
         {"192.0.2.7", "*.example.org", "", "https://a.example", "a b"}) {
        AuthorityOptions options;
        options.permitted_domains = {domain};
        const auto made = Authority::create(options, kToday);
        ASSERT_FALSE(made) << domain;
        EXPECT_EQ(made.error().code, Errc::invalid);
    }
}

TEST(Constraints, WithoutThemEverythingIsPermittedThatIsAHost) {
    const auto authority = authority_for();
    EXPECT_TRUE(authority->permits("evil.example"));
    EXPECT_TRUE(authority->permits("[::1]"));
    EXPECT_FALSE(authority->permits(""));
}

TEST(ErrorQueue, IsEmptyAfterEveryRefusal) {
    const auto authority = authority_for({"git.example"});
    (void)authority->mint("evil.example", kToday, kWeek);
    (void)authority->mint("git.example", kToday, kWeek);
    (void)read_certificates("no certificate");
    (void)read_key("no key");
    EXPECT_EQ(::ERR_peek_error(), 0U);
}

}  // namespace
}  // namespace hawker::certificates
