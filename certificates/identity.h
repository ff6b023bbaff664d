// A private key and the certificates that go with it: what one side of a TLS connection shows.
//
// Thread:  immutable; any thread.
// Failure: load() says in words which file is wrong and how to mend it.
#pragma once

#include "base/clock.h"
#include "base/error.h"

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

struct x509_st;      // OpenSSL's X509
struct evp_pkey_st;  // and EVP_PKEY: who includes this header need not see OpenSSL

namespace hawker::certificates {

struct FreeCertificate {
    void operator()(x509_st* certificate) const;
};
struct FreeKey {
    void operator()(evp_pkey_st* key) const;
};
using Certificate = std::unique_ptr<x509_st, FreeCertificate>;
using Key = std::unique_ptr<evp_pkey_st, FreeKey>;

class Identity {
public:
    // `chain` is a PEM file: the leaf first, then what leads to its issuer. `key` may be the same
    // file. Errc::invalid when a file cannot be read or parsed, the key is not the leaf's, or
    // others may read it.
    static Expected<std::shared_ptr<const Identity>> load(const std::filesystem::path& chain,
                                                          const std::filesystem::path& key);
    Identity(Key key, Certificate leaf, std::vector<Certificate> chain);

    evp_pkey_st* key() const { return key_.get(); }
    x509_st* leaf() const { return leaf_.get(); }
    std::span<const Certificate> chain() const { return chain_; }  // without the leaf
    WallTime not_after() const;

private:
    Key key_;
    Certificate leaf_;
    std::vector<Certificate> chain_;
};

}  // namespace hawker::certificates
