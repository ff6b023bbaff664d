#include "daemon/admission/bcrypt.h"

#include "base/keyed_hash.h"

#include <algorithm>
#include <memory>

#include <crypt.h>
#include <fmt/format.h>

namespace hawker::admission {

namespace {

constexpr std::size_t kHashLength = 60;  // "$2y$12$", 22 characters of salt, 31 of hash
constexpr std::size_t kSaltAt = 7;
constexpr std::size_t kLongestPassword = 72;
constexpr std::string_view kAlphabet =
    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<unsigned> bcrypt_cost(std::string_view hash) {
    if (hash.size() != kHashLength) return std::nullopt;
    const std::string_view kind = hash.substr(0, 4);
    if (kind != "$2y$" && kind != "$2a$" && kind != "$2b$") return std::nullopt;
    if (!is_digit(hash[4]) || !is_digit(hash[5]) || hash[6] != '$') return std::nullopt;
    if (hash.substr(kSaltAt).find_first_not_of(kAlphabet) != std::string_view::npos)
        return std::nullopt;
    return static_cast<unsigned>((hash[4] - '0') * 10 + (hash[5] - '0'));
}

std::string hash_of_nobody(unsigned cost) {
    return fmt::format("$2y${:02}${}", cost, std::string(kHashLength - kSaltAt, '.'));
}

bool verify_bcrypt(std::string_view password, const std::string& hash) {
    if (password.size() > kLongestPassword || password.contains('\0')) return false;
    const auto data = std::make_unique<crypt_data>();  // 32 KiB
    const std::string ended(password);
    const char* const made = ::crypt_r(ended.c_str(), hash.c_str(), data.get());
    return made && equal_in_constant_time(made, hash);
}

}  // namespace hawker::admission
