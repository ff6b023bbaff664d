#include "certificates/identity.h"

#include "certificates/openssl_objects.h"
#include "certificates/secret_file.h"

#include <fmt/format.h>
#include <openssl/err.h>

namespace hawker::certificates {

void FreeCertificate::operator()(x509_st* certificate) const { ::X509_free(certificate); }
void FreeKey::operator()(evp_pkey_st* key) const { ::EVP_PKEY_free(key); }

Identity::Identity(Key key, Certificate leaf, std::vector<Certificate> chain)
    : key_(std::move(key)), leaf_(std::move(leaf)), chain_(std::move(chain)) {}

WallTime Identity::not_after() const { return wall_time(::X509_get0_notAfter(leaf_.get())); }

Expected<std::shared_ptr<const Identity>> Identity::load(const std::filesystem::path& chain,
                                                         const std::filesystem::path& key) {
    const auto key_text = read_key_file(key);
    if (!key_text) return fail(Errc::invalid, key_text.error().what);
    const auto chain_text = read_file(chain);
    if (!chain_text) return fail(Errc::invalid, chain_text.error().what);
    std::vector<Certificate> certificates = read_certificates(*chain_text);
    if (certificates.empty())
        return fail(Errc::invalid,
                    fmt::format("{}: no whole certificate in PEM form; `openssl x509 -in {} -text` "
                                "shows what is there",
                                chain.native(), chain.native()));
    Key private_key = read_key(*key_text);
    if (!private_key)
        return fail(Errc::invalid, fmt::format("{}: no private key in PEM form without a password; "
                                               "`openssl pkey -in {} -out NEW` takes one off",
                                               key.native(), key.native()));
    Certificate leaf = std::move(certificates.front());
    certificates.erase(certificates.begin());
    if (::X509_check_private_key(leaf.get(), private_key.get()) != 1) {
        ::ERR_clear_error();
        return fail(Errc::invalid,
                    fmt::format("{} is not the key of the first certificate in {}: the leaf comes "
                                "first, then what leads to its issuer",
                                key.native(), chain.native()));
    }
    return std::make_shared<const Identity>(std::move(private_key), std::move(leaf),
                                            std::move(certificates));
}

}  // namespace hawker::certificates
