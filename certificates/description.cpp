#include "certificates/description.h"

#include "base/host_pattern.h"
#include "certificates/openssl_objects.h"
#include "certificates/secret_file.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hawker::certificates {

namespace {

std::string subject_of(X509* certificate) {
    const Bio bio(::BIO_new(::BIO_s_mem()));
    // RFC 2253 escapes what is not printable; a name comes from whoever made the certificate.
    ::X509_NAME_print_ex(bio.get(), ::X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    char* bytes = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &bytes);
    return {bytes, static_cast<std::size_t>(std::max(length, 0L))};
}

std::string fingerprint_of(X509* certificate) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    ::X509_digest(certificate, ::EVP_sha256(), digest.data(), &length);
    std::string text;
    for (unsigned i = 0; i < length; ++i) text += fmt::format("{}{:02X}", i ? ":" : "", digest[i]);
    return text;
}

std::vector<std::string> permitted_domains_of(X509* certificate) {
    std::vector<std::string> domains;
    const NameConstraints constraints(static_cast<NAME_CONSTRAINTS*>(
        ::X509_get_ext_d2i(certificate, NID_name_constraints, nullptr, nullptr)));
    if (!constraints) return domains;
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees); ++i) {
        const GENERAL_NAME* const base =
            sk_GENERAL_SUBTREE_value(constraints->permittedSubtrees, i)->base;
        if (base->type != GEN_DNS) continue;
        const unsigned char* const text = ::ASN1_STRING_get0_data(base->d.dNSName);
        std::string domain = plain_host(
            std::string_view(reinterpret_cast<const char*>(text),
                             static_cast<std::size_t>(::ASN1_STRING_length(base->d.dNSName))));
        // Some write what lies below a domain with a dot before it.
        if (domain.size() > 1 && domain.starts_with('.')) domain.erase(0, 1);
        domains.push_back(std::move(domain));
    }
    return domains;
}

}  // namespace

Description describe(x509_st* certificate) {
    Description description;
    description.subject = subject_of(certificate);
    description.fingerprint = fingerprint_of(certificate);
    description.pem = certificate_pem(certificate);
    description.permitted_domains = permitted_domains_of(certificate);
    description.not_before = wall_time(::X509_get0_notBefore(certificate));
    description.not_after = wall_time(::X509_get0_notAfter(certificate));
    return description;
}

Expected<Description> describe(const std::filesystem::path& file) {
    const auto text = read_file(file);
    if (!text) return fail(text.error());
    const std::vector<Certificate> certificates = read_certificates(*text);
    if (certificates.empty() || ::X509_check_ca(certificates.front().get()) != 1)
        return fail(Errc::invalid,
                    fmt::format("{}: its first certificate is not one of a certificate authority; "
                                "`openssl x509 -in {} -text` shows what is there",
                                file.native(), file.native()));
    return describe(certificates.front().get());
}

}  // namespace hawker::certificates
