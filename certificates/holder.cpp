#include "certificates/holder.h"

#include "base/digest.h"
#include "certificates/openssl_objects.h"

#include <algorithm>

#include <openssl/err.h>

namespace hawker::certificates {

namespace {

constexpr std::size_t kLongest = 256;

bool is_fit_for_logs(std::string_view name) {
    if (name.empty() || name.size() > kLongest) return false;
    if (name.front() == ' ' || name.back() == ' ') return false;
    return std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~'; });
}

// Empty when there is none, or none that is fit for logs.
std::string name_in(const ASN1_STRING* value) {
    unsigned char* text = nullptr;
    const int length = value ? ::ASN1_STRING_to_UTF8(&text, value) : -1;
    ::ERR_clear_error();
    if (length < 0) return {};
    std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(length));
    ::OPENSSL_free(text);
    return is_fit_for_logs(name) ? name : std::string();
}

// RFC 5280 section 4.1.2.4: a subject's parts go from the general to the specific.
std::string common_name(const X509* certificate) {
    const X509_NAME* const subject = ::X509_get_subject_name(certificate);
    int last = -1;
    for (int at = -1; (at = ::X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
        last = at;
    if (last < 0) return {};
    return name_in(::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(subject, last)));
}

std::string alternative_name(const X509* certificate) {
    const Names names(static_cast<GENERAL_NAMES*>(
        ::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    ::ERR_clear_error();
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        int kind = 0;
        const void* const value =
            ::GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &kind);
        if (kind != GEN_EMAIL && kind != GEN_DNS && kind != GEN_URI) continue;
        std::string name = name_in(static_cast<const ASN1_STRING*>(value));
        if (!name.empty()) return name;
    }
    return {};
}

}  // namespace

std::string sha256_of(const X509* certificate) {
    Digest digest;
    unsigned length = 0;
    ::X509_digest(certificate, ::EVP_sha256(),
                  reinterpret_cast<unsigned char*>(digest.bytes.data()), &length);
    return digest.hex();
}

std::string holder_of(const X509* certificate) {
    std::string name = common_name(certificate);
    if (name.empty()) name = alternative_name(certificate);
    return name.empty() ? "sha256:" + sha256_of(certificate) : name;
}

}  // namespace hawker::certificates
