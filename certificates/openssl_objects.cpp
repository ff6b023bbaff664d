#include "certificates/openssl_objects.h"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

namespace hawker::certificates {

namespace {

Bio reader_of(std::string_view text) {
    return Bio(::BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string written(BIO* bio) {
    char* bytes = nullptr;
    const long length = BIO_get_mem_data(bio, &bytes);
    return length > 0 ? std::string(bytes, static_cast<std::size_t>(length)) : "";
}

// Without it OpenSSL would ask at the terminal.
int no_password(char*, int, int, void*) { return -1; }

}  // namespace

Error openssl_error(std::string_view what_we_were_doing) {
    const char* const reason = ::ERR_reason_error_string(::ERR_peek_last_error());
    ::ERR_clear_error();
    return Error{Errc::invalid,
                 fmt::format("{}: {}", what_we_were_doing, reason ? reason : "OpenSSL failed")};
}

WallTime wall_time(const ASN1_TIME* time) {
    std::tm broken_down{};
    ::ASN1_TIME_to_tm(time, &broken_down);
    // An end in the year 9999 stands for none (RFC 5280 section 4.1.2.5); our clock counts to 2262.
    constexpr std::time_t kLatest = 9'000'000'000;
    return std::chrono::system_clock::from_time_t(
        std::clamp<std::time_t>(::timegm(&broken_down), 0, kLatest));
}

std::vector<Certificate> read_certificates(std::string_view pem) {
    std::vector<Certificate> certificates;
    const Bio bio = reader_of(pem);
    while (X509* const next = ::PEM_read_bio_X509(bio.get(), nullptr, &no_password, nullptr))
        certificates.emplace_back(next);
    // The end of the file is an error to OpenSSL; any other one is an error to us.
    const bool whole = ERR_GET_REASON(::ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ::ERR_clear_error();
    if (!whole) certificates.clear();
    return certificates;
}

Key read_key(std::string_view pem) {
    const Bio bio = reader_of(pem);
    Key key(::PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_password, nullptr));
    ::ERR_clear_error();
    return key;
}

std::string certificate_pem(X509* certificate) {
    const Bio bio(::BIO_new(::BIO_s_mem()));
    ::PEM_write_bio_X509(bio.get(), certificate);
    return written(bio.get());
}

std::string key_pem(EVP_PKEY* key) {
    const Bio bio(::BIO_new(::BIO_s_secmem()));
    ::PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return written(bio.get());
}

Certificate share(X509* certificate) {
    ::X509_up_ref(certificate);
    return Certificate(certificate);
}

}  // namespace hawker::certificates
