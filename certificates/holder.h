// Whom a client's certificate is for, in one word for logs and for what users may.
//
// Thread:  any; pure.
// Failure: none. The issuer's word is taken, but never a name that a log line could not hold: bytes
//          beyond printable ASCII, blanks at an end, more than 256 of them.
#pragma once

#include <string>

struct x509_st;  // OpenSSL's X509

namespace hawker::certificates {

// SHA-256 of the whole certificate, in lower-case hexadecimal.
std::string sha256_of(const x509_st* certificate);

// The subject's most specific common name; else the first mail address, DNS name or URI in
// subjectAltName; else "sha256:" and the fingerprint. Never empty.
std::string holder_of(const x509_st* certificate);

}  // namespace hawker::certificates
