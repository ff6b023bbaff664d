#include "base/keyed_hash.h"

#include <new>

#include <openssl/crypto.h>
#include <openssl/rand.h>

namespace hawker {

KeyedHash::Key KeyedHash::random_key() {
    Key key{};
    if (::RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), static_cast<int>(key.size())) !=
        1)
        throw std::bad_alloc();
    return key;
}

Digest KeyedHash::of(std::initializer_list<std::string_view> parts) const {
    Sha256 hash;
    hash.update(std::string_view(key_.data(), key_.size()));
    for (const std::string_view part : parts) {
        const std::uint64_t size = part.size();
        hash.update(std::as_bytes(std::span(&size, 1)));
        hash.update(part);
    }
    Digest digest;
    digest.bytes = hash.value();
    return digest;
}

bool equal_in_constant_time(std::string_view left, std::string_view right) {
    return left.size() == right.size() &&
           ::CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace hawker
