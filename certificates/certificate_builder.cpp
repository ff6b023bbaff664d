#include "certificates/certificate_builder.h"

#include <array>

#include <openssl/err.h>

namespace hawker::certificates {

namespace {

constexpr int kVersion3 = 2;
constexpr int kSerialBits = 127;  // 16 octets; RFC 5280 section 4.1.2.2 allows 20
constexpr int kKeyIdOctets = 20;  // of SHA-256, RFC 7093 section 2
constexpr int kCritical = 1;
constexpr int kDigitalSignature = 0;  // bits of keyUsage, RFC 5280 section 4.2.1.3
constexpr int kKeyCertSign = 5;

Octets octets(std::string_view bytes) {
    Octets value(::ASN1_OCTET_STRING_new());
    if (value)
        ::ASN1_OCTET_STRING_set(value.get(), reinterpret_cast<const unsigned char*>(bytes.data()),
                                static_cast<int>(bytes.size()));
    return value;
}

Name dns_name(std::string_view text) {
    Name name(::GENERAL_NAME_new());
    ASN1_IA5STRING* const value = ::ASN1_IA5STRING_new();
    ::ASN1_STRING_set(value, text.data(), static_cast<int>(text.size()));
    ::GENERAL_NAME_set0_value(name.get(), GEN_DNS, value);
    return name;
}

// `bytes`: an address, or with its mask twice as long for a constraint.
Name ip_name(std::string_view bytes) {
    Name name(::GENERAL_NAME_new());
    ::GENERAL_NAME_set0_value(name.get(), GEN_IPADD, octets(bytes).release());
    return name;
}

void append(STACK_OF(GENERAL_SUBTREE) * &list, Name name) {
    if (!list) list = sk_GENERAL_SUBTREE_new_null();
    GENERAL_SUBTREE* const subtree = ::GENERAL_SUBTREE_new();
    ::GENERAL_NAME_free(subtree->base);
    subtree->base = name.release();
    sk_GENERAL_SUBTREE_push(list, subtree);
}

void set_time(ASN1_TIME* field, WallTime time) {
    ::ASN1_TIME_set(field, std::chrono::system_clock::to_time_t(time));
}

}  // namespace

CertificateBuilder::CertificateBuilder(WallTime not_before, WallTime not_after, EVP_PKEY* key)
    : certificate_(::X509_new()) {
    X509* const made = certificate_.get();
    check(::X509_set_version(made, kVersion3) == 1);
    const Number serial(::BN_new());
    check(::BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1);
    check(::BN_to_ASN1_INTEGER(serial.get(), ::X509_get_serialNumber(made)) != nullptr);
    set_time(::X509_getm_notBefore(made), not_before);
    set_time(::X509_getm_notAfter(made), not_after);
    check(::X509_set_pubkey(made, key) == 1);
}

void CertificateBuilder::subject(std::string_view common_name) {
    has_name_ = !common_name.empty();
    if (!has_name_) return;
    check(::X509_NAME_add_entry_by_NID(::X509_get_subject_name(certificate_.get()), NID_commonName,
                                       MBSTRING_UTF8,
                                       reinterpret_cast<const unsigned char*>(common_name.data()),
                                       static_cast<int>(common_name.size()), -1, 0) == 1);
}

void CertificateBuilder::add(int what, void* value, int critical) {
    check(::X509_add1_ext_i2d(certificate_.get(), what, value, critical, X509V3_ADD_APPEND) == 1);
}

void CertificateBuilder::add_usage(int bit) {
    const Bits usage(::ASN1_BIT_STRING_new());
    ::ASN1_BIT_STRING_set_bit(usage.get(), bit, 1);
    add(NID_key_usage, usage.get(), kCritical);
}

void CertificateBuilder::add_server_purpose() {
    const ExtendedUsage purposes(sk_ASN1_OBJECT_new_null());
    sk_ASN1_OBJECT_push(purposes.get(), ::OBJ_nid2obj(NID_server_auth));
    add(NID_ext_key_usage, purposes.get(), 0);
}

void CertificateBuilder::authority() {
    const BasicConstraints basic(::BASIC_CONSTRAINTS_new());
    basic->ca = 0xff;  // DER's only true (X.690 section 11.1): Go takes no other
    basic->pathlen = ::ASN1_INTEGER_new();
    ::ASN1_INTEGER_set(basic->pathlen, 0);
    add(NID_basic_constraints, basic.get(), kCritical);
    add_usage(kKeyCertSign);
    add_server_purpose();
}

void CertificateBuilder::constrain_to(std::span<const std::string> domains) {
    const NameConstraints constraints(::NAME_CONSTRAINTS_new());
    for (const std::string& domain : domains)
        append(constraints->permittedSubtrees, dns_name(domain));
    // A permitted domain says nothing about addresses: they are excluded, all of both families.
    append(constraints->excludedSubtrees, ip_name(std::string(8, '\0')));
    append(constraints->excludedSubtrees, ip_name(std::string(32, '\0')));
    add(NID_name_constraints, constraints.get(), kCritical);
}

void CertificateBuilder::server(const Subject& subject) {
    const BasicConstraints basic(::BASIC_CONSTRAINTS_new());
    add(NID_basic_constraints, basic.get(), kCritical);
    add_usage(kDigitalSignature);
    add_server_purpose();
    const Names names(sk_GENERAL_NAME_new_null());
    Name name = subject.is_address() ? ip_name(subject.address) : dns_name(subject.text);
    sk_GENERAL_NAME_push(names.get(), name.release());
    // RFC 5280 section 4.2.1.6: critical where the subject is empty.
    add(NID_subject_alt_name, names.get(), has_name_ ? 0 : kCritical);
}

void CertificateBuilder::add_key_ids(X509* issuer) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    check(::X509_pubkey_digest(certificate_.get(), ::EVP_sha256(), digest.data(), &length) == 1);
    const Octets own = octets({reinterpret_cast<const char*>(digest.data()), kKeyIdOctets});
    add(NID_subject_key_identifier, own.get(), 0);
    const ASN1_OCTET_STRING* const theirs = issuer ? ::X509_get0_subject_key_id(issuer) : nullptr;
    if (!theirs) return;
    const AuthorityKeyId authority(::AUTHORITY_KEYID_new());
    authority->keyid = ::ASN1_OCTET_STRING_dup(theirs);
    add(NID_authority_key_identifier, authority.get(), 0);
}

Expected<Certificate> CertificateBuilder::sign(X509* issuer, EVP_PKEY* issuer_key) && {
    X509* const made = certificate_.get();
    add_key_ids(issuer);
    check(::X509_set_issuer_name(made, ::X509_get_subject_name(issuer ? issuer : made)) == 1);
    check(is_right_ && ::X509_sign(made, issuer_key, ::EVP_sha256()) > 0);
    if (!is_right_) return fail(openssl_error("make a certificate"));
    // OpenSSL reads the extensions the first time it needs them; from here on nobody writes.
    ::X509_check_purpose(made, -1, 0);
    ::ERR_clear_error();
    return std::move(certificate_);
}

}  // namespace hawker::certificates
