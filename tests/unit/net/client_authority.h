// Who vouches for clients: an authority of its own, made by OpenSSL.
#pragma once

#include "tests/unit/net/tls_client.h"

#include <cstdio>
#include <filesystem>

#include <openssl/ec.h>
#include <openssl/x509v3.h>
#include <stdlib.h>  // NOLINT: mkstemp(3)
#include <unistd.h>

namespace hawker::net {

struct FreeClientKey {
    void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
};

class ClientAuthority {
public:
    ClientAuthority() {
        certificate_ = make("clients", key_.get());
        char name[] = "/tmp/hawker-clients-XXXXXX";  // NOLINT: mkstemp(3) writes into it
        const int fd = ::mkstemp(name);
        file_ = name;
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(::fdopen(fd, "w"), &std::fclose);
        ::PEM_write_X509(out.get(), certificate_.get());
    }
    ~ClientAuthority() { ::unlink(file_.c_str()); }
    ClientAuthority(const ClientAuthority&) = delete;
    ClientAuthority& operator=(const ClientAuthority&) = delete;

    const std::string& file() const { return file_; }
    // From now on the client shows a certificate of ours.
    void certify(const TlsClient& client, const std::string& name) const {
        const std::unique_ptr<EVP_PKEY, FreeClientKey> key(EVP_EC_gen("P-256"));
        ::SSL_CTX_use_certificate(client.context(), make(name, key.get()).get());
        ::SSL_CTX_use_PrivateKey(client.context(), key.get());
    }

private:
    std::unique_ptr<X509, FreeSsl> make(const std::string& name, EVP_PKEY* key) const {
        std::unique_ptr<X509, FreeSsl> made(::X509_new());
        ::X509_set_version(made.get(), 2);
        ::ASN1_INTEGER_set(::X509_get_serialNumber(made.get()), certificate_ ? 2 : 1);
        ::X509_gmtime_adj(::X509_getm_notBefore(made.get()), -60);
        ::X509_gmtime_adj(::X509_getm_notAfter(made.get()), 3600);
        ::X509_set_pubkey(made.get(), key);
        X509_NAME* const subject = ::X509_get_subject_name(made.get());
        ::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                                     0);
        ::X509_set_issuer_name(
            made.get(), certificate_ ? ::X509_get_subject_name(certificate_.get()) : subject);
        X509_EXTENSION* const basic = ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints,
                                                            certificate_ ? "CA:FALSE" : "CA:TRUE");
        ::X509_add_ext(made.get(), basic, -1);
        ::X509_EXTENSION_free(basic);
        ::X509_sign(made.get(), key_.get(), ::EVP_sha256());
        return made;
    }

    std::unique_ptr<EVP_PKEY, FreeClientKey> key_{EVP_EC_gen("P-256")};
    std::unique_ptr<X509, FreeSsl> certificate_;
    std::string file_;
};

}  // namespace hawker::net
