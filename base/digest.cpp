#include "base/digest.h"

#include <new>

// SHA256_Init() and its like; see sha256_of().
#define OPENSSL_SUPPRESS_DEPRECATED  // NOLINT: OpenSSL's own word
#include <openssl/evp.h>
#include <openssl/sha.h>

namespace hawker {

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

template <typename Tag>
std::array<char, 64> Hash256<Tag>::hex_digits() const {
    std::array<char, 64> digits{};
    auto digit = digits.begin();
    for (std::byte byte : bytes) {
        *digit++ = kDigits[std::to_integer<std::size_t>(byte >> 4)];
        *digit++ = kDigits[std::to_integer<std::size_t>(byte & std::byte{15})];
    }
    return digits;
}

template <typename Tag>
std::string Hash256<Tag>::hex() const {
    const auto digits = hex_digits();
    return std::string(digits.begin(), digits.end());
}

template <typename Tag>
std::optional<Hash256<Tag>> Hash256<Tag>::from_hex(std::string_view text) {
    Hash256 hash;
    if (text.size() != 2 * hash.bytes.size()) return std::nullopt;
    for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
        const int high = nibble(text[2 * i]);
        const int low = nibble(text[2 * i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        hash.bytes[i] = static_cast<std::byte>(high * 16 + low);
    }
    return hash;
}

template struct Hash256<DigestTag>;
template struct Hash256<TaskIdTag>;

namespace {

// Looked up by name once: OpenSSL 3 does it anew for every hash otherwise.
const EVP_MD* sha256() {
    static const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> fetched(
        EVP_MD_fetch(nullptr, "SHA256", nullptr), EVP_MD_free);
    return fetched.get();
}

}  // namespace

struct Sha256::State {
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                    EVP_MD_CTX_free};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
    if (!state_->context || EVP_DigestInit_ex(state_->context.get(), sha256(), nullptr) != 1)
        throw std::bad_alloc();
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
    EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size());
}

void Sha256::update(std::string_view text) { update(std::as_bytes(std::span(text))); }

std::array<std::byte, 32> Sha256::value() const {
    const State copy;
    std::array<std::byte, 32> out{};
    EVP_MD_CTX_copy_ex(copy.context.get(), state_->context.get());
    EVP_DigestFinal_ex(copy.context.get(), reinterpret_cast<unsigned char*>(out.data()), nullptr);
    return out;
}

std::array<std::byte, 32> sha256_of(std::string_view text) {
    std::array<std::byte, 32> out{};
    // The digest interface makes and frees its state anew for every hash.
    SHA256_CTX state{};
    if (SHA256_Init(&state) != 1 || SHA256_Update(&state, text.data(), text.size()) != 1 ||
        SHA256_Final(reinterpret_cast<unsigned char*>(out.data()), &state) != 1)
        throw std::bad_alloc();
    return out;
}

}  // namespace hawker
