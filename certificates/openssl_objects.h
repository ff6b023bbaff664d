// OpenSSL's objects with one owner each, and what it has to say when something fails. Private to
// the room.
//
// Failure: OpenSSL keeps errors in a queue of the thread; every function here leaves it empty, so
//          that nobody's SSL_get_error() later reads somebody else's.
#pragma once

#include "base/error.h"
#include "certificates/identity.h"

#include <memory>
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace hawker::certificates {

template <auto kFree>
struct FreeWith {
    template <typename T>
    void operator()(T* object) const {
        kFree(object);
    }
};

using Bio = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using Number = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;
using Bits = std::unique_ptr<ASN1_BIT_STRING, FreeWith<ASN1_BIT_STRING_free>>;
using Octets = std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;
using Name = std::unique_ptr<GENERAL_NAME, FreeWith<GENERAL_NAME_free>>;
using NameConstraints = std::unique_ptr<NAME_CONSTRAINTS, FreeWith<NAME_CONSTRAINTS_free>>;
using BasicConstraints = std::unique_ptr<BASIC_CONSTRAINTS, FreeWith<BASIC_CONSTRAINTS_free>>;
using AuthorityKeyId = std::unique_ptr<AUTHORITY_KEYID, FreeWith<AUTHORITY_KEYID_free>>;
using ExtendedUsage = std::unique_ptr<EXTENDED_KEY_USAGE, FreeWith<EXTENDED_KEY_USAGE_free>>;

// What OpenSSL says went wrong. Only its fixed texts, never anything of the input.
Error openssl_error(std::string_view what_we_were_doing);

WallTime wall_time(const ASN1_TIME* time);

// Every certificate of a PEM text, in order; empty when there is none or one of them is broken.
std::vector<Certificate> read_certificates(std::string_view pem);
// Null when there is none, it is broken, or it is encrypted (nobody is asked for a password).
Key read_key(std::string_view pem);
std::string certificate_pem(X509* certificate);
std::string key_pem(EVP_PKEY* key);
Certificate share(X509* certificate);

}  // namespace hawker::certificates
