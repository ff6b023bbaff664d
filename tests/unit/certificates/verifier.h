// The judge: what a strict TLS client makes of a chain (X509_verify_cert with purpose sslserver).
#pragma once

#include "certificates/authority.h"
#include "certificates/openssl_objects.h"

#include <string>

#include <openssl/x509_vfy.h>

namespace hawker::certificates {

inline WallTime time_at(std::string_view day) {
    std::tm when{};
    ::strptime(std::string(day).c_str(), "%Y-%m-%d", &when);
    return std::chrono::system_clock::from_time_t(::timegm(&when));
}

inline const WallTime kToday = time_at("2026-11-23");

inline std::shared_ptr<const Authority> authority_for(
    std::vector<std::string> domains = {}, std::chrono::days validity = std::chrono::days(3650)) {
    AuthorityOptions options;
    options.permitted_domains = std::move(domains);
    options.validity = validity;
    return Authority::create(options, kToday).value();
}

// "ok", or why a client that trusts `root` does not accept `leaf` as `host`.
inline std::string verdict(X509* leaf, X509* root, const std::string& host, WallTime now = kToday) {
    const std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>> store(::X509_STORE_new());
    ::X509_STORE_add_cert(store.get(), root);
    const std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>> context(
        ::X509_STORE_CTX_new());
    ::X509_STORE_CTX_init(context.get(), store.get(), leaf, nullptr);
    X509_VERIFY_PARAM* const wanted = ::X509_STORE_CTX_get0_param(context.get());
    ::X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_SERVER);
    ::X509_VERIFY_PARAM_set_flags(wanted, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
    ::X509_VERIFY_PARAM_set_time(wanted, std::chrono::system_clock::to_time_t(now));
    if (::X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) != 1)
        ::X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size());
    if (::X509_verify_cert(context.get()) == 1) return "ok";
    return ::X509_verify_cert_error_string(::X509_STORE_CTX_get_error(context.get()));
}

inline Certificate root_of(const Authority& authority) {
    return std::move(read_certificates(authority.certificate_pem()).front());
}

inline std::string verdict(const Authority& authority, const Identity& leaf,
                           const std::string& host, WallTime now = kToday) {
    return verdict(leaf.leaf(), root_of(authority).get(), host, now);
}

}  // namespace hawker::certificates
