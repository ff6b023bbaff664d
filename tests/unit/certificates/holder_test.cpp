#include "certificates/holder.h"

#include "tests/unit/certificates/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::certificates {
namespace {

using testing::SizeIs;
using testing::StartsWith;

// What an issuer might have written into a certificate; nobody signs it.
class HolderTest : public testing::Test {
protected:
    void part(int nid, std::string_view text) {
        ASSERT_EQ(::X509_NAME_add_entry_by_NID(::X509_get_subject_name(certificate.get()), nid,
                                               MBSTRING_UTF8,
                                               reinterpret_cast<const unsigned char*>(text.data()),
                                               static_cast<int>(text.size()), -1, 0),
                  1);
    }
    void common_name(std::string_view text) { part(NID_commonName, text); }
    void also_known_as(const char* names) {
        const std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>> extension(
            ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names));
        ASSERT_EQ(::X509_add_ext(certificate.get(), extension.get(), -1), 1);
    }
    std::string holder() const { return holder_of(certificate.get()); }

    Certificate certificate{::X509_new()};
};

TEST_F(HolderTest, ACommonNameComesFirst) {
    common_name("build host 7");
    also_known_as("DNS:build7.example");
    EXPECT_EQ(holder(), "build host 7");
}

TEST_F(HolderTest, OfSeveralCommonNamesTheMostSpecificCounts) {
    common_name("Users");
    common_name("alice");
    part(NID_organizationName, "Example");
    EXPECT_EQ(holder(), "alice");
}

TEST_F(HolderTest, WithoutOneAnAlternativeNameCounts) {
    also_known_as("IP:192.0.2.1,URI:spiffe://example/ci,DNS:ci.example");
    EXPECT_EQ(holder(), "spiffe://example/ci");
}

TEST_F(HolderTest, WithoutAnyNameItsFingerprintStandsForIt) {
    also_known_as("IP:192.0.2.1");
    EXPECT_EQ(holder(), "sha256:" + sha256_of(certificate.get()));
    EXPECT_THAT(sha256_of(certificate.get()), SizeIs(64));
}

TEST_F(HolderTest, ANameThatALogLineCannotHoldIsNone) {
    using namespace std::string_view_literals;
    for (const std::string_view name :
         {"alice\0.evil"sv, "alice\nstatus=200"sv, "\x1b[2J"sv, " alice"sv, "J\xc3\xbcrgen"sv}) {
        certificate.reset(::X509_new());
        common_name(name);
        EXPECT_THAT(holder(), StartsWith("sha256:")) << name;
    }
}

}  // namespace
}  // namespace hawker::certificates
