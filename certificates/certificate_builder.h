// An X.509 certificate in the making: what RFC 5280 wants, field by field. Private to the room.
//
// Failure: the first step that fails is remembered, and sign() says so.
#pragma once

#include "certificates/openssl_objects.h"
#include "certificates/subject.h"

#include <span>

namespace hawker::certificates {

class CertificateBuilder {
public:
    CertificateBuilder(WallTime not_before, WallTime not_after, EVP_PKEY* key);

    // Empty: an empty subject.
    void subject(std::string_view common_name);
    void authority();                                         // CA, leaves only, for TLS servers
    void constrain_to(std::span<const std::string> domains);  // and no IP address
    void server(const Subject& subject);                      // no CA, for one host
    // By `issuer`, or itself when that is null.
    Expected<Certificate> sign(X509* issuer, EVP_PKEY* issuer_key) &&;

private:
    void check(bool is_right) { is_right_ = is_right_ && is_right; }
    void add(int what, void* value, int critical);
    void add_usage(int bit);
    void add_server_purpose();
    void add_key_ids(X509* issuer);

    Certificate certificate_;
    bool is_right_ = true;
    bool has_name_ = false;
};

}  // namespace hawker::certificates
